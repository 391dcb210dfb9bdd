import { type Bytes, bytes, type Milliseconds, milliseconds } from "../base/brand.ts";

/** What should have stood in a place, in words that fit after "expected". */
export interface Fault {
  readonly expected: string;
  /** A sentence that the words "found …" do not say: what a wrong value would have meant, or what to write instead. */
  readonly hint?: string;
}

/** A value, or why there is none. */
export type Parsed<T> = { readonly value: T } | { readonly fault: Fault };

/** Smallest and largest value that is accepted, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

const KIB = 1024;
const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  K: KIB,
  KiB: KIB,
  M: KIB ** 2,
  MiB: KIB ** 2,
  G: KIB ** 3,
  GiB: KIB ** 3,
  T: KIB ** 4,
  TiB: KIB ** 4,
};

const SECOND = 1000;
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: 86_400 * SECOND,
};

const QUANTITY = /^([0-9]{1,16})([A-Za-z]{0,3})$/;

function render(n: number, units: Readonly<Record<string, number>>, names: readonly string[]): string {
  const name = n === 0 ? undefined : names.findLast((unit) => n % (units[unit] ?? 1) === 0);
  return name === undefined ? String(n) : `${n / (units[name] ?? 1)}${name}`;
}

/** "64KiB" for 65536: the largest unit that leaves a whole number. */
export const renderBytes = (n: number): string => render(n, BYTE_UNITS, ["KiB", "MiB", "GiB", "TiB"]);
/** "90s" for 90000: the largest unit that leaves a whole number. */
export const renderDuration = (n: number): string => render(n, DURATION_UNITS, ["ms", "s", "m", "h", "d"]);

function quantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits = "", unit = ""] = QUANTITY.exec(text) ?? [];
  const size = Object.hasOwn(units, unit) ? units[unit] : undefined;
  return digits === "" || size === undefined ? undefined : Number(digits) * size;
}

const within = (n: number | undefined, { min, max }: Range): n is number =>
  n !== undefined && Number.isSafeInteger(n) && n >= min && n <= max;

/** An integer in `range`; `what` names it in the fault ("a number of files"). */
export function parseCount(input: unknown, range: Range, what: string): Parsed<number> {
  if (typeof input === "number" && within(input, range)) return { value: input };
  return { fault: { expected: `${what} from ${range.min} to ${range.max}` } };
}

/**
 * A size: an integer of bytes, or digits with B, K, M, G, T (powers of 1024, as podman's) or KiB, MiB, GiB, TiB.
 *
 * kB and MB are refused: they mean 1000 to some and 1024 to others.
 */
export function parseBytes(input: unknown, range: Range): Parsed<Bytes> {
  const n = typeof input === "string" ? quantity(input, BYTE_UNITS) : input;
  if (typeof n === "number" && within(n, range)) return { value: bytes(n) };
  const expected = `a size from ${renderBytes(range.min)} to ${renderBytes(range.max)}, as 65536, "64KiB", "512M" or "1GiB"`;
  return { fault: { expected } };
}

/** A duration: digits with ms, s, m, h or d. A bare number is refused: programs disagree on its unit. */
export function parseDuration(input: unknown, range: Range): Parsed<Milliseconds> {
  const n = typeof input === "string" ? quantity(input, DURATION_UNITS) : undefined;
  if (within(n, range)) return { value: milliseconds(n) };
  const expected = `a duration from ${renderDuration(range.min)} to ${renderDuration(range.max)}, as "500ms", "10s", "5m", "2h" or "1d"`;
  // Not String(input): a table of the file may have a key toString.
  const bare =
    typeof input === "number" || typeof input === "string" ? /^[1-9][0-9]{0,9}$/.exec(`${input}`)?.[0] : undefined;
  return { fault: bare === undefined ? { expected } : { expected, hint: `write "${bare}s" if seconds are meant` } };
}
