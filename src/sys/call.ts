import type { SyscallName } from "./syscalls.ts";

/**
 * The three processes of a run, each with its script, and the supervisor's second script: what is left to do when the
 * sandbox has ended. See the theory of operation in src/launcher/launcher.h.
 */
export const PROCESSES = ["host", "init", "payload", "after"] as const;
export type Process = (typeof PROCESSES)[number];

/** Bytes that a call points to. `pointers` are places in them that hold the address of other data. */
export interface Data {
  readonly bytes: Uint8Array;
  readonly pointers?: readonly { readonly at: number; readonly to: Data }[];
  /** As `tsbox plan --calls` shows it. */
  readonly show: string;
}

/** What an earlier call of this process or of its parent returned. */
export interface Slot {
  readonly kind: "slot";
  readonly name: string;
}

/** An argument of a call. A plain string is passed as the address of its NUL-terminated bytes. */
export type Value =
  | number
  | bigint
  | string
  | { readonly kind: "flags"; readonly value: number; readonly show: string }
  | { readonly kind: "data"; readonly data: Data }
  | Slot
  /** Address of `size` zero bytes that a call writes into. */
  | { readonly kind: "buffer"; readonly name: string; readonly size: number }
  | Load;

/** An int that a call has written by then, at `at` of a struct or of a buffer. */
export type Load =
  | { readonly kind: "field"; readonly data: Data; readonly at: number }
  | { readonly kind: "load"; readonly name: string; readonly at: number };

/** errno names that a plan may tolerate or explain, with their numbers; the same on x86-64 and arm64, errno(3). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EIO: 5,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EMFILE: 24,
  ENOSPC: 28,
  EROFS: 30,
  ERANGE: 34,
  ENOSYS: 38,
  ELOOP: 40,
  EPROTO: 71,
  EBADFD: 77,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETUNREACH: 101,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
} as const;
export type ErrnoName = keyof typeof ERRNO;

/** One entry of a script: what the launcher does, nothing else. */
export type Call =
  | {
      readonly op: "call";
      readonly name: SyscallName;
      readonly args: readonly Value[];
      /** Slot that keeps the result. */
      readonly save?: string;
      readonly tolerate?: readonly ErrnoName[];
      /** The result must equal the third argument (read, write). */
      readonly exact?: boolean;
      /**
       * Only in the supervisor: who has to do something before the first argument, an fd, can be read. It is waited for, a
       * service for 10 s at most, until a signal, the time limit or the parent's end ends the run; else none of these could.
       * "lock": the call is made again as long as it fails with EAGAIN, for 10 s at most, in the same way.
       */
      readonly awaits?: "init" | "service" | "lock";
      /** Only after the run: when the command has not started. */
      readonly unstarted?: true;
      /** What the call is about, for the message: `mount_setattr(2) of /usr`. */
      readonly of?: string;
    }
  /** clone3(2) of the process that plays `process`. */
  | {
      readonly op: "spawn";
      readonly process: "init" | "payload";
      readonly flags: number;
      readonly show: string;
      readonly pid: string;
      readonly pidfd: string;
      /** Slot of the cgroup's directory that it is born into; clone3(2), CLONE_INTO_CGROUP. */
      readonly cgroup?: string;
      /** Slots of the fds of another sandbox's user namespace and network: init is made below the one and in the other. */
      readonly joins?: { readonly user: string; readonly net: string };
    }
  /** From now on whoever connects to a listening socket gets this message, a struct msghdr. */
  | { readonly op: "share"; readonly socket: Slot; readonly message: Data }
  /** An established program, run to its exit; `{ pid }` in argv is the decimal of that slot. */
  | {
      readonly op: "helper";
      readonly path: string;
      readonly argv: readonly (string | { readonly pid: string })[];
      readonly env: readonly string[];
    }
  /** Puts a saved result, or an int that a call wrote, into a struct that a later call points to, as an int at `at`. */
  | { readonly op: "store"; readonly value: Load | Slot; readonly into: Data; readonly at: number }
  /** What a call wrote must be `expected`; a negative answer is told as that errno. */
  | { readonly op: "check"; readonly answer: Load; readonly expected: number }
  /** An established program that stays until the end; it gets `fds` as 0, 1, 3, 4, …, and says by `ready` that it is. */
  | {
      readonly op: "service";
      readonly path: string;
      readonly argv: readonly string[];
      readonly env: readonly string[];
      readonly fds: Data;
      /** Its fd 3 is a user namespace that it enters before. */
      readonly entersUser: boolean;
      /** Its fd 4 is a mount namespace, of which it gets a copy: its root directory is then what lies topmost there. */
      readonly entersMount?: true;
      readonly ready: Load;
    }
  /**
   * Only after the run: `note` for the user, and `name` for the report, if the call that saved the slot was not in vain.
   * `limit`: what it tells is that the sandbox came to a limit.
   */
  | {
      readonly op: "tell";
      readonly slot: string;
      readonly note: string;
      readonly name: string;
      readonly limit?: boolean;
    }
  /**
   * Only after the run: a number for the report, the sum of what follows `key` in the lines of a file that begin with
   * `line`. The file lies in the directory of the slot `at`; a kernel that lacks it leaves the figure out. Above 0 it is saved.
   */
  | {
      readonly op: "figure";
      readonly at: string;
      readonly path: string;
      readonly line: string;
      readonly key: string;
      readonly name: string;
      readonly save?: string;
    }
  /** Only after the run: removes the cgroup `path`, with all that are in it, from the directory of the slot `at`. */
  | { readonly op: "prune"; readonly at: string; readonly path: string }
  /** Become the command: `search` is the PATH inside, `env` its whole environment. */
  | {
      readonly op: "exec";
      readonly search: readonly string[];
      readonly env: readonly string[];
      /** Names of variables of `env` that are this process's own; what is kept of a plan goes without their values. */
      readonly passed: readonly string[];
    };

