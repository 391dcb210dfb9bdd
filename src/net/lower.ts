import { renderAddress } from "../base/address.ts";
import { assertNever } from "../base/assert.ts";
import type { Publish } from "../profile/profile.ts";
import {
  type Call,
  call,
  type Data,
  field,
  flags,
  JOINED,
  type Load,
  type Lowered,
  load,
  slot,
  startService,
} from "../sys/call.ts";
import { fdMessage } from "../sys/fd-message.ts";
import { AT, FSCONFIG, FSMOUNT, FSOPEN, INTERFACE, MSG, NETLINK, O, SOCKET } from "../sys/uapi.ts";
import { addressRequests, fenceRequests, type Requests } from "./netlink.ts";
import { joinNetwork, keepFds, SHARED, shareNetwork } from "./share.ts";
import { openSocket, pathAddress, tryPort } from "./socket.ts";
import { DEVICE, type NetStep } from "./step.ts";

const LINK = "network-link";
const READY = "network-ready";
/** In the directory that is handed over. */
export const CONTROL_SOCKET = "control";

const linkEnd = (end: "supervisor" | "init"): Load => load(LINK, end === "init" ? 4 : 0);
/** Of the supervisor: what init has handed over. */
const HANDED = fdMessage(3);
const HANDED_WITHOUT_CONTROL = fdMessage(2);
const handed = (control: boolean) => (control ? HANDED : HANDED_WITHOUT_CONTROL);

const IFNAMSIZ = 16;

/** struct ifreq of netdevice(7): the name, then what is asked or answered. */
function interfaceRequest(name: string, show: string, value = 0): Data {
  const request = Buffer.alloc(40);
  request.write(name);
  request.writeUInt16LE(value, IFNAMSIZ);
  return { bytes: new Uint8Array(request), show };
}

const askInterface = (request: keyof typeof INTERFACE, about: Data, name: string): Call[] => [
  openSocket(flags(SOCKET, "AF_INET"), flags(SOCKET, "SOCK_DGRAM"), "socket"),
  call("ioctl", [slot("socket"), flags(INTERFACE, request), { kind: "data", data: about }], { of: name }),
  call("close", [slot("socket")]),
];

function loopbackUp(): Call[] {
  const { IFF_UP, IFF_RUNNING } = INTERFACE;
  const request = interfaceRequest("lo", "{lo, IFF_UP|IFF_RUNNING}", IFF_UP | IFF_RUNNING);
  return askInterface("SIOCSIFFLAGS", request, "lo");
}

/** A tmpfs that is mounted nowhere: only who has its fd can reach it, and it is gone with the last of them. */
function makeControlDirectory(): Call[] {
  const fs = slot("control-fs");
  return [
    call("fsopen", ["tmpfs", flags(FSOPEN, "CLOEXEC")], { save: "control-fs", of: "tmpfs" }),
    call("fsconfig", [fs, flags(FSCONFIG, "SET_STRING"), "mode", "0700", 0], { of: "tmpfs mode" }),
    call("fsconfig", [fs, flags(FSCONFIG, "SET_STRING"), "size", "64k", 0], { of: "tmpfs size" }),
    call("fsconfig", [fs, flags(FSCONFIG, "CMD_CREATE"), 0, 0, 0], { of: "tmpfs" }),
    call("fsmount", [fs, flags(FSMOUNT, "CLOEXEC"), 0], { save: "control", of: "tmpfs" }),
    call("close", [fs]),
  ];
}

