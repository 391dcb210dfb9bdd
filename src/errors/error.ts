import { printable } from "../base/printable.ts";
import { CATALOGUE, type ErrorCode, type Params } from "./catalogue.ts";

/** Where a setting came from: a profile file and a key path in it, or the command line and a flag. */
export interface Because {
  readonly file: string;
  readonly key: string;
}

function fill(template: string, params: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => printable(params[name] ?? `{${name}}`));
}

/** What went wrong, as data: rendered for a terminal by {@link renderError}, given to callers of the library as it is. */
export class TsboxError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = "TsboxError";
  readonly code: C;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly exit: number;
  readonly from: Because | undefined;

  constructor(code: C, params: Params<C>, from?: Because) {
    const entry = CATALOGUE[code];
    const what = fill(entry.what, params);
    const why = fill(entry.why, params);
    super(`${what}: ${why} [${code}]`);
    this.code = code;
    this.what = what;
    this.why = why;
    this.fix = fill(entry.fix, params);
    this.exit = entry.exit;
    this.from = from;
  }
}

/** The two to four lines that a user reads on stderr, with a newline at the end. */
export function renderError(error: TsboxError): string {
  const from = error.from === undefined ? "" : `  from: ${printable(error.from.file)} ${printable(error.from.key)}\n`;
  return `tsbox: ${error.message}\n${from}  fix: ${error.fix}\n`;
}
