import { type Address, type Prefix, parseAddress, wholeOf } from "../base/address.ts";
import { readText } from "../observe/file.ts";
import { ifThere } from "./path.ts";

/*
 * The kernel's own lists, and not getifaddrs(3) as Node has it: that one leaves out interfaces without a carrier (a bridge with
 * nothing on it), to whose addresses this machine answers all the same.
 */

/** Of /proc/net/fib_trie: an address, then each route to it with a length, as "/32 host LOCAL". */
export function parseTrie(text: string): Prefix[] {
  const found: Prefix[] = [];
  let address: Address | undefined;
  for (const line of text.split("\n")) {
    const [, leaf] = /^ *\|-- (\S+)$/.exec(line) ?? [];
    if (leaf !== undefined) address = parseAddress(leaf);
    const [, length] = /^ *\/(\d+) \S+ (?:LOCAL|BROADCAST)\b/.exec(line) ?? [];
    if (length !== undefined && address !== undefined) found.push({ address, length: Number(length) });
  }
  return found;
}

function fromHex(digits: string): Address {
  return { family: 6, bytes: (digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)) };
}

/** linux/ipv6_route.h */
const RTF_LOCAL_OR_ANYCAST = 0x8010_0000n;

/** Of /proc/net/ipv6_route: destination and length first, the flags ninth; all hexadecimal. */
export function parseRoutes6(text: string): Prefix[] {
  return text.split("\n").flatMap((line) => {
    const [digits, length, , , , , , , flags] = line.trim().split(/ +/);
    if (digits === undefined || length === undefined || flags === undefined) return [];
    if ((BigInt(`0x${flags}`) & RTF_LOCAL_OR_ANYCAST) === 0n) return [];
    return [{ address: fromHex(digits), length: Number.parseInt(length, 16) }];
  });
}

/** Of /proc/net/if_inet6, which has also those that are being tried for duplicates; the address comes first. */
export const parseAddresses6 = (text: string): Prefix[] =>
  text.split("\n").flatMap((line) => (/^[0-9a-f]{32} /.test(line) ? [wholeOf(fromHex(line.slice(0, 32)))] : []));

/**
 * What this machine takes for itself, in its own network namespace: each local and each broadcast address; proc_net(5). Not
 * the routes of a transparent proxy to everything, which rules lead to.
 */
export function probeOwnAddresses(ipv6: boolean): Prefix[] {
  const all = parseTrie(readText("/proc/net/fib_trie"));
  // A kernel without IPv6 has no files of it.
  const read = (name: string): string => ifThere(() => readText(`/proc/net/${name}`)) ?? "";
  if (ipv6) all.push(...parseRoutes6(read("ipv6_route")), ...parseAddresses6(read("if_inet6")));
  return all.filter(({ length }) => length > 0);
}
