import type { Address, Prefix } from "../base/address.ts";
import { INTERFACE_ADDRESS, NEIGHBOUR, NETLINK, ROUTE, RTM, RULE, SOCKET } from "../sys/uapi.ts";
import type { Gateway } from "./step.ts";

/** Requests to the kernel, one behind the other; netlink(7). */
export interface Requests {
  readonly bytes: Uint8Array;
  /** Where the index of the device belongs, an int each. */
  readonly devices: readonly number[];
}

/** A struct or attribute while it is put together; `devices` are offsets in it. */
interface Part {
  readonly bytes: readonly number[];
  readonly devices?: readonly number[];
}

const align = (n: number): number => 4 * Math.ceil(n / 4);
const u16 = (n: number): number[] => [n & 0xff, n >> 8];
const u32 = (n: number): number[] => [...u16(n & 0xffff), ...u16(n >>> 16)];
const DEVICE: Part = { bytes: u32(0), devices: [0] };

function joined(parts: readonly Part[]): Part {
  const bytes: number[] = [];
  const devices: number[] = [];
  for (const part of parts) {
    devices.push(...(part.devices ?? []).map((at) => bytes.length + at));
    bytes.push(...part.bytes, ...Array<number>(align(part.bytes.length) - part.bytes.length).fill(0));
  }
  return { bytes, devices };
}

/** struct rtattr and its value; its length does not count the padding. */
function attribute(type: number, { bytes, devices = [] }: Part): Part {
  return { bytes: [...u16(4 + bytes.length), ...u16(type), ...bytes], devices: devices.map((at) => 4 + at) };
}

/** struct nlmsghdr and what follows. Only the last one asks to be answered: errors are answered anyway, and before. */
function request(type: number, body: readonly Part[], isLast: boolean): Part {
  const { bytes, devices } = joined(body);
  const more = isLast ? NETLINK.NLM_F_ACK : 0;
  const flags = NETLINK.NLM_F_REQUEST | NETLINK.NLM_F_CREATE | NETLINK.NLM_F_REPLACE | more;
  const header: Part = { bytes: [...u32(16 + bytes.length), ...u16(type), ...u16(flags), ...u32(0), ...u32(0)] };
  return joined([header, { bytes, ...(devices === undefined ? {} : { devices }) }]);
}

const familyOf = ({ family }: { readonly family: 4 | 6 }): number => (family === 4 ? SOCKET.AF_INET : SOCKET.AF_INET6);

/** What a request asks for, and its body. */
type Wish = readonly [type: number, body: readonly Part[]];

/** A neighbour that need not be looked for. */
const neighbour = ({ address, hardware }: Gateway): Wish => [
  RTM.NEWNEIGH,
  [
    // struct ndmsg: family, index of the device, state
    { bytes: [familyOf(address), 0, 0, 0, ...u32(0), ...u16(NEIGHBOUR.NUD_PERMANENT), 0, 0], devices: [4] },
    attribute(NEIGHBOUR.NDA_DST, address),
    attribute(NEIGHBOUR.NDA_LLADDR, { bytes: hardware }),
  ],
];

/** No neighbour is looked for on the device any more: without requests there are no answers. */
function closeNeighbours(family: 4 | 6): Wish {
  const name = family === 4 ? "arp_cache" : "ndisc_cache";
  const settings = [
    attribute(NEIGHBOUR.NDTPA_IFINDEX, DEVICE),
    attribute(NEIGHBOUR.NDTPA_MCAST_PROBES, { bytes: u32(0) }),
  ];
  return [
    RTM.SETNEIGHTBL,
    [
      { bytes: [familyOf({ family }), 0, 0, 0] },
      attribute(NEIGHBOUR.NDTA_NAME, { bytes: [...Buffer.from(`${name}\0`)] }),
      attribute(NEIGHBOUR.NDTA_PARMS, joined(settings)),
    ],
  ];
}

/** struct rtmsg: family, length, of the source, tos, table, protocol, scope, type, flags; with its attributes. */
function route({ address, length }: Prefix, type: number, more: readonly Part[]): Wish {
  const { RT_TABLE_MAIN, RTPROT_STATIC, RTA_DST } = ROUTE;
  const head = { bytes: [familyOf(address), length, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, 0, type, ...u32(0)] };
  return [RTM.NEWROUTE, [head, attribute(RTA_DST, address), ...more]];
}

/** The first after the one for the machine's own addresses. */
const RULE_PRIORITY = 1;

/** struct fib_rule_hdr: family, length, of the source, tos, table, two unused, action, flags. */
function rule({ address, length }: Prefix, action: number): Wish {
  const head = { bytes: [familyOf(address), length, 0, 0, 0, 0, 0, action, ...u32(0)] };
  const { FRA_DST, FRA_PRIORITY } = RULE;
  return [RTM.NEWRULE, [head, attribute(FRA_DST, address), attribute(FRA_PRIORITY, { bytes: u32(RULE_PRIORITY) })]];
}

/**
 * What says no. A program that names the device itself goes around a route: IPv4 then takes the destination for a
 * neighbour, and IPv6 the next route that leads over the device, the default one in the end. A rule of IPv6 holds that too;
 * one of IPv4 does not.
 */
const deny = (prefix: Prefix): Wish =>
  prefix.address.family === 4 ? route(prefix, ROUTE.RTN_UNREACHABLE, []) : rule(prefix, RULE.FR_ACT_UNREACHABLE);

function render(wishes: readonly Wish[]): Requests {
  const parts = wishes.map(([type, body], i) => request(type, body, i === wishes.length - 1));
  const { bytes, devices = [] } = joined(parts);
  return { bytes: Uint8Array.from(bytes), devices };
}

/** What makes `denied` unreachable, and every neighbour but `gateways`; rtnetlink(7). */
export function fenceRequests(denied: readonly Prefix[], gateways: readonly Gateway[]): Requests {
  const families = ([4, 6] as const).filter((family) => gateways.some(({ address }) => address.family === family));
  return render([...gateways.map(neighbour), ...families.map(closeNeighbours), ...denied.map(deny)]);
}

/** Before a route that a router advertises, which has 1024. */
const METRIC = 512;

/** What gives the device an IPv6 address, at once, and the way out; rtnetlink(7). */
export function addressRequests({ address, length }: Prefix, gateway: Address): Requests {
  const { IFA_ADDRESS, IFA_LOCAL, IFA_F_NODAD } = INTERFACE_ADDRESS;
  const { RTN_UNICAST, RTA_PRIORITY, RTA_OIF, RTA_GATEWAY } = ROUTE;
  // struct ifaddrmsg: family, length, flags, scope, index of the device
  const head: Part = { bytes: [familyOf(address), length, IFA_F_NODAD, 0, ...u32(0)], devices: [4] };
  const everything: Prefix = { address: { family: 6, bytes: Array<number>(16).fill(0) }, length: 0 };
  return render([
    [RTM.NEWADDR, [head, attribute(IFA_LOCAL, address), attribute(IFA_ADDRESS, address)]],
    route(everything, RTN_UNICAST, [
      attribute(RTA_PRIORITY, { bytes: u32(METRIC) }),
      attribute(RTA_OIF, DEVICE),
      attribute(RTA_GATEWAY, gateway),
    ]),
  ]);
}
