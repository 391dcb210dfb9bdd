import { type Address, contains, type Prefix, parseAddress, parsePrefix } from "../base/address.ts";
import type { NetworkFact } from "../host/facts.ts";
import type { Profile } from "../profile/profile.ts";
import type { Gateway } from "./step.ts";

/** The network that the sandbox sees itself in. */
export interface VirtualNetwork {
  readonly prefix: Prefix;
  readonly guest: Address;
  readonly gateway: Gateway;
  /** Where the back end answers for the host's name servers. */
  readonly nameserver: Address;
  /** The same for IPv6, where the profile wants it; slirp4netns(1) has these built in. */
  readonly gateway6: Gateway | undefined;
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError("an address in this file is none");
  return value;
}

/** As slirp4netns counts them; pasta is told the same. */
const HOST = { gateway: 2, nameserver: 3, guest: 100 } as const;

function nth({ address }: Prefix, n: number): Address {
  return { ...address, bytes: [...address.bytes.slice(0, -1), (address.bytes.at(-1) ?? 0) + n] };
}

/** libslirp makes them of the address; pasta takes any. */
const hardwareOf = ({ bytes }: Address): number[] => [0x52, 0x55, ...bytes];

/** On the link, the router that advertises itself. */
const GATEWAY6: Gateway = {
  address: known(parseAddress("fe80::2")),
  hardware: [0x52, 0x56, 0, 0, 0, 2],
};

/** The first of 10.0.2.0/24, 10.0.3.0/24, … in which the host itself has no address. */
function freePrefix({ interfaces }: NetworkFact): Prefix {
  for (let third = 2; third < 255; third++) {
    const prefix = known(parsePrefix(`10.0.${third}.0/24`));
    if (!interfaces.some(({ address }) => contains(prefix, address))) return prefix;
  }
  return known(parsePrefix("10.0.2.0/24"));
}

export function virtualNetwork({ network }: Profile, fact: NetworkFact): VirtualNetwork {
  const prefix = network.cidr ?? freePrefix(fact);
  const gateway = nth(prefix, HOST.gateway);
  return {
    prefix,
    guest: nth(prefix, HOST.guest),
    gateway: { address: gateway, hardware: hardwareOf(gateway) },
    nameserver: nth(prefix, HOST.nameserver),
    gateway6: network.ipv6 ? GATEWAY6 : undefined,
  };
}
