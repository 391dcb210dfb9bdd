import { renderAddress, renderPrefix } from "../base/address.ts";
import { TsboxError } from "../errors/error.ts";
import type { HostFacts } from "../host/facts.ts";
import { ALWAYS, because, type Planned } from "../profile/because.ts";
import { PORT_LIMIT, renderPublish } from "../profile/network.ts";
import type { Profile, Publish } from "../profile/profile.ts";
import { planBackend } from "./backend.ts";
import { deniedBy, deniedPrefixes } from "./denied.ts";
import { type NameFiles, nameFiles } from "./names.ts";
import type { NetStep } from "./step.ts";
import { type VirtualNetwork, virtualNetwork } from "./virtual.ts";

/*
 * The network: theory of operation.
 *
 * `none` is a network namespace of its own, made with the others; init brings its loopback up, because many programs talk
 * to themselves over it, and that is all there is: no route, no other interface. A profile may leave that out too
 * (`network.loopback = false`). `host` shares the host's namespace.
 *
 * `user` is a namespace of its own with one device, tap0, behind which a program of the host (slirp4netns or pasta) makes
 * connections as the user. It is started by the supervisor while init builds the root: init hands its user and network
 * namespace over by a socket, the program enters them, makes the device, goes back to the host's network with it, and
 * shuts itself in. Ports that are published were tried before anything else; slirp4netns takes them through a control
 * socket in a tmpfs that is mounted nowhere. When all of that is done init hears of it, and fences the device in while it
 * still has the capabilities: routes to what must not be reached are made unreachable, the way out becomes the only
 * neighbour, and no other is looked for any more. The second matters because a program can name the device it sends
 * from (IP_PKTINFO, SO_BINDTODEVICE), and the kernel then takes for a neighbour whatever it has no route to: 127.0.0.1 as
 * well, from which the program behind tap0 would reach the host's.
 *
 * The payload has a user namespace of its own then, so that it has no capability in the one that owns the network.
 * Should the program end, the run ends. It ends with the supervisor (PR_SET_PDEATHSIG).
 */

type Step = Planned<NetStep>;

/** Steps of this section, by the place in a run that they belong to, and what the root file system is to show. */
export interface NetPlan {
  /** Before anything is made. */
  readonly before: readonly Step[];
  /** When the namespaces are there. */
  readonly connect: readonly Step[];
  /** Last of the set-up. */
  readonly finish: readonly Step[];
  readonly names: NameFiles;
}

const meets = (a: Publish, b: Publish): boolean =>
  a.protocol === b.protocol &&
  a.port < b.port + b.count &&
  b.port < a.port + a.count &&
  a.address.family === b.address.family &&
  [a, b].some(({ address }) => address.bytes.every((byte) => byte === 0) || sameAddress(a, b));

const sameAddress = (a: Publish, b: Publish): boolean => renderAddress(a.address) === renderAddress(b.address);

/** @throws TsboxError E_PUBLISH for one port twice, or more than can be. */
function checkPublish(profile: Profile): void {
  const { publish, mode } = profile.network;
  const refuse = (index: number, reason: string, fix: string): never => {
    const ports = publish[index] === undefined ? "a port" : renderPublish(publish[index]);
    throw new TsboxError("E_PUBLISH", { ports, reason, fix }, because(profile, `network.publish[${index}]`));
  };
  if (publish.length > 0 && mode !== "user") {
    const host = "the command's ports are the host's own: leave it out";
    refuse(0, `network.mode is ${mode}`, mode === "host" ? host : 'write mode = "user", or --network user');
  }
  for (const [i, each] of publish.entries()) {
    const other = publish.slice(0, i).find((before) => meets(before, each));
    if (other !== undefined) refuse(i, `${renderPublish(other)} has it already`, "publish each port of the host once");
  }
  const count = publish.reduce((sum, each) => sum + each.count, 0);
  if (count > PORT_LIMIT)
    refuse(publish.length - 1, `with it there are ${count} ports`, `publish at most ${PORT_LIMIT}`);
}

/** @throws TsboxError E_NETWORK_MODE, E_LOOPBACK, E_PUBLISH for keys that the mode cannot keep. */
function checkMode(profile: Profile): void {
  const { mode, loopback, denyPrivate } = profile.network;
  if (mode !== "none" && !loopback) throw new TsboxError("E_LOOPBACK", { mode }, because(profile, "network.loopback"));
  if ((mode === "host" || mode === "container") && denyPrivate) {
    throw new TsboxError("E_NETWORK_MODE", { mode }, because(profile, "network.deny_private"));
  }
  checkPublish(profile);
}

/** A name server that the fence keeps out would be a sandbox without names. @throws TsboxError E_NAMESERVER. */
function checkNameservers(profile: Profile, denied: ReturnType<typeof deniedPrefixes>): void {
  for (const [i, address] of (profile.network.dns ?? []).entries()) {
    const prefix = deniedBy(denied, address);
    if (prefix === undefined) continue;
    const params = { address: renderAddress(address), prefix: renderPrefix(prefix) };
    throw new TsboxError("E_NAMESERVER", params, because(profile, `network.dns[${i}]`));
  }
}

