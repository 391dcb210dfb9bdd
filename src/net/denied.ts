import { type Address, contains, type Prefix, parsePrefix, renderPrefix } from "../base/address.ts";
import type { NetworkFact } from "../host/facts.ts";
import type { Profile } from "../profile/profile.ts";

/*
 * What a network of mode "user" does not reach. The back ends make connections from the host, so that what they let pass
 * would reach the host itself and all that trusts it for where it stands.
 */

/** This host and this link (RFC 6890), groups, and where clouds answer with credentials to whoever asks from inside. */
const ALWAYS4 = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "192.0.0.192/32", // Oracle
  "100.100.100.200/32", // Alibaba
  "168.63.129.16/32", // Azure
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/** The same; with IPv4 addresses that a translator on the way would take out again. */
const ALWAYS6 = [
  "::/96",
  "::ffff:0:0/96",
  "64:ff9b::/104", // NAT64 of 0.0.0.0/8
  "64:ff9b::7f00:0/104",
  "64:ff9b::a9fe:0/112",
  "2002:7f00::/24", // 6to4
  "2002:a9fe::/32",
  "fe80::/10",
  "fd00:ec2::254/128", // Amazon
  "fd20:ce::254/128", // Google
  "fd00:42::42/128", // Scaleway
];

/** Not of the Internet; RFC 6890, RFC 1918, RFC 6598, RFC 4193. */
const PRIVATE4 = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15"];
const PRIVATE6 = [
  "64:ff9b::a00:0/104",
  "64:ff9b::ac10:0/108",
  "64:ff9b::c0a8:0/112",
  "64:ff9b:1::/48",
  "fc00::/7",
  "fec0::/10",
];

function parseAll(texts: readonly string[]): Prefix[] {
  return texts.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw new RangeError(`${text} is no prefix`);
    return prefix;
  });
}

/** Each once, and none that lies in another. */
function withoutInner(prefixes: readonly Prefix[]): Prefix[] {
  const unique = [...new Map(prefixes.map((prefix) => [renderPrefix(prefix), prefix])).values()];
  return unique.filter(
    (inner) =>
      !unique.some((outer) => outer !== inner && outer.length < inner.length && contains(outer, inner.address)),
  );
}

/** What no sandbox reaches, whatever its profile says. */
export const alwaysDenied = ({ own }: NetworkFact): Prefix[] => [...parseAll([...ALWAYS4, ...ALWAYS6]), ...own];

/** Routes of the sandbox's own network are longer than these where they lie in one. */
export function deniedPrefixes({ network }: Profile, fact: NetworkFact): Prefix[] {
  const ours = network.denyPrivate ? parseAll([...PRIVATE4, ...PRIVATE6]) : [];
  const all = withoutInner([...alwaysDenied(fact), ...ours]);
  return network.ipv6 ? all : all.filter(({ address }) => address.family === 4);
}

/** The prefix that keeps an address from being reached. */
export const deniedBy = (denied: readonly Prefix[], address: Address): Prefix | undefined =>
  denied.find((prefix) => contains(prefix, address));
