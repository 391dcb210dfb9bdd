import { keyTexts } from "./document.ts";
import { LIST_LIMIT } from "./leaf.ts";
import { documentName, type Outline, outlineProfile } from "./outline.ts";
import type { Shape } from "./shape.ts";

/** Markdown without its links, which lead nowhere from an editor. */
const unlink = (markdown: string): string => markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");

function describe(path: readonly string[], expected: string | undefined): Shape {
  const texts = keyTexts();
  const entry = texts[documentName(path)];
  if (entry === undefined) return {};
  const type = expected === undefined ? "" : `Type: ${expected}. `;
  return { description: unlink(`${entry.text}\n\n${type}Default: ${entry.absent}.`) };
}

/** What to call the value of a key. */
function expectedOf(outline: Outline): string | undefined {
  if (outline.kind === "value") return outline.expected;
  if (outline.kind === "list" && outline.entry.kind === "value") return `array, each ${outline.entry.expected}`;
  return undefined;
}

function render(outline: Outline, path: readonly string[]): Shape {
  switch (outline.kind) {
    case "value":
      return outline.shape;
    case "list":
      return { ...outline.also, type: "array", items: render(outline.entry, path), maxItems: LIST_LIMIT };
    case "choice":
      return { anyOf: outline.options.map((option) => render(option, path)) };
    case "table": {
      const keys = Object.entries(outline.keys);
      const required = keys.flatMap(([name, { isRequired }]) => (isRequired ? [name] : []));
      const properties = keys.map(([name, { outline: inner }]) => {
        const below = [...path, name];
        return [name, { ...describe(below, expectedOf(inner)), ...render(inner, below) }] as const;
      });
      return {
        ...outline.also,
        type: "object",
        properties: Object.fromEntries(properties),
        ...(required.length === 0 ? {} : { required }),
        additionalProperties: false,
      };
    }
  }
}

/** A JSON schema of a profile file, for editors: it takes all that tsbox takes, and refuses what such a schema can tell. */
export const profileJsonSchema = (): Shape => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "tsbox profile",
  description: "What a sandbox of tsbox may do.",
  ...render(outlineProfile(), []),
});
