import { type Address, type Prefix, renderAddress, renderPrefix } from "../base/address.ts";
import { assertNever } from "../base/assert.ts";
import type { HostPath } from "../base/brand.ts";
import { printable } from "../base/printable.ts";
import { renderPublish } from "../profile/network.ts";
import type { Backend, NetworkMode, Publish } from "../profile/profile.ts";

/** The way out of a sandbox's network, as the sandbox sees it. */
export interface Gateway {
  readonly address: Address;
  /** Six bytes. */
  readonly hardware: readonly number[];
}

export type NetStep =
  | { readonly op: "loopback" }
  /** The ports of the host can be had; told before anything is made. */
  | { readonly op: "check-ports"; readonly publish: Publish }
  | { readonly op: "network-link" }
  /** Addresses of IPv6 are used at once; otherwise not for the second that it takes to see whether somebody has them. */
  | { readonly op: "no-duplicates" }
  /** `control`: also a directory for the back end's control socket, which is nowhere on the host. */
  | { readonly op: "hand-over-network"; readonly control: boolean; readonly shared: boolean }
  /** Of the sandbox that listens on `socket`; src/net/share.ts. */
  | { readonly op: "join-network"; readonly name: string; readonly socket: HostPath }
  /** By that name, for sandboxes that join it; `joined`: it is itself that of another one. */
  | {
      readonly op: "share-network";
      readonly name: string;
      readonly folder: HostPath;
      readonly joined: boolean;
      readonly network: NetworkMode;
      readonly resolvConf: string;
    }
  | {
      readonly op: "network-service";
      readonly backend: Backend;
      readonly path: HostPath;
      readonly options: readonly string[];
      readonly control: boolean;
    }
  /** By slirp4netns' control socket; pasta has it from its options. */
  | { readonly op: "publish"; readonly publish: Publish; readonly guest: Address }
  | { readonly op: "await-network"; readonly control: boolean }
  /** Of IPv6, which slirp4netns leaves to an advertisement that comes at some time. */
  | { readonly op: "network-address"; readonly guest: Prefix; readonly gateway: Address }
  /** What is unreachable; `gateways` are the only neighbours. */
  | { readonly op: "fence"; readonly denied: readonly Prefix[]; readonly gateways: readonly Gateway[] };

/** The network device that the back ends make. */
export const DEVICE = "tap0";

function describeFence({ denied, gateways }: Extract<NetStep, { op: "fence" }>): string {
  const neighbours = gateways.map(({ address }) => renderAddress(address)).join(", ");
  return `make unreachable: ${denied.map(renderPrefix).join(", ")}; allow no neighbour but ${neighbours}`;
}

export function describeNet(step: NetStep): string {
  switch (step.op) {
    case "loopback":
      return "bring the sandbox's own loopback up";
    case "check-ports":
      return `prepare to publish ${renderPublish(step.publish)}`;
    case "network-link":
      return "make the socket that the sandbox's network is handed over by";
    case "no-duplicates":
      return "use IPv6 addresses at once (net.ipv6.conf.default.accept_dad = 0)";
    case "hand-over-network":
      return "hand the sandbox's network over to the supervisor";
    case "join-network":
      return `get the network of the sandbox ${step.name}`;
    case "share-network":
      return `be found as ${step.name} by sandboxes that join this network`;
    case "network-service":
      return `connect the sandbox's network by ${printable(step.path)} as ${step.backend}`;
    case "publish":
      return `publish ${renderPublish(step.publish)}`;
    case "await-network":
      return "wait until the sandbox's network is connected";
    case "network-address":
      return `give the sandbox the address ${renderPrefix(step.guest)} and the way out by ${renderAddress(step.gateway)}`;
    case "fence":
      return describeFence(step);
    default:
      return assertNever(step);
  }
}
