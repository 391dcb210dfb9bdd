import { assertNever } from "../base/assert.ts";
import { TsboxError } from "../errors/error.ts";
import { because, type Planned } from "../profile/because.ts";
import type { Profile } from "../profile/profile.ts";
import { call, data, type Lowered, slot } from "../sys/call.ts";
import { INTERFACE, O } from "../sys/uapi.ts";

/*
 * The network: theory of operation.
 *
 * `none` is a network namespace of its own, made with the others; init brings its loopback up, because many programs talk
 * to themselves over it, and that is all there is: no route, no other interface. A profile may leave that out too
 * (`network.loopback = false`). `host` shares the host's namespace.
 */
export type NetStep = { readonly op: "loopback" };

export function describeNet(step: NetStep): string {
  switch (step.op) {
    case "loopback":
      return "bring the sandbox's own loopback up";
    default:
      return assertNever(step.op);
  }
}

/** @throws TsboxError E_LOOPBACK for a network of the host's without its loopback. */
export function planNet(profile: Profile): Planned<NetStep>[] {
  const { mode, loopback } = profile.network;
  if (mode === "host" && !loopback) throw new TsboxError("E_LOOPBACK", {}, because(profile, "network.loopback"));
  if (mode === "host" || !loopback) return [];
  return [{ step: { op: "loopback" }, because: because(profile, "network.mode") }];
}

const AF_INET = 2;
const SOCK_DGRAM = 2;
const IFNAMSIZ = 16;

/** struct ifreq of netdevice(7): name, then the flags. */
function loopbackUp(): Uint8Array {
  const request = Buffer.alloc(40);
  request.write("lo");
  request.writeUInt16LE(INTERFACE.IFF_UP | INTERFACE.IFF_RUNNING, IFNAMSIZ);
  return new Uint8Array(request);
}

export function lowerNet(step: NetStep): Lowered {
  switch (step.op) {
    case "loopback":
      return {
        init: [
          // SOCK_CLOEXEC is O_CLOEXEC; socket(2).
          call("socket", [AF_INET, SOCK_DGRAM | O.CLOEXEC, 0], { save: "socket", of: "AF_INET" }),
          call("ioctl", [slot("socket"), INTERFACE.SIOCSIFFLAGS, data(loopbackUp(), "{lo, IFF_UP|IFF_RUNNING}")], {
            of: "lo",
          }),
          call("close", [slot("socket")]),
        ],
      };
    default:
      return assertNever(step.op);
  }
}
