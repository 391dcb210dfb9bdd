import { type Call, call, type Data, flags, slot, type Value } from "../sys/call.ts";
import { AT, F, MSG, O, SOCKET, TERMINAL } from "../sys/uapi.ts";

/*
 * A terminal of the command's own: theory of operation.
 *
 * Init opens a pseudoterminal in the sandbox's devpts, makes its command end the controlling terminal of its own session,
 * and sends the master end to the supervisor, which relays between it and the user's terminal; src/launcher/terminal.c.
 * The payload gets the command's end as its three standard streams, in a process group of its own in the foreground.
 *
 * The session is init's, not the payload's: the payload's group has then a parent in its session, is no orphan, and
 * Ctrl-Z stops it. The supervisor hears of it and stops as well, so that the shell outside has a stopped job.
 */

/** The slot of the supervisor that holds the master end. */
export const TERMINAL_SLOT = "terminal";

const LINK = "terminal-link";
const MASTER = "master";
const COMMAND_END = "command-end";

const ioctl = (fd: Value, request: keyof typeof TERMINAL, argument: Value): Call =>
  call("ioctl", [fd, flags(TERMINAL, request), argument], { of: request });

const int = (value: number): Data => ({ bytes: new Uint8Array(Int32Array.of(value).buffer), show: `[${value}]` });

/** Where the fd lies in a control message of one fd; cmsg(3). */
const CONTROL_FD = 16;

/** struct cmsghdr with one fd, padded; -1 until something is stored there. */
function controlMessage(): Data {
  const length = CONTROL_FD + 4;
  const bytes = new Uint8Array(Int32Array.of(length, 0, SOCKET.SOL_SOCKET, SOCKET.SCM_RIGHTS, -1, 0).buffer);
  return { bytes, show: "{SCM_RIGHTS, [fd]}" };
}

/** struct msghdr of one byte and that control message; recvmsg(2). */
function message(control: Data): Value {
  const byte: Data = { bytes: new Uint8Array(1), show: "[0]" };
  const vector: Data = {
    bytes: new Uint8Array(BigInt64Array.of(0n, 1n).buffer),
    pointers: [{ at: 0, to: byte }],
    show: "{1 byte}",
  };
  const size = BigInt(control.bytes.length);
  return {
    kind: "data",
    data: {
      bytes: new Uint8Array(BigInt64Array.of(0n, 0n, 0n, 1n, 0n, size, 0n).buffer),
      pointers: [
        { at: 16, to: vector },
        { at: 32, to: control },
      ],
      show: `{1 byte, control=${control.show}}`,
    },
  };
}

const linkEnd = (end: "supervisor" | "init"): Value => ({ kind: "load", name: LINK, at: end === "init" ? 4 : 0 });

/** In the supervisor, before init is made: the socket that the master end comes through. */
export function makeLink(): Call[] {
  const type = flags(SOCKET, "SOCK_STREAM", "SOCK_CLOEXEC");
  return [call("socketpair", [flags(SOCKET, "AF_UNIX"), type, 0, { kind: "buffer", name: LINK, size: 8 }])];
}

/** In init, inside the new root. */
export function openTerminal(): Call[] {
  const control = controlMessage();
  return [
    call("openat", [AT.FDCWD, "/dev/pts/ptmx", flags(O, "RDWR", "NOCTTY", "CLOEXEC")], {
      save: MASTER,
      of: "/dev/pts/ptmx",
    }),
    ioctl(slot(MASTER), "TIOCSPTLCK", { kind: "data", data: int(0) }),
    // Not by its name, which would be looked up.
    call("ioctl", [slot(MASTER), flags(TERMINAL, "TIOCGPTPEER"), flags(O, "RDWR", "NOCTTY", "CLOEXEC")], {
      save: COMMAND_END,
      of: "TIOCGPTPEER",
    }),
    ioctl(slot(COMMAND_END), "TIOCSCTTY", 0),
    { op: "store", slot: MASTER, into: control, at: CONTROL_FD },
    call("sendmsg", [linkEnd("init"), message(control), flags(MSG, "NOSIGNAL")], { of: "the terminal" }),
    call("close", [linkEnd("init")]),
    call("close", [slot(MASTER)]),
  ];
}

/** In the supervisor, once init has been made. Without the other end open, init's death ends the wait; the fd is -1 then. */
export function takeMaster(): Call[] {
  const control = controlMessage();
  const fd: Value = { kind: "field", data: control, at: CONTROL_FD };
  return [
    call("close", [linkEnd("init")]),
    call("recvmsg", [linkEnd("supervisor"), message(control), flags(MSG, "CMSG_CLOEXEC")], { of: "the terminal" }),
    ioctl(fd, "FIONBIO", { kind: "data", data: int(1) }),
    call("fcntl", [fd, flags(F, "DUPFD_CLOEXEC"), 3], { save: TERMINAL_SLOT }),
    call("close", [fd]),
    call("close", [linkEnd("supervisor")]),
  ];
}

/** In the payload: its group into the foreground (SIGTTOU is still blocked), its streams to the terminal. */
export function enterTerminal(): Call[] {
  const group = int(0);
  return [
    call("setpgid", [0, 0]),
    call("getpid", [], { save: "group" }),
    { op: "store", slot: "group", into: group, at: 0 },
    ioctl(slot(COMMAND_END), "TIOCSPGRP", { kind: "data", data: group }),
    ...[0, 1, 2].map((fd) => call("dup3", [slot(COMMAND_END), fd, 0], { of: `fd ${fd}` })),
  ];
}