/** Init's own namespaces by fds: it is not dumpable any more, so nobody else can open them by its pid. */
function handOver(control: boolean, shared: boolean): Lowered {
  const sent = fdMessage(control ? 3 : 2);
  const names = ["user", "net"] as const;
  const open = names.map((name) =>
    call("openat", [AT.FDCWD, `/proc/self/ns/${name}`, O.CLOEXEC], { save: `${name}-ns`, of: `/proc/self/ns/${name}` }),
  );
  const slots = [...names.map((name) => `${name}-ns`), ...(control ? ["control"] : [])];
  const received = handed(control);
  return {
    init: [
      call("close", [linkEnd("supervisor")]),
      ...open,
      ...(control ? makeControlDirectory() : []),
      ...slots.map((name, i): Call => ({ op: "store", value: slot(name), into: sent.data, at: sent.at(i) })),
      call("sendmsg", [linkEnd("init"), sent.message, flags(MSG, "NOSIGNAL")], { of: "the network" }),
      ...slots.map((name) => call("close", [slot(name)])),
    ],
    host: [
      // Without the other end open, init's death ends the wait.
      call("close", [linkEnd("init")]),
      call("recvmsg", [linkEnd("supervisor"), received.message, flags(MSG, "CMSG_CLOEXEC")], {
        awaits: "init",
        of: "the network",
      }),
      ...(shared ? keepFds([received.fd(0), received.fd(1)], SHARED) : []),
    ],
  };
}

interface BackendFds {
  readonly user: Load;
  readonly network: Load;
  readonly ready: Load;
}

/** As 0, 1, 3, 4, …: slirp4netns prints to its fd 1, and pasta closes what it finds from 3 on (since 2024). */
const GIVEN_FDS = {
  slirp4netns: ({ user, network, ready }: BackendFds) => [undefined, undefined, user, network, ready] as const,
  pasta: ({ user, network, ready }: BackendFds) => [network, ready, user] as const,
};

function startBackend({ backend, path, options, control }: Extract<NetStep, { op: "network-service" }>): Call[] {
  const { fd } = handed(control);
  const service = {
    path,
    argv: [backend, ...options],
    env: ["PATH=/usr/bin:/bin"],
    entersUser: true,
    ready: load(READY, 0),
  };
  return [
    ...(control ? [call("fchdir", [fd(2)], { of: "the control directory" })] : []),
    call("pipe2", [{ kind: "buffer", name: READY, size: 8 }, O.CLOEXEC]),
    ...startService(GIVEN_FDS[backend]({ user: fd(0), network: fd(1), ready: load(READY, 4) }), service),
    ...[load(READY, 0), load(READY, 4), ...(control ? [fd(2)] : [])].map((each) => call("close", [each])),
  ];
}

/** slirp4netns(1), API SOCKET: an answer begins with {"return" or with {"error". */
const ANSWER = Buffer.from('{"return"').readInt32LE();

function publishPort({ protocol, address, port, inner }: Publish, guest: string): Call[] {
  const socket = slot("control");
  const to = pathAddress(CONTROL_SOCKET);
  const request = JSON.stringify({
    execute: "add_hostfwd",
    arguments: {
      proto: protocol,
      host_addr: renderAddress(address),
      host_port: port,
      guest_addr: guest,
      guest_port: inner,
    },
  });
  const of = `${renderAddress(address)}:${port}`;
  return [
    openSocket(flags(SOCKET, "AF_UNIX"), flags(SOCKET, "SOCK_STREAM"), "control"),
    call("connect", [socket, to.value, to.length], { of }),
    call("write", [socket, request, Buffer.byteLength(request)], { exact: true, of }),
    call("read", [socket, { kind: "buffer", name: "control-answer", size: 512 }, 512], { awaits: "service", of }),
    { op: "check", answer: load("control-answer", 0), expected: ANSWER },
    call("close", [socket]),
  ];
}

/** The published ports one by one. */
const portsOf = (publish: Publish): Publish[] =>
  Array.from({ length: publish.count }, (_, i) => ({
    ...publish,
    port: publish.port + i,
    inner: publish.inner + i,
    count: 1,
  }));

/** Where the answer to a request has its errno: struct nlmsghdr, then that of struct nlmsgerr. */
const ERROR_AT = 16;

