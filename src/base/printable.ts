/**
 * Controls, formats (direction marks, tags), lone surrogates, line and paragraph separators, and what is not shown at all,
 * by Unicode's own classes.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Makes text from outside safe to print: characters that move the cursor, hide or reorder text become `\xNN` or `\u{…}`.
 *
 * A file name may hold any byte; printed raw it could forge tsbox's own messages (CVE-2023-28101 in flatpak).
 */
export function printable(text: string): string {
  // Most texts; to compile Unicode's classes takes a millisecond, which a run without others need not spend.
  if (/^[ -~]*$/.test(text)) return text;
  return text.replace(UNSAFE, (char) => {
    const code = char.codePointAt(0) ?? 0;
    if (char === "\n") return "\\n";
    if (char === "\t") return "\\t";
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
