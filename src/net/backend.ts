import { type Address, renderAddress, renderPrefix } from "../base/address.ts";
import { TsboxError } from "../errors/error.ts";
import type { NetworkFact } from "../host/facts.ts";
import { because, type Planned } from "../profile/because.ts";
import { renderPublish } from "../profile/network.ts";
import type { Backend, Profile, Publish } from "../profile/profile.ts";
import { CONTROL_SOCKET } from "./lower.ts";
import { DEVICE, type NetStep } from "./step.ts";
import type { VirtualNetwork } from "./virtual.ts";

type Service = Extract<NetStep, { op: "network-service" }>;

/** What the launcher gives them as which fds; src/net/lower.ts. */
const FDS = { slirp4netns: { network: 4, ready: 5 }, pasta: { network: 0, ready: 1 } } as const;
const fdPath = (fd: number): string => `/proc/self/fd/${fd}`;

const MTU = 65_520;

/** slirp4netns(1). It has entered the user namespace already, where it is root, or its own sandbox would fail. */
function slirp4netns(profile: Profile, virtual: VirtualNetwork): string[] {
  const { ipv6, publish, outboundAddress } = profile.network;
  const outbound = outboundAddress?.family === 6 ? "outbound-addr6" : "outbound-addr";
  return [
    "--configure",
    `--mtu=${MTU}`,
    `--cidr=${renderPrefix(virtual.prefix)}`,
    "--disable-host-loopback",
    "--enable-sandbox",
    "--enable-seccomp",
    ...(ipv6 ? ["--enable-ipv6"] : []),
    ...(virtual.nameserver === undefined ? ["--disable-dns"] : []),
    ...(outboundAddress === undefined ? [] : [`--${outbound}=${renderAddress(outboundAddress)}`]),
    ...(publish.length > 0 ? [`--api-socket=${CONTROL_SOCKET}`] : []),
    `--ready-fd=${FDS.slirp4netns.ready}`,
    "--netns-type=path",
    fdPath(FDS.slirp4netns.network),
    DEVICE,
  ];
}

/** "127.0.0.1/8000-8010:80-90", as passt(1) has them. */
function spec({ address, port, inner, count }: Publish): string {
  const range = (first: number) => (count === 1 ? `${first}` : `${first}-${first + count - 1}`);
  return `${renderAddress(address)}/${range(port)}:${range(inner)}`;
}

/** passt(1). Nothing is forwarded that is not asked for, neither way; it says its pid when it is ready. */
function pasta(profile: Profile, virtual: VirtualNetwork): string[] {
  const { publish, outboundAddress } = profile.network;
  const { six } = virtual;
  const ports = (protocol: Publish["protocol"], option: string): string[] => {
    const specs = publish.filter((each) => each.protocol === protocol).map(spec);
    return specs.length === 0 ? [option, "none"] : specs.flatMap((each) => [option, each]);
  };
  const hardware = virtual.gateway.hardware.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  return [
    "--foreground",
    "--quiet",
    "--config-net",
    ...["--ns-ifname", DEVICE, "--mtu", `${MTU}`],
    ...["--address", renderAddress(virtual.guest), "--netmask", `${virtual.prefix.length}`],
    ...["--gateway", renderAddress(virtual.gateway.address), "--mac-addr", hardware],
    "--no-map-gw",
    ...(six === undefined
      ? ["--ipv4-only"]
      : ["--address", renderAddress(six.guest.address), "--gateway", renderAddress(six.gateway.address)]),
    ...(virtual.nameserver === undefined ? ["--dns", "none"] : ["--dns-forward", renderAddress(virtual.nameserver)]),
    ...(outboundAddress === undefined ? [] : ["--outbound", renderAddress(outboundAddress)]),
    ...ports("tcp", "-t"),
    ...ports("udp", "-u"),
    ...["-T", "none", "-U", "none"],
    ...["--pid", fdPath(FDS.pasta.ready)],
    ...["--no-netns-quit", "--netns-only", "--netns", fdPath(FDS.pasta.network)],
  ];
}

const OPTIONS = { slirp4netns, pasta } as const;
/** In the order of preference. */
const BACKENDS = ["slirp4netns", "pasta"] as const;
const PACKAGES: Readonly<Record<Backend, string>> = { slirp4netns: "slirp4netns", pasta: "passt" };

const isLoopback = ({ family, bytes }: Address): boolean =>
  family === 4 ? bytes[0] === 127 : bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));

