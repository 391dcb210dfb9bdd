import { accessSync, constants } from "node:fs";
import { networkInterfaces } from "node:os";
import { parseAddress } from "../base/address.ts";
import type { HostPath } from "../base/brand.ts";
import type { NetworkFact } from "./facts.ts";
import { lstatOrNone } from "./path.ts";

const TUN = "/dev/net/tun";

function probeTun(): NetworkFact["tun"] {
  if (lstatOrNone(TUN) === undefined) return "missing";
  try {
    accessSync(TUN, constants.R_OK | constants.W_OK);
    return "open";
  } catch {
    return "closed";
  }
}

/** Every address that this machine answers to now, with the length of its network's prefix. */
function probeInterfaces(): NetworkFact["interfaces"] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
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
