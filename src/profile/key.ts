const BARE = /^[A-Za-z0-9_-]{1,80}$/;

/** `mount[0].source`, `environment.set."a b"`: names that TOML would quote are quoted, and cut at 80 characters. */
export function renderKey(parts: readonly unknown[]): string {
  return parts.reduce((rendered: string, part) => {
    if (typeof part === "number") return `${rendered}[${part}]`;
    const name = String(part);
    const shown = BARE.test(name) ? name : JSON.stringify(name.slice(0, 80));
    return rendered === "" ? shown : `${rendered}.${shown}`;
  }, "");
}

/** `key` and each key path around it, longest first: a.b[0].c, a.b[0], a.b, a. */
export function enclosingKeys(key: string): string[] {
  const cuts = [...key.matchAll(/[.[]/g)].map((match) => match.index).reverse();
  return [key, ...cuts.map((at) => key.slice(0, at))];
}
