import { TsboxError } from "../errors/error.ts";

/** Deeper nesting is a fault of syntax: no file that tsbox reads needs it. */
const DEPTH_LIMIT = 64;

const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const WORD = /true|false|null/y;
const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };

class Fault extends Error {}

/** Reads a text from left to right; the place where it stops is that of a fault. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Line and column, both counted from 1. */
  get position(): { readonly line: string; readonly column: string } {
    const lines = this.#text.slice(0, this.#at).split("\n");
    return { line: String(lines.length), column: String((lines.at(-1) ?? "").length + 1) };
  }

  whole(): unknown {
    const value = this.#value(0);
    if (this.#peek() !== "") throw this.#unexpected();
    return value;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }

  #peek(): string {
    this.#take(BLANK);
    return this.#text.charAt(this.#at);
  }

  #skip(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #unexpected(): Fault {
    const next = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    if (this.#at >= this.#text.length) return new Fault("the file ends in the middle of a value");
    return new Fault(`unexpected ${next === "\n" ? "end of line" : JSON.stringify(next)}`);
  }

  #value(depth: number): unknown {
    if (depth > DEPTH_LIMIT) throw new Fault(`nested deeper than ${DEPTH_LIMIT}`);
    const next = this.#peek();
    if (next === "{") return this.#object(depth + 1);
    if (next === "[") return this.#array(depth + 1);
    if (next === '"') return this.#string();
    const word = this.#take(WORD);
    return word === undefined ? this.#number() : WORDS[word[0]];
  }

  #string(): string {
    const match = this.#take(STRING);
    if (match === undefined)
      throw this.#peek() === '"'
        ? new Fault("a string that does not end, or with a control character or wrong escape")
        : this.#unexpected();
    return JSON.parse(match[0]);
  }

  #number(): number | bigint {
    const match = this.#take(NUMBER);
    if (match === undefined) throw this.#unexpected();
    const value = Number(match[0]);
    const isWhole = match[1] === undefined && match[2] === undefined;
    return isWhole && !Number.isSafeInteger(value) ? BigInt(match[0]) : value;
  }

  #array(depth: number): unknown[] {
    this.#at++;
    const values: unknown[] = [];
    if (this.#skip("]")) return values;
    do values.push(this.#value(depth));
    while (this.#skip(","));
    if (!this.#skip("]")) throw this.#unexpected();
    return values;
  }

  #object(depth: number): Record<string, unknown> {
    this.#at++;
    const object: Record<string, unknown> = Object.create(null);
    if (this.#skip("}")) return object;
    do {
      this.#peek();
      const name = this.#string();
      if (Object.hasOwn(object, name)) throw new Fault(`the key ${JSON.stringify(name.slice(0, 80))} twice`);
      if (!this.#skip(":")) throw this.#unexpected();
      object[name] = this.#value(depth);
    } while (this.#skip(","));
    if (!this.#skip("}")) throw this.#unexpected();
    return object;
  }
}

/**
 * A JSON text (RFC 8259) as objects without prototype. Unlike JSON.parse it says where a fault is, refuses a key that is
 * there twice, and gives whole numbers beyond ±(2^53 - 1) as bigint instead of rounding them.
 * @throws TsboxError E_JSON_SYNTAX with line and column.
 */
export function parseJson(text: string, file: string): unknown {
  const reader = new Reader(text);
  try {
    return reader.whole();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { position } = reader;
    throw new TsboxError(
      "E_JSON_SYNTAX",
      { file, ...position, detail: error.message },
      { file, key: `line ${position.line}` },
    );
  }
}
