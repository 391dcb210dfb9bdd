import { type Call, call, type Data, flags, load, slot, type Value } from "../sys/call.ts";
import { fdMessage } from "../sys/fd-message.ts";
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

const linkEnd = (end: "supervisor" | "init"): Value => load(LINK, end === "init" ? 4 : 0);

/** In the supervisor, before init is made: the socket that the master end comes through. */
export function makeLink(): Call[] {
  const type = flags(SOCKET, "SOCK_STREAM", "SOCK_CLOEXEC");
  return [call("socketpair", [flags(SOCKET, "AF_UNIX"), type, 0, { kind: "buffer", name: LINK, size: 8 }])];
}

/** In init, inside the new root. */
export function openTerminal(): Call[] {
  const control = fdMessage(1);
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
    { op: "store", value: slot(MASTER), into: control.data, at: control.at(0) },
    call("sendmsg", [linkEnd("init"), control.message, flags(MSG, "NOSIGNAL")], { of: "the terminal" }),
    call("close", [linkEnd("init")]),
    call("close", [slot(MASTER)]),
  ];
}

/** In the supervisor, once init has been made. Without the other end open, init's death ends the wait; the fd is -1 then. */
export function takeMaster(): Call[] {
  const control = fdMessage(1);
  const fd = control.fd(0);
  return [
    call("close", [linkEnd("init")]),
    call("recvmsg", [linkEnd("supervisor"), control.message, flags(MSG, "CMSG_CLOEXEC")], {
      awaits: "init",
      of: "the terminal",
    }),
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
    { op: "store", value: slot("group"), into: group, at: 0 },
    ioctl(slot(COMMAND_END), "TIOCSPGRP", { kind: "data", data: group }),
    ...[0, 1, 2].map((fd) => call("dup3", [slot(COMMAND_END), fd, 0], { of: `fd ${fd}` })),
  ];
}
