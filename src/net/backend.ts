import { renderAddress, renderPrefix } from "../base/address.ts";
import { TsboxError } from "../errors/error.ts";
import type { NetworkFact } from "../host/facts.ts";
import { because, type Planned } from "../profile/because.ts";
import { renderPublish } from "../profile/network.ts";
import type { Backend, Profile, Publish } from "../profile/profile.ts";
import { CONTROL_SOCKET } from "./lower.ts";
import { DEVICE, type NetStep } from "./step.ts";
import type { VirtualNetwork } from "./virtual.ts";

type Service = Extract<NetStep, { op: "network-service" }>;

/** The fds that the launcher gives it; src/net/lower.ts. */
const NETWORK_FD = "/proc/self/fd/4";
const READY_FD = 5;

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
    `--ready-fd=${READY_FD}`,
    "--netns-type=path",
    NETWORK_FD,
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
    ...["--pid", `/proc/self/fd/${READY_FD}`],
    ...["--no-netns-quit", "--netns-only", "--netns", NETWORK_FD],
  ];
}

const OPTIONS = { slirp4netns, pasta } as const;
/** In the order of preference. */
const BACKENDS = ["slirp4netns", "pasta"] as const;
const OTHER: Readonly<Record<Backend, Backend>> = { slirp4netns: "pasta", pasta: "slirp4netns" };
const PACKAGES: Readonly<Record<Backend, string>> = { slirp4netns: "slirp4netns", pasta: "passt" };

const isPublishedOn6 = ({ network }: Profile): Publish | undefined =>
  network.publish.find(({ address }) => address.family === 6);

/** What the profile asks for that one of the programs cannot; undefined: it can. */
function faultOf(profile: Profile, backend: Backend, other: string): TsboxError | undefined {
  const six = isPublishedOn6(profile);
  if (backend === "slirp4netns" && six !== undefined) {
    const reason = "slirp4netns publishes on IPv4 addresses only";
    const fix = `${other}, or publish on an IPv4 address`;
    return new TsboxError("E_PUBLISH", { ports: renderPublish(six), reason, fix }, because(profile, "network.publish"));
  }
  if (backend === "pasta" && profile.network.denyPrivate)
    return new TsboxError("E_DENY_PRIVATE", { fix: other }, because(profile, "network.deny_private"));
  return undefined;
}

/** Which of the programs it is to be. @throws TsboxError E_BACKEND, E_PUBLISH, E_DENY_PRIVATE. */
function chooseBackend(profile: Profile, { backends }: NetworkFact): Backend {
  const { backend } = profile.network;
  const why = because(profile, "network.backend");
  if (backend !== "auto") {
    const fault = faultOf(profile, backend, `write backend = "${OTHER[backend]}"`);
    if (fault !== undefined) throw fault;
    if (backends[backend] !== undefined) return backend;
    throw new TsboxError("E_BACKEND", { missing: `${backend} is not installed`, package: PACKAGES[backend] }, why);
  }
  const wanted = BACKENDS.filter((name) => faultOf(profile, name, "") === undefined);
  const [first] = wanted;
  if (first === undefined) {
    const fix = "leave network.deny_private out, or publish on an IPv4 address";
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
