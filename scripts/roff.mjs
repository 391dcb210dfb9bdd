// @ts-check
// Markdown as the documents use it, as man(7) has it: headings, paragraphs, lists, code, tables, emphasis, links.

/** Plain text: nothing in it is a request or an escape. @param {string} text */
export const escapeRoff = (text) =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replaceAll("`", "\\(ga")
    .replaceAll("'", "\\(aq")
    .replaceAll("…", "...")
    .replaceAll("–", "\\(en")
    .replace(/^([.'])/gm, "\\&$1");

/** What is typed as it stands. @param {string} text */
export const bold = (text) => `\\fB${escapeRoff(text)}\\fR`;

/** Emphasis, code and links. @param {string} markdown */
export function renderInline(markdown) {
  const pieces = markdown.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1").split(/(`[^`]+`|\*\*[^*]+\*\*)/);
  const text = pieces.map((piece) => {
    if (piece.startsWith("`")) return bold(piece.slice(1, -1));
    return piece.startsWith("**") ? `\\fI${escapeRoff(piece.slice(2, -2))}\\fR` : escapeRoff(piece);
  });
  return text.join("");
}

/** @param {readonly string[]} lines */
export const renderCode = (lines) => [
  ".PP",
  ".RS 4",
  ".nf",
  ...lines.map((line) => (line.trim() === "" ? "\\&" : escapeRoff(line))),
  ".fi",
  ".RE",
];

/** @param {string} row @returns {string[]} */
const cellsOf = (row) =>
  row
    .trim()
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));

/** A paragraph for each row: the first cell, then the others; what is short is named by its column. @param {readonly string[]} lines */
function renderTable(lines) {
  const [head = [], , ...rows] = lines.map(cellsOf);
  return rows.flatMap(([first = "", ...rest]) => {
    const named = rest.slice(0, -1).map((cell, i) => `${head[i + 1]}: ${cell}.`);
    const told = [...named, rest.at(-1) ?? ""].filter((text) => text !== "" && !text.endsWith(": ."));
    return [".TP", renderInline(first), ...(told.length === 0 ? ["\\&"] : told.map(renderInline))];
  });
}

/** @param {readonly string[]} lines @param {number} indent */
const dedent = (lines, indent) =>
  lines.map((line) => line.slice(Math.min(indent, line.length - line.trimStart().length)));

/** Lines from `start` on while `holds`. @param {readonly string[]} lines @param {number} start @param {(line: string) => boolean} holds */
function takeWhile(lines, start, holds) {
  let end = start;
  while (end < lines.length && holds(lines[end] ?? "")) end++;
  return lines.slice(start, end);
}

/** @param {readonly string[]} item its first line after the bullet, the others dedented */
const renderItem = (item) => [".IP \\(bu 2", ...renderBlocks(item).filter((line, i) => i > 0 || line !== ".PP")];

/** One block that begins at `start`, and how many lines it takes. @param {readonly string[]} lines @param {number} start @returns {{ roff: string[], length: number }} */
function renderBlock(lines, start) {
  const line = lines[start] ?? "";
  if (line.trim() === "" || line.startsWith("<!--") || line.startsWith("# ")) return { roff: [], length: 1 };
  const heading = /^(##+) (.*)$/.exec(line);
  if (heading !== null) {
    const [, marks = "", title = ""] = heading;
    return {
      roff: [marks.length === 2 ? `.SH ${escapeRoff(title.toUpperCase())}` : `.SS ${escapeRoff(title)}`],
      length: 1,
    };
  }
  if (line.startsWith("```")) {
    const code = takeWhile(lines, start + 1, (each) => !each.startsWith("```"));
    return { roff: renderCode(code), length: code.length + 2 };
  }
  if (line.startsWith("    ")) {
    const code = takeWhile(lines, start, (each) => each.startsWith("    "));
    return { roff: renderCode(dedent(code, 4)), length: code.length };
  }
  if (line.startsWith("|")) {
    const table = takeWhile(lines, start, (each) => each.startsWith("|"));
    return { roff: renderTable(table), length: table.length };
  }
  if (line.startsWith("- ")) {
    const rest = takeWhile(lines, start + 1, (each) => each === "" || each.startsWith("  "));
    return { roff: renderItem([line.slice(2), ...dedent(rest, 2)]), length: rest.length + 1 };
  }
  const text = takeWhile(lines, start, (each) => each !== "" && !/^(?:- |\||```|#)/.test(each));
  return { roff: [".PP", renderInline(text.join("\n"))], length: text.length };
}

/** @param {readonly string[]} lines @returns {string[]} */
function renderBlocks(lines) {
  /** @type {string[]} */
  const roff = [];
  for (let at = 0; at < lines.length; ) {
    const block = renderBlock(lines, at);
    roff.push(...block.roff);
    at += block.length;
  }
  return roff;
}

/** A document as the sections of a manual page. @param {string} markdown @returns {string} */
export function renderRoff(markdown) {
  const lines = renderBlocks(markdown.split("\n"));
  // A heading begins a paragraph.
  return lines.filter((line, i) => line !== ".PP" || !/^\.S[HS] /.test(lines[i - 1] ?? "")).join("\n");
}
