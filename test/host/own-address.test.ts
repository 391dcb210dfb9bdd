import { describe, expect, it } from "vitest";
import { renderPrefix } from "../../src/base/address.ts";
import { parseAddresses6, parseRoutes6, parseTrie, probeOwnAddresses } from "../../src/host/own-address.ts";

const TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 172.17.0.0/16 2 0 2
        |-- 172.17.0.0
           /16 link UNICAST
        |-- 172.17.0.1
           /32 host LOCAL
        |-- 172.17.255.255
           /32 link BROADCAST
Local:
     |-- 127.0.0.0
        /31 link UNICAST
        /8 host LOCAL
`;

/** A global address, a router's anycast, a link's prefix, a group, and a route to nowhere. */
const ROUTES6 = [
  "20010db8000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001     eth0",
  "20010db8000000000000000000000000 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000001 00000000 80300001     eth0",
  "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0",
  "ff000000000000000000000000000000 08 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000004 00000000 00000001     eth0",
  "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo",
  "",
].join("\n");

describe("this machine's addresses", () => {
  it("are the local and broadcast routes of IPv4", () =>
    expect(parseTrie(TRIE).map(renderPrefix)).toEqual(["172.17.0.1/32", "172.17.255.255/32", "127.0.0.0/8"]));

  it("are the local and anycast routes of IPv6", () =>
    expect(parseRoutes6(ROUTES6).map(renderPrefix)).toEqual(["2001:db8::1/128", "2001:db8::/128"]));

  it("are those as well that are not routed to yet", () =>
    expect(parseAddresses6("fe80000000000000d8a084fffe247eb2 02 40 20 40     eth0\n").map(renderPrefix)).toEqual([
      "fe80::d8a0:84ff:fe24:7eb2/128",
    ]));

  it("are found where this runs", () => expect(probeOwnAddresses(true).map(renderPrefix)).toContain("127.0.0.0/8"));
});
