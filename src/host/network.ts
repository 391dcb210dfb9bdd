import type { HostPath } from "../base/brand.ts";
import type { NetworkFact } from "./facts.ts";
import { probeNode } from "./node.ts";
import { probeOwnAddresses } from "./own-address.ts";

/** @param ipv6 Whether the sandbox has it: without it, this machine's IPv6 addresses are out of its reach. */
export function probeNetwork(findProgram: (name: string) => HostPath | undefined, ipv6: boolean): NetworkFact {
  return {
    own: probeOwnAddresses(ipv6),
    backends: { slirp4netns: findProgram("slirp4netns"), pasta: findProgram("pasta") },
    tun: probeNode("/dev/net/tun"),
  };
}