/** What a step lowers to: calls for each process that takes part in it. */
export type Lowered = Readonly<Partial<Record<Process, readonly Call[]>>>;

export type Flags = Extract<Value, { readonly kind: "flags" }>;

/** Named bits of one of the constant objects in uapi.ts: `flags(AT, "EMPTY_PATH", "RECURSIVE")`. */
export function flags<T extends Readonly<Record<string, number>>>(
  group: T,
  ...names: readonly (keyof T & string)[]
): Flags {
  let value = 0;
  for (const name of names) value |= group[name] ?? 0;
  return { kind: "flags", value: value >>> 0, show: names.length === 0 ? "0" : names.join("|") };
}

/** The bits of several groups together. */
export function join(...parts: readonly Flags[]): Flags {
  const set = parts.filter(({ value }) => value !== 0);
  const show = set.length === 0 ? "0" : set.map((part) => part.show).join("|");
  return { kind: "flags", value: set.reduce((all, { value }) => (all | value) >>> 0, 0), show };
}

/** A proc of the sandbox that is still writable while /proc is not; kept only for writing the payload's id maps. */
export const WRITABLE_PROC = "writable-proc";

/** In the supervisor: the user namespace that owns the network of another sandbox, which is to be this one's, and that network. */
export const JOINED = { user: "joined-user", net: "joined-net" } as const;

/** In the supervisor: the directory of the sandbox's cgroup, when it has one of its own. */
export const CGROUP = "cgroup";
/** Its files cgroup.freeze and cgroup.kill, open for writing. */
export const CGROUP_FREEZE = "cgroup.freeze";
export const CGROUP_KILL = "cgroup.kill";
/** Its file cpu.stat, open for reading, when processor time is limited. */
export const CGROUP_CPU_STAT = "cpu.stat";
/** The directory of the one in it that sandboxes inside may divide: init is born into that one, where there is one. */
export const CGROUP_INSIDE = "cgroup-inside";

export const slot = (name: string): Slot => ({ kind: "slot", name });

/** The int at `at` of a buffer. */
export const load = (name: string, at: number): Load => ({ kind: "load", name, at });

/** The int at `at` of a struct. */
export const field = (from: Data, at: number): Load => ({ kind: "field", data: from, at });

export const data = (bytes: Uint8Array, show: string): Value => ({ kind: "data", data: { bytes, show } });

/** The bytes of a C struct whose fields are all of 64 bits. */
export function words(...fields: readonly (number | bigint)[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * fields.length));
  let at = 0;
  for (const field of fields) {
    if (field !== 0) view.setBigUint64(at, BigInt.asUintN(64, BigInt(field)), true);
    at += 8;
  }
  return new Uint8Array(view.buffer);
}

/** Options of {@link call} besides its arguments. */
type CallOptions = Omit<Extract<Call, { op: "call" }>, "op" | "name" | "args">;

export function call(name: SyscallName, args: readonly Value[], options: CallOptions = {}): Call {
  return { op: "call", name, args, ...options };
}

type ServiceFd = Load | Slot | undefined;

/** Stores what will be the fds 0, 1, 3, 4, … of a service, undefined being /dev/null, and starts it. Its fd 2 takes its words. */
export function startService(
  fds: readonly [stdin: ServiceFd, stdout: ServiceFd, ...ServiceFd[]],
  service: Omit<Extract<Call, { op: "service" }>, "op" | "fds">,
): Call[] {
  const given: Data = { bytes: new Uint8Array(4 * fds.length).fill(0xff), show: `fds of ${service.path}` };
  return [
    ...fds.flatMap((value, i): Call[] => (value === undefined ? [] : [{ op: "store", value, into: given, at: 4 * i }])),
    { op: "service", fds: given, ...service },
  ];
}

/** Writes `text` to the file at `path` below the directory `at`: open, write all, close. */
export function writeFile(at: Value, path: string, text: string, open: number, of: string): Call[] {
  const length = Buffer.byteLength(text);
  return [
    call("openat", [at, path, open, 0o644], { save: "file", of }),
    ...(length === 0 ? [] : [call("write", [slot("file"), text, length], { exact: true, of })]),
    call("close", [slot("file")], { of }),
  ];
}
