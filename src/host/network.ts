import { parseAddress } from "../base/address.ts";
import type { HostPath } from "../base/brand.ts";
import { mayAccess } from "../observe/file.ts";
import { networkAddresses } from "../observe/process.ts";
import type { NetworkFact } from "./facts.ts";
import { linkStatusOrNone } from "./path.ts";

const TUN = "/dev/net/tun";

function probeTun(): NetworkFact["tun"] {
  if (linkStatusOrNone(TUN) === undefined) return "missing";
  return mayAccess(TUN, "rw") ? "open" : "closed";
}

/** Every address that this machine answers to now, with the length of its network's prefix. */
function probeInterfaces(): NetworkFact["interfaces"] {
  return Object.values(networkAddresses()).flatMap((addresses = []) =>
    addresses.flatMap(({ address, cidr }) => {
      const parsed = parseAddress(address.replace(/%.*$/, ""));
      return parsed === undefined ? [] : [{ address: parsed, length: Number(cidr?.split("/")[1] ?? 0) }];
    }),
  );
}

export function probeNetwork(findProgram: (name: string) => HostPath | undefined): NetworkFact {
  return {
    interfaces: probeInterfaces(),
    backends: { slirp4netns: findProgram("slirp4netns"), pasta: findProgram("pasta") },
    tun: probeTun(),
  };
}