function planUser(profile: Profile, facts: HostFacts, virtual: VirtualNetwork): Omit<NetPlan, "names"> {
  const fact = facts.network;
  if (fact === undefined) throw new RangeError("nothing is known of the host's network");
  const service = planBackend(profile, fact, virtual);
  const denied = deniedPrefixes(profile, fact);
  checkNameservers(profile, denied);
  const { publish } = profile.network;
  const { control } = service.step;
  const mode = because(profile, "network.mode");
  const keyOf = (i: number) => because(profile, `network.publish[${i}]`);
  const published = control
    ? publish.map(
        (each, i): Step => ({ step: { op: "publish", publish: each, guest: virtual.guest }, because: keyOf(i) }),
      )
    : [];
  const { gateway, nameserver, six } = virtual;
  const ipv6 = because(profile, "network.ipv6");
  const gateways = [
    gateway,
    // Only where a program answers for it: otherwise it is the address of a machine outside.
    ...(nameserver === undefined ? [] : [{ ...gateway, address: nameserver }]),
    ...(six === undefined ? [] : [six.gateway]),
  ];
  const configured =
    six === undefined || service.step.backend !== "slirp4netns"
      ? []
      : [
          {
            step: { op: "network-address", guest: six.guest, gateway: six.gateway.address },
            because: ipv6,
          } as const,
        ];
  const fenceKey = profile.network.denyPrivate ? because(profile, "network.deny_private") : mode;
  return {
    before: [
      ...publish.map((each, i): Step => ({ step: { op: "check-ports", publish: each }, because: keyOf(i) })),
      { step: { op: "network-link" }, because: mode },
    ],
    connect: [
      ...(six === undefined ? [] : [{ step: { op: "no-duplicates" }, because: ipv6 } as const]),
      { step: { op: "hand-over-network", control, shared: profile.lifecycle.name !== undefined }, because: mode },
      service,
      ...published,
    ],
    finish: [
      { step: { op: "loopback" }, because: mode },
      { step: { op: "await-network", control }, because: ALWAYS },
      ...configured,
      { step: { op: "fence", denied, gateways }, because: fenceKey },
    ],
  };
}

/** What lets others join. The socket is named by a path of at most 107 bytes; unix(7). */
function planShare(profile: Profile, facts: HostFacts, { resolvConf }: NameFiles): Step[] {
  const { name } = profile.lifecycle;
  const { mode } = profile.network;
  const { running } = facts;
  if (name === undefined || running === undefined) return [];
  const why = because(profile, "lifecycle.name");
  const refuse = (reason: string, fix: string): never => {
    throw new TsboxError("E_NAME", { name, reason, fix }, why);
  };
  if (mode === "host") refuse("network.mode is host, a network that all have who want it", "leave the name out");
  if (Buffer.byteLength(`${running}/${name}`) > SOCKET_PATH)
    refuse(`${running}/${name} is too long for a socket`, "choose a shorter one, or another XDG_RUNTIME_DIR");
  const step = { op: "share-network", name, folder: running, joined: mode === "container" } as const;
  return [{ step: { ...step, network: mode, resolvConf }, because: why }];
}

const SOCKET_PATH = 107;

/** Of a network of its own with nothing behind it, which init hands over only to be shared. */
function planNone(profile: Profile, isShared: boolean): Omit<NetPlan, "names"> {
  const mode = because(profile, "network.mode");
  const up: Step[] = profile.network.loopback ? [{ step: { op: "loopback" }, because: mode }] : [];
  if (!isShared) return { before: [], connect: [], finish: up };
  const name = because(profile, "lifecycle.name");
  return {
    before: [{ step: { op: "network-link" }, because: name }],
    connect: [{ step: { op: "hand-over-network", control: false, shared: true }, because: name }],
    finish: [...up, { step: { op: "await-network", control: false }, because: ALWAYS }],
  };
}

function planJoin(profile: Profile, { other }: HostFacts): Omit<NetPlan, "names"> {
  if (other === undefined) throw new RangeError("nothing is known of the sandbox that is to be joined");
  const { name, socket } = other;
  const why = because(profile, "network.mode");
  return { before: [{ step: { op: "join-network", name, socket }, because: why }], connect: [], finish: [] };
}

function planMode(profile: Profile, facts: HostFacts, virtual: VirtualNetwork | undefined): Omit<NetPlan, "names"> {
  if (virtual !== undefined) return planUser(profile, facts, virtual);
  const { mode } = profile.network;
  if (mode === "container") return planJoin(profile, facts);
  return mode === "none"
    ? planNone(profile, profile.lifecycle.name !== undefined)
    : { before: [], connect: [], finish: [] };
}

/** @throws TsboxError for what the mode cannot keep, or the host has not. */
export function planNet(profile: Profile, facts: HostFacts): NetPlan {
  checkMode(profile);
  const { network } = facts;
  const virtual =
    profile.network.mode === "user" && network !== undefined ? virtualNetwork(profile, network) : undefined;
  const names = nameFiles(profile, facts, virtual);
  const { before, connect, finish } = planMode(profile, facts, virtual);
  return { before, connect, finish: [...finish, ...planShare(profile, facts, names)], names };
}
