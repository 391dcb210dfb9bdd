/** An Internet address: 4 or 16 bytes, as they are sent. */
export interface Address {
  readonly family: 4 | 6;
  readonly bytes: readonly number[];
}

/** The addresses whose first `length` bits are those of `address`; the bits after them are 0. */
export interface Prefix {
  readonly address: Address;
  readonly length: number;
}

export const addressBits = ({ family }: Address): number => (family === 4 ? 32 : 128);

/** Four decimal numbers without leading zeros, which some programs take for octal. */
function parseV4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** Groups of hexadecimal digits, the last two maybe as four decimal numbers. */
function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    const v4 = i === groups.length - 1 && group.includes(".") ? parseV4(group) : undefined;
    if (v4 === undefined && !/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    bytes.push(...(v4 ?? [value >> 8, value & 0xff]));
  }
  return bytes;
}

function parseV6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = [parseGroups(halves[0] ?? ""), parseGroups(halves[1] ?? "")];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...Array<number>(missing).fill(0), ...tail];
}

/** INET6_ADDRSTRLEN of inet_ntop(3), without the NUL. */
const LONGEST = 45;

/** undefined for what is no address; RFC 4291, section 2.2. A zone (`%eth0`) is none. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > LONGEST) return undefined;
  const v4 = parseV4(text);
  if (v4 !== undefined) return { family: 4, bytes: v4 };
  const v6 = text.includes(":") ? parseV6(text) : undefined;
  return v6 === undefined ? undefined : { family: 6, bytes: v6 };
}

/** The prefix that the address lies in. */
export function prefixOf(address: Address, length: number): Prefix {
  const bytes = address.bytes.map((byte, i) => byte & (0xff << (8 - Math.max(0, Math.min(8, length - 8 * i)))) & 0xff);
  return { address: { ...address, bytes }, length };
}

/** ADDRESS/LENGTH; undefined when bits after the length are set. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, left = "", right] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(left);
  const length = Number(right);
  if (address === undefined || length > addressBits(address)) return undefined;
  const prefix = prefixOf(address, length);
  return prefix.address.bytes.every((byte, i) => byte === address.bytes[i]) ? prefix : undefined;
}

/** The address alone. */
export const wholeOf = (address: Address): Prefix => ({ address, length: addressBits(address) });

export function contains({ address, length }: Prefix, other: Address): boolean {
  if (address.family !== other.family) return false;
  return prefixOf(other, length).address.bytes.every((byte, i) => byte === address.bytes[i]);
}

/** Dotted, or the eight groups in full with the longest run of zeros left out; RFC 5952. */
export function renderAddress({ family, bytes }: Address): string {
  if (family === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  const runs = groups.join(":").match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((a, b) => (b.length > a.length ? b : a), "");
  const text = groups.join(":");
  if (longest === "") return text;
  const at = text.search(new RegExp(`(?:^|:)${longest}(?:$|:)`));
  const [head, tail] = [text.slice(0, at), text.slice(at).replace(/^:/, "").slice(longest.length).replace(/^:/, "")];
  return `${head}::${tail}`;
}

export const renderPrefix = ({ address, length }: Prefix): string => `${renderAddress(address)}/${length}`;
