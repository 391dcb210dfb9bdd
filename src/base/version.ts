/** Whether dotted numbers are at least others: "5.12" of "5.12.0-rc1". Missing numbers are 0. */
export function isAtLeast(version: string, least: string): boolean {
  const numbers = (text: string) => (/\d+(?:\.\d+)*/.exec(text)?.[0] ?? "").split(".").map(Number);
  const have = numbers(version);
  const want = numbers(least);
  for (const [i, wanted] of want.entries()) {
    const found = have[i] ?? 0;
    if (found !== wanted) return found > wanted;
  }
  return true;
}
