import {
  type Address,
  contains,
  type Prefix,
  parseAddress,
  parsePrefix,
  renderAddress,
  renderPrefix,
} from "../base/address.ts";
import { TsboxError } from "../errors/error.ts";
import type { NetworkFact } from "../host/facts.ts";
import { because } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import { alwaysDenied, deniedBy } from "./denied.ts";
import type { Gateway } from "./step.ts";

/** The network that the sandbox sees itself in. */
export interface VirtualNetwork {
  readonly prefix: Prefix;
  readonly guest: Address;
  readonly gateway: Gateway;
  /** Where the back end answers for the host's name servers, if it is to. */
  readonly nameserver: Address | undefined;
  /** Where the profile wants IPv6. */
  readonly six: { readonly guest: Prefix; readonly gateway: Gateway } | undefined;
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

/** Network and gateway are those of slirp4netns(1), which has them built in. */
const SIX: NonNullable<VirtualNetwork["six"]> = {
  guest: { address: known(parseAddress("fd00::64")), length: 64 },
  gateway: { address: known(parseAddress("fe80::2")), hardware: [0x52, 0x56, 0, 0, 0, 2] },
};

/** The first of 10.0.2.0/24, 10.0.3.0/24, … in which the host itself has no address. */
function freePrefix({ own }: NetworkFact): Prefix {
  for (let third = 2; third < 255; third++) {
    const prefix = known(parsePrefix(`10.0.${third}.0/24`));
    if (!own.some(({ address }) => contains(prefix, address))) return prefix;
  }
  return known(parsePrefix("10.0.2.0/24"));
}

/**
 * The back ends bring what is sent to these to the machine that has the address outside, or take it for their own.
 * @throws TsboxError E_CIDR where that is one that no sandbox is to reach.
 */
function checkNetwork(profile: Profile, fact: NetworkFact, virtual: VirtualNetwork): void {
  const denied = alwaysDenied(fact);
  for (const address of [virtual.gateway.address, nth(virtual.prefix, HOST.nameserver), virtual.guest]) {
    const prefix = deniedBy(denied, address);
    if (prefix === undefined) continue;
    const params = {
      cidr: renderPrefix(virtual.prefix),
      address: renderAddress(address),
      prefix: renderPrefix(prefix),
    };
    throw new TsboxError("E_CIDR", params, because(profile, "network.cidr"));
  }
}

/** @throws TsboxError E_CIDR. */
export function virtualNetwork(profile: Profile, fact: NetworkFact): VirtualNetwork {
  const { cidr, dns, ipv6 } = profile.network;
  const prefix = cidr ?? freePrefix(fact);
  const gateway = nth(prefix, HOST.gateway);
  const virtual: VirtualNetwork = {
    prefix,
    guest: nth(prefix, HOST.guest),
    gateway: { address: gateway, hardware: hardwareOf(gateway) },
    nameserver: dns === undefined ? nth(prefix, HOST.nameserver) : undefined,
    six: ipv6 ? SIX : undefined,
  };
  checkNetwork(profile, fact, virtual);
  return virtual;
}
