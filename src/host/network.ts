import type { HostPath } from "../base/brand.ts";
import { mayAccess } from "../observe/file.ts";
import type { NetworkFact } from "./facts.ts";
import { probeOwnAddresses } from "./own-address.ts";
import { linkStatusOrNone } from "./path.ts";

const TUN = "/dev/net/tun";

function probeTun(): NetworkFact["tun"] {
  if (linkStatusOrNone(TUN) === undefined) return "missing";
  return mayAccess(TUN, "rw") ? "open" : "closed";
}

/** @param ipv6 Whether the sandbox has it: without it, this machine's IPv6 addresses are out of its reach. */
export function probeNetwork(findProgram: (name: string) => HostPath | undefined, ipv6: boolean): NetworkFact {
  return {
    own: probeOwnAddresses(ipv6),
    backends: { slirp4netns: findProgram("slirp4netns"), pasta: findProgram("pasta") },
    tun: probeTun(),
  };
}
