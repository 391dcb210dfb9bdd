import type { HostPath } from "../base/brand.ts";
import { type Call, call, type Data, field, flags, type Load, slot } from "../sys/call.ts";
import { type FdMessage, fdMessage } from "../sys/fd-message.ts";
import { AT, F, LOCK, MSG, O, SOCKET } from "../sys/uapi.ts";
import { openSocket, pathAddress } from "./socket.ts";

/*
 * A network that another sandbox joins: theory of operation.
 *
 * A sandbox with a name listens on a socket of that name, which lies in a directory of the user's. Its supervisor hands its
 * user namespace and its network to whoever connects, from the moment on at which the set-up is over: the fence stands. Only the
 * user gets to the socket, and nobody listens on it any more when the supervisor is dead, however it died.
 *
 * Who may enter a network is who has CAP_SYS_ADMIN in the user namespace that owns it, and in his own. The sandbox that
 * joins gets it as the owner of the first, by entering it; it makes its own user namespace below from there (src/launcher/join.c).
 * In that it has all capabilities, over its own mounts and processes, and none in the one above. The limit of user namespaces
 * is what a sandbox with a name has more of, and so its payload, which is in a namespace of its own, has a limit there.
 */

/** Slots of the namespaces that are handed out. */
export const SHARED = { user: "shared-user", net: "shared-net" } as const;
type Slots = Readonly<Record<keyof typeof SHARED, string>>;

/** Copies of the fds that came, in slots. */
export const keepFds = (fds: readonly [Load, Load], names: Slots): Call[] =>
  [names.user, names.net].map((save, i) =>
    call("fcntl", [fds[i] ?? -1, flags(F, "DUPFD_CLOEXEC"), 0], { save, of: "the network" }),
  );

/** What a sandbox says of itself: JSON, of which the first four bytes tell whether it is one. */
const MAGIC = '{"ts';
const record = (about: Readonly<Record<string, unknown>>): Data => {
  const text = JSON.stringify({ tsbox: 1, ...about });
  return { bytes: new Uint8Array(Buffer.from(text)), show: text };
};

const LISTENER = "share";
const SHARED_HERE = "shared";
const BACKLOG = 16;

/** Calls of the supervisor, and what it does at the end. */
export function shareNetwork(folder: HostPath, name: string, about: Readonly<Record<string, unknown>>, fds: Slots) {
  const path = `${folder}/${name}`;
  const { value, length } = pathAddress(path);
  const sent: FdMessage = fdMessage(2, record(about));
  const directory = slot("running");
  const host: Call[] = [
    call("openat", [AT.FDCWD, folder, O.CLOEXEC], { save: "running", of: folder }),
    // Whoever removes what nobody listens on holds it: between bind(2) and listen(2) nobody does.
    call("flock", [directory, flags(LOCK, "EX", "NB")], { awaits: "lock", of: folder }),
    openSocket(flags(SOCKET, "AF_UNIX"), flags(SOCKET, "SOCK_STREAM", "SOCK_NONBLOCK"), LISTENER),
    call("bind", [slot(LISTENER), value, length], { save: SHARED_HERE, of: path }),
    call("listen", [slot(LISTENER), BACKLOG], { of: path }),
    call("flock", [directory, flags(LOCK, "UN")], { of: folder }),
    ...[fds.user, fds.net].map(
      (each, i): Call => ({
        op: "store",
        value: slot(each),
        into: sent.data,
        at: sent.at(i),
      }),
    ),
    { op: "share", socket: slot(LISTENER), message: sent.message.data },
  ];
  // Its flags are what bind(2) returned, 0: without that the name is another's.
  return { host, after: [call("unlinkat", [directory, name, slot(SHARED_HERE)], { of: path })] };
}

/** Gets the namespaces of the sandbox that listens there. */
export function joinNetwork(path: HostPath, fds: Slots): Call[] {
  const { value, length } = pathAddress(path);
  const socket = slot("join");
  const text: Data = { bytes: new Uint8Array(MAGIC.length), show: `[${MAGIC.length}]` };
  const received = fdMessage(2, text);
  const both = [received.fd(0), received.fd(1)] as const;
  return [
    openSocket(flags(SOCKET, "AF_UNIX"), flags(SOCKET, "SOCK_STREAM", "SOCK_NONBLOCK"), "join"),
    call("connect", [socket, value, length], { of: path }),
    call("recvmsg", [socket, received.message, flags(MSG, "CMSG_CLOEXEC")], { awaits: "service", of: path }),
    { op: "check", answer: field(text, 0), expected: Buffer.from(MAGIC).readInt32LE() },
    ...keepFds(both, fds),
    ...[...both, socket].map((fd) => call("close", [fd])),
  ];
}