/** Sends requests about the device in one message, and looks at the answer to the last. */
function askKernel({ bytes, devices }: Requests, show: string): Call[] {
  const requests: Data = { bytes, show };
  const device = interfaceRequest(DEVICE, DEVICE);
  const netlink = slot("netlink");
  const of = "NETLINK_ROUTE";
  const type = flags(SOCKET, "SOCK_RAW", "SOCK_CLOEXEC");
  return [
    ...askInterface("SIOCGIFINDEX", device, DEVICE),
    ...devices.map((at): Call => ({ op: "store", value: field(device, IFNAMSIZ), into: requests, at })),
    call("socket", [flags(SOCKET, "AF_NETLINK"), type, flags(NETLINK, "NETLINK_ROUTE")], { save: "netlink", of }),
    call("write", [netlink, { kind: "data", data: requests }, bytes.length], { exact: true, of }),
    call("read", [netlink, { kind: "buffer", name: "netlink-answer", size: 4096 }, 4096], { of }),
    { op: "check", answer: load("netlink-answer", ERROR_AT), expected: 0 },
    call("close", [netlink]),
  ];
}

/** Of the devices of this process's network, also by the host's proc; where that is read-only, IPv6 begins a second later. */
function skipDuplicates(): Call[] {
  const path = "/proc/sys/net/ipv6/conf/default/accept_dad";
  const of = "net.ipv6.conf.default.accept_dad";
  const tolerate = ["EROFS", "EACCES", "EBADF"] as const;
  return [
    call("openat", [AT.FDCWD, path, O.WRONLY | O.CLOEXEC], { save: "accept-dad", of, tolerate }),
    call("write", [slot("accept-dad"), "0", 1], { of, tolerate }),
    call("close", [slot("accept-dad")], { of, tolerate }),
  ];
}

export function lowerNet(step: NetStep): Lowered {
  switch (step.op) {
    case "loopback":
      return { init: loopbackUp() };
    case "check-ports":
      return { host: portsOf(step.publish).flatMap(({ protocol, address, port }) => tryPort(protocol, address, port)) };
    case "network-link": {
      const type = flags(SOCKET, "SOCK_STREAM", "SOCK_CLOEXEC");
      const pair = { kind: "buffer", name: LINK, size: 8 } as const;
      return { host: [call("socketpair", [flags(SOCKET, "AF_UNIX"), type, 0, pair])] };
    }
    case "no-duplicates":
      return { init: skipDuplicates() };
    case "hand-over-network":
      return handOver(step.control, step.shared);
    case "join-network":
      return { host: joinNetwork(step.socket, JOINED) };
    case "share-network": {
      const { folder, name, joined, network, resolvConf } = step;
      return shareNetwork(folder, name, { network, resolv_conf: resolvConf }, joined ? JOINED : SHARED);
    }
    case "network-service":
      return { host: startBackend(step) };
    case "publish": {
      const guest = renderAddress(step.guest);
      return { host: portsOf(step.publish).flatMap((port) => publishPort(port, guest)) };
    }
    case "await-network":
      return {
        host: [
          ...(step.control ? [call("chdir", ["/"], { of: "/" })] : []),
          call("write", [linkEnd("supervisor"), "n", 1], { exact: true, of: "the network" }),
          call("close", [linkEnd("supervisor")]),
          ...[0, 1].map((i) => call("close", [handed(step.control).fd(i)])),
        ],
        init: [
          call("read", [linkEnd("init"), { kind: "buffer", name: "network-byte", size: 8 }, 1], {
            exact: true,
            of: "the network",
          }),
          call("close", [linkEnd("init")]),
        ],
      };
    case "network-address":
      return { init: askKernel(addressRequests(step.guest, step.gateway), "1 address, 1 route") };
    case "fence": {
      const { denied, gateways } = step;
      const show = `${gateways.length} neighbours, ${denied.length} routes`;
      return { init: askKernel(fenceRequests(denied, gateways), show) };
    }
    default:
      return assertNever(step);
  }
}
