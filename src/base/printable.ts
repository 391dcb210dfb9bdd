const UNSAFE =
  // C0, DEL, C1, soft hyphen, zero-width and direction marks, line and paragraph separators, BOM, lone surrogates
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what this is for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]/gu;

/**
 * Makes text from outside safe to print: characters that move the cursor, hide or reorder text become `\xNN` or `\u{…}`.
 *
 * A file name may hold any byte; printed raw it could forge tsbox's own messages (CVE-2023-28101 in flatpak).
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.codePointAt(0) ?? 0;
    if (char === "\n") return "\\n";
    if (char === "\t") return "\\t";
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
