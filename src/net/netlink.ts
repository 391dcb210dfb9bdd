import { addressBits, type Prefix } from "../base/address.ts";
import { NEIGHBOUR, NETLINK, ROUTE, RTM, SOCKET } from "../sys/uapi.ts";
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

/** A neighbour that need not be looked for. */
const neighbour = ({ address, hardware }: Gateway): [number, Part[]] => [
  RTM.NEWNEIGH,
  [
    // struct ndmsg: family, index of the device, state
    { bytes: [familyOf(address), 0, 0, 0, ...u32(0), ...u16(NEIGHBOUR.NUD_PERMANENT), 0, 0], devices: [4] },
    attribute(NEIGHBOUR.NDA_DST, address),
    attribute(NEIGHBOUR.NDA_LLADDR, { bytes: hardware }),
  ],
];

/** No neighbour is looked for on the device any more: without requests there are no answers. */
function closeNeighbours(family: 4 | 6): [number, Part[]] {
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

/** IPv6 keeps routes of one prefix apart by this; the lower one is taken. */
const FIRST = 1;
const SECOND = 4096;

/** struct rtmsg: family, length, of the source, tos, table, protocol, scope, type, flags; with its attributes. */
function route({ address, length }: Prefix, type: number, more: readonly Part[]): [number, Part[]] {
  const { RT_TABLE_MAIN, RTPROT_STATIC, RTA_DST } = ROUTE;
  const head = { bytes: [familyOf(address), length, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, 0, type, ...u32(0)] };
  return [RTM.NEWROUTE, [head, attribute(RTA_DST, address), ...more]];
}

/**
 * A route that says no. A program that names the device itself goes around it: IPv4 then takes the destination for a
 * neighbour, and IPv6 the next route that leads over the device, so there is one that takes it for a neighbour too.
 */
function deny(prefix: Prefix): [number, Part[]][] {
  const { RTN_UNREACHABLE, RTN_UNICAST, RTA_PRIORITY, RTA_OIF } = ROUTE;
  if (addressBits(prefix.address) === 32) return [route(prefix, RTN_UNREACHABLE, [])];
  const priority = (n: number): Part => attribute(RTA_PRIORITY, { bytes: u32(n) });
  return [
    route(prefix, RTN_UNREACHABLE, [priority(FIRST)]),
    route(prefix, RTN_UNICAST, [priority(SECOND), attribute(RTA_OIF, DEVICE)]),
  ];
}

/** What makes `denied` unreachable, and every neighbour but `gateways`; rtnetlink(7). */
export function fenceRequests(denied: readonly Prefix[], gateways: readonly Gateway[]): Requests {
  const requests = [...gateways.map(neighbour), closeNeighbours(4), closeNeighbours(6), ...denied.flatMap(deny)];
  const parts = requests.map(([type, body], i) => request(type, body, i === requests.length - 1));
  const { bytes, devices = [] } = joined(parts);
  return { bytes: Uint8Array.from(bytes), devices };
}