const isOwnDatagram = ({ address, protocol }: Publish): boolean => protocol === "udp" && isLoopback(address);

/**
 * Why a program cannot publish something, and what can. Datagrams of this machine have the way out as their sender with slirp4netns,
 * and an answer to that would be one to this machine's loopback; pasta gives them a socket on the sandbox's own loopback. Its
 * version of Debian 12 loses them on the way to a port below the host's; it does not tell its version.
 */
const UNPUBLISHABLE: Readonly<Record<Backend, (publish: Publish) => readonly [string, string] | undefined>> = {
  slirp4netns: (publish) => {
    const fix = 'write backend = "pasta"';
    if (publish.address.family === 6) return ["slirp4netns publishes on IPv4 addresses only", fix];
    return isOwnDatagram(publish) ? ["slirp4netns cannot bring answers back to this machine itself", fix] : undefined;
  },
  pasta: (publish) => {
    if (!isOwnDatagram(publish) || publish.port <= publish.inner) return undefined;
    const same = renderPublish({ ...publish, port: publish.inner });
    return ["pasta may lose datagrams on the way to a port below the host's", `publish it as ${same}`];
  },
};

/** What the profile asks for that one of the programs cannot; undefined: it can. */
function faultOf(profile: Profile, backend: Backend): TsboxError | undefined {
  const { denyPrivate, publish } = profile.network;
  if (backend === "pasta" && denyPrivate) {
    const params = { fix: 'write backend = "slirp4netns"' };
    return new TsboxError("E_DENY_PRIVATE", params, because(profile, "network.deny_private"));
  }
  for (const [i, each] of publish.entries()) {
    const [reason, fix] = UNPUBLISHABLE[backend](each) ?? [];
    if (reason === undefined || fix === undefined) continue;
    const params = { ports: renderPublish(each), reason, fix };
    return new TsboxError("E_PUBLISH", params, because(profile, `network.publish[${i}]`));
  }
  return undefined;
}

/** Which of the programs it is to be. @throws TsboxError E_BACKEND, E_PUBLISH, E_DENY_PRIVATE. */
function chooseBackend(profile: Profile, { backends }: NetworkFact): Backend {
  const { backend } = profile.network;
  const why = because(profile, "network.backend");
  if (backend !== "auto") {
    const fault = faultOf(profile, backend);
    if (fault !== undefined) throw fault;
    if (backends[backend] !== undefined) return backend;
    throw new TsboxError("E_BACKEND", { missing: `${backend} is not installed`, package: PACKAGES[backend] }, why);
  }
  const wanted = BACKENDS.filter((name) => faultOf(profile, name) === undefined);
  const [first] = wanted;
  if (first === undefined && !profile.network.denyPrivate) throw faultOf(profile, "pasta");
  if (first === undefined) {
    const fix = "leave network.deny_private out, or publish what slirp4netns can: TCP, on an IPv4 address";
    throw new TsboxError("E_DENY_PRIVATE", { fix }, because(profile, "network.deny_private"));
  }
  const found = wanted.find((name) => backends[name] !== undefined);
  if (found !== undefined) return found;
  const missing = wanted.length > 1 ? "neither slirp4netns nor pasta is installed" : `${first} is not installed`;
  throw new TsboxError("E_BACKEND", { missing, package: PACKAGES[first] }, why);
}

const TUN = {
  missing: { state: "does not exist", action: "modprobe tun; in a container, start it with --device /dev/net/tun" },
  closed: { state: "is not open to you", action: "chmod 0666 /dev/net/tun" },
} as const;

/** The program behind the network. @throws TsboxError E_BACKEND, E_PUBLISH, E_DENY_PRIVATE, E_TUN. */
export function planBackend(profile: Profile, fact: NetworkFact, virtual: VirtualNetwork): Planned<Service> {
  const backend = chooseBackend(profile, fact);
  const path = fact.backends[backend];
  if (path === undefined) throw new RangeError(`${backend} was chosen without being there`);
  if (fact.tun !== "open") throw new TsboxError("E_TUN", TUN[fact.tun], because(profile, "network.mode"));
  const options = OPTIONS[backend](profile, virtual);
  const control = backend === "slirp4netns" && profile.network.publish.length > 0;
  return {
    step: { op: "network-service", backend, path, options, control },
    because: because(profile, profile.network.backend === "auto" ? "network.mode" : "network.backend"),
  };
}
