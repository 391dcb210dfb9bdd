/**
 * Makes text from outside safe to print: characters that move the cursor, hide or reorder text become `\xNN` or `\u{…}`.
 *
 * A file name may hold any byte; printed raw it could forge tsbox's own messages (CVE-2023-28101 in flatpak).
 */
export function printable(text: string): string {
  // Most texts; to make a pattern of Unicode's classes takes a millisecond, which a run without others need not spend.
  if (/^[ -~]*$/.test(text)) return text;
  // Controls, formats (direction marks, tags), lone surrogates, line and paragraph separators, and what is not shown.
  const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
  return text.replace(unsafe, (char) => {
    const code = char.codePointAt(0) ?? 0;
    if (char === "\n") return "\\n";
    if (char === "\t") return "\\t";
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
