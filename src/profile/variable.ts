import { suggest } from "./leaf.ts";
import { either, matching, PART, PATH, type Shape } from "./shape.ts";
import type { Parsed } from "./units.ts";

/** What a file may leave to the run: its work directory, the user's home directory, the folder of the file itself. */
export const VARIABLES = ["work", "home", "profile"] as const;
export type Variable = (typeof VARIABLES)[number];

/** A text with variables in it, whose values are not known before the run. */
export type Template = readonly (string | { readonly variable: Variable })[];

const isVariable = (name: string): name is Variable => VARIABLES.some((known) => known === name);

/** For messages. */
export const KNOWN_VARIABLES = VARIABLES.map((name) => `\${${name}}`).join(", ");

function unknown(name: string): string {
  const near = suggest(name, VARIABLES).replace(/"(.*)"/, "${$1}");
  return `there is no variable \${${name}}; ${near === "" ? "" : `${near} `}known are ${KNOWN_VARIABLES}; $\${ is a literal \${`;
}

/** `$${` stands for a literal `${`. */
function split(text: string): Parsed<Template> {
  const pieces: Template[number][] = [];
  let at = 0;
  const literal = (end: number) => {
    const before = pieces.at(-1);
    const more = text.slice(at, end);
    if (typeof before === "string") pieces[pieces.length - 1] = before + more;
    else if (more !== "") pieces.push(more);
  };
  for (const match of text.matchAll(/\$\$\{|\$\{([^{}]*)(\}?)/g)) {
    const [all, name, end] = match;
    literal(match.index);
    at = match.index + all.length;
    if (name === undefined) pieces.push("${");
    else if (end === "") return { fault: { expected: "", hint: "a variable ends with }; write $${ for a literal ${" } };
    else if (!isVariable(name)) return { fault: { expected: "", hint: unknown(name) } };
    else pieces.push({ variable: name });
  }
  literal(text.length);
  return { value: pieces };
}

/** A text in which variables may stand anywhere; one without is given back as the text that it means. */
export function parseText(input: string): Parsed<string | Template> {
  const parsed = input.includes("${") ? split(input) : { value: [input] };
  return "fault" in parsed || parsed.value.some((piece) => typeof piece !== "string")
    ? parsed
    : { value: parsed.value.join("") };
}

function placeFault([first, second, ...rest]: Template): string | undefined {
  if (typeof first === "string" || [second, ...rest].some((piece) => typeof piece === "object"))
    return "a variable stands only at the start of a path";
  if (second === undefined || (typeof second === "string" && second.startsWith("/"))) return undefined;
  return `a path goes on with / after \${${first?.variable}}`;
}

/** A parser of paths as one that also takes a path from a variable on; what follows the variable is checked by the same rules. */
export function templated<T extends string>(parse: (input: unknown) => Parsed<T>) {
  return (input: unknown): Parsed<T | Template> => {
    const text = typeof input === "string" ? parseText(input) : undefined;
    if (text === undefined) return parse(input);
    const refused = parse(undefined);
    const expected = "fault" in refused ? refused.fault.expected : "";
    if ("fault" in text) return { fault: { ...text.fault, expected } };
    if (typeof text.value === "string") return parse(text.value);
    const hint = placeFault(text.value);
    if (hint !== undefined) return { fault: { expected, hint } };
    // Any folder will do: its value is checked when it is known.
    const tried = parse(fillTemplate(text.value, { work: "/v", home: "/v", profile: "/v" }));
    return "fault" in tried ? tried : { value: text.value };
  };
}

/** What {@link templated} takes instead of an absolute path. */
const FROM_VARIABLE: Shape = matching(`\\$\\{(?:${VARIABLES.join("|")})\\}(?:/(?:${PART}))*`);
export const TEMPLATE_PATH: Shape = either(PATH, FROM_VARIABLE);

export type Values = Readonly<Record<Variable, string>>;

export const fillTemplate = (template: string | Template, values: Values): string =>
  typeof template === "string"
    ? template
    : template.map((piece) => (typeof piece === "string" ? piece : values[piece.variable])).join("");

/** The text as {@link parseText} takes it for just what it is. */
export const escapeText = (text: string): string => text.replaceAll("${", () => "$${");
