import { assertNever } from "../base/assert.ts";
import { type Bytes, type HostPath, type SandboxPath, sandboxPath } from "../base/brand.ts";
import { printable } from "../base/printable.ts";
import type { Secret } from "../base/secret.ts";

/** Empty stand-ins that masks are copies of; made in the root and unlinked before it is sealed. */
export const MASK_FILE = sandboxPath("/.masked-file");
export const MASK_DIRECTORY = sandboxPath("/.masked-directory");

/** Holds the proc that is hidden; an empty directory to whoever looks. */
export const NESTING_DIRECTORY = sandboxPath("/.nesting");

/**
 * How a mount finds its target. `skeleton`: every part of the path was made by this plan in its own fresh tmpfs, so
 * nothing hostile can be on the way. `inside`: the way leads through a bind mount, whose content is not trusted; it is
 * walked with RESOLVE_IN_ROOT and without symbolic links.
 */
export type Way = "skeleton" | "inside";

/** What is made in a new tmpfs, or as the topmost layer of an overlay: mount points, and the directories that lead to them. */
export interface MadePoint {
  /** Of the sandbox, below the tmpfs or overlay. */
  readonly path: SandboxPath;
  readonly kind: "directory" | "file";
  readonly mode: number;
  /** Of a file that is not only to be mounted on. */
  readonly content?: string;
}

/** Where an overlay keeps what is written. */
export type Upper =
  /** In a tmpfs of its own that is gone with the sandbox; `mode` is that of the top directory. */
  { readonly kind: "memory"; readonly size: Bytes; readonly mode: number } | Kept;

/** In the directory `upper` of this one, with `work` beside it for the kernel. */
export interface Kept {
  readonly kind: "kept";
  readonly folder: HostPath;
  /** It was made for this run, with these files in it, and goes if the command does not start, under that name beside it. */
  readonly unused?: { readonly files: readonly string[]; readonly name: string };
}

/** What makes an overlay. */
export type Driver =
  | { readonly kind: "overlay" }
  | {
      readonly kind: "fuse-overlayfs";
      readonly path: HostPath;
      /** What it is started with besides the layers: directories of the host, and links, by their names in its root. */
      readonly system: readonly { readonly name: string; readonly source?: HostPath; readonly to?: string }[];
      /** Who the user is in the sandbox's own user namespace. */
      readonly uid: number;
      readonly gid: number;
    };

/** What the root file system is made of. */
export type RootfsStep =
  | { readonly op: "private-mounts" }
  | {
      readonly op: "root";
      readonly size: Bytes;
      /** Targets of binds of the host's own root: it is cloned before this one lies on it and would be in the clone. */
      readonly hostRoots: readonly SandboxPath[];
    }
  | { readonly op: "directory"; readonly path: SandboxPath; readonly mode: number }
  | { readonly op: "symlink"; readonly path: SandboxPath; readonly to: string }
  | { readonly op: "file"; readonly path: SandboxPath; readonly content: string }
  /** Puts a directory in the place of the root so far, whose own directories and files are mounted in it from then on. */
  | {
      readonly op: "base";
      /** Canonical; changed only if `mode` is "rw". */
      readonly directory: HostPath;
      readonly mode: "ro" | "rw" | "overlay";
      /** Of what is written to memory. */
      readonly size: Bytes;
      /** Not needed if it is writable. */
      readonly driver: Driver;
      /** Parents first; what the directory lacks. None if it is writable: nothing is made in it. */
      readonly points: readonly MadePoint[];
    }
  /** In the root, until it is sealed; only what is mounted of it stays. */
  | { readonly op: "hold-secret"; readonly path: SandboxPath; readonly secret: Secret }
  | {
      readonly op: "secret";
      readonly path: SandboxPath;
      readonly target: SandboxPath;
      readonly way: Way;
      readonly based: boolean;
    }
  | { readonly op: "scratch"; readonly target: SandboxPath; readonly readonly: boolean; readonly way: Way }
  | {
      readonly op: "bind";
      /** Canonical. */
      readonly source: HostPath;
      readonly target: SandboxPath;
      readonly mode: "ro" | "rw";
      readonly way: Way;
      readonly directory: boolean;
      /** Only root can change what leads to the source, so it needs no walk of its own without links. */
      readonly system: boolean;
    }
  | {
      readonly op: "overlay";
      /** Canonical; what the sandbox sees until it writes. Never changed. */
      readonly lower: HostPath;
      readonly upper: Upper;
      readonly target: SandboxPath;
      readonly way: Way;
      readonly driver: Driver;
      /** Parents first; they lie above `lower` and below what is written. */
      readonly points: readonly MadePoint[];
    }
  /** The same by the kernel, to see whether it does; init then ends with 0. */
  | {
      readonly op: "try-overlay";
      readonly lower: HostPath;
      /** Undefined: it cannot be written to. */
      readonly upper: Upper | undefined;
      readonly target: SandboxPath;
      readonly points: readonly MadePoint[];
    }
  | { readonly op: "device"; readonly name: string; readonly target: SandboxPath; readonly way: Way }
  | {
      readonly op: "tmpfs";
      readonly target: SandboxPath;
      readonly size: Bytes;
      readonly mode: number;
      readonly way: Way;
      /** Parents first. */
      readonly points: readonly MadePoint[];
    }
  | { readonly op: "devpts"; readonly target: SandboxPath; readonly way: Way }
  /** The cgroup file system, from the root of the sandbox's cgroup namespace on. */
  | { readonly op: "cgroups"; readonly target: SandboxPath; readonly way: Way }
  | { readonly op: "new-proc" }
  | { readonly op: "limit-namespaces"; readonly user: number }
  | { readonly op: "low-ports" }
  | {
      readonly op: "attach-proc";
      readonly target: SandboxPath;
      readonly readonly: boolean;
      readonly keepWritable: boolean;
      readonly way: Way;
    }
  /** A proc without masks, under a mount that hides it: the kernel gives nobody a fresh one where none is whole. */
  | { readonly op: "hidden-proc"; readonly folder: SandboxPath; readonly way: Way }
  | { readonly op: "readonly"; readonly target: SandboxPath; readonly way: Way }
  | {
      readonly op: "mask";
      readonly target: SandboxPath;
      readonly directory: boolean;
      readonly way: Way;
      readonly based: boolean;
    }
  /** `based`: the root lies on another one, which goes with the host's. */
  | { readonly op: "enter-root"; readonly based: boolean }
  | { readonly op: "seal-root"; readonly based: boolean; readonly secrets: readonly SandboxPath[] }
  | { readonly op: "workdir"; readonly path: SandboxPath }
  /** The supervisor's: directories one in the other below `root`, which exists. */
  | { readonly op: "make-cache"; readonly root: HostPath; readonly folders: readonly string[] }
  /** The supervisor's, as long as it lives: nobody else works on the upper in this directory. */
  | { readonly op: "hold-upper"; readonly folder: HostPath }
  /** After {@link Kept.unused}; the supervisor's, as long as it holds it. */
  | { readonly op: "drop-upper"; readonly folder: HostPath; readonly unused: NonNullable<Kept["unused"]> }
  /** Made before init: by it an overlay's parts go over to the supervisor, which starts the program. */
  | { readonly op: "overlay-link"; readonly target: SandboxPath }
  | { readonly op: "open-watched"; readonly folder: HostPath }
  /** After the run. */
  | { readonly op: "move-aside"; readonly folder: HostPath; readonly name: string };

/** What a name gets that the command was not to make. */
export const asideName = (name: string): string => `${name}.untrusted`;

const octal = (mode: number): string => mode.toString(8).padStart(4, "0");

const holding = (points: readonly MadePoint[]): string =>
  points.length === 0 ? "" : ` that holds ${points.map(({ path }) => printable(path)).join(", ")}`;

const by = (driver: Driver): string => (driver.kind === "overlay" ? "" : ", by fuse-overlayfs");

function describeBase({ directory, mode, size, driver, points }: Extract<RootfsStep, { op: "base" }>): string {
  const how = { ro: "read-only", rw: "writable", overlay: `under an overlay written to a tmpfs of ${size} bytes` }[
    mode
  ];
  return `make ${printable(directory)} the root, ${how}${mode === "rw" ? "" : by(driver)}${holding(points)}`;
}

/** A step as an order: "bind /usr read-only on /usr"; printable. */
export function describeRootfs(step: RootfsStep): string {
  switch (step.op) {
    case "private-mounts":
      return "cut the mount namespace off from the host's";
    case "root":
      return `make the root, a tmpfs of ${step.size} bytes`;
    case "directory":
      return `make the directory ${printable(step.path)} (${octal(step.mode)})`;
    case "symlink":
      return `link ${printable(step.path)} to ${printable(step.to)}`;
    case "file":
      return `write ${printable(step.path)} (${Buffer.byteLength(step.content)} bytes)`;
    case "hold-secret":
      return `put a secret of ${step.secret.length} bytes into memory`;
    case "secret":
      return `show the secret as ${printable(step.target)}, to its owner alone`;
    case "base":
      return describeBase(step);
    case "scratch":
      return `make ${printable(step.target)} private and ${step.readonly ? "read-only" : "writable"}`;
    case "bind":
      return `bind ${printable(step.source)} ${step.mode === "ro" ? "read-only" : "writable"} on ${printable(step.target)}`;
    case "overlay": {
      const { upper } = step;
      const to = upper.kind === "memory" ? `a tmpfs of ${upper.size} bytes` : printable(upper.folder);
      return `lay an overlay over ${printable(step.lower)} on ${printable(step.target)}, written to ${to}${by(step.driver)}${holding(step.points)}`;
    }
    case "try-overlay":
      return `try an overlay of ${printable(step.lower)}`;
    case "device":
      return `bind the device /dev/${printable(step.name)}`;
    case "tmpfs":
      return `mount a tmpfs of ${step.size} bytes on ${printable(step.target)} (${octal(step.mode)})${holding(step.points)}`;
    case "devpts":
      return "mount a private /dev/pts";
    case "cgroups":
      return "mount the part of the cgroup file system that sandboxes inside may divide";
    case "new-proc":
      return "make a fresh proc of the sandbox's processes";
    case "limit-namespaces":
      return `forbid further user namespaces (user.max_user_namespaces = ${step.user})`;
    case "low-ports":
      return "allow ports below 1024 in the sandbox's own network (net.ipv4.ip_unprivileged_port_start = 0)";
    case "attach-proc":
      return `mount /proc${step.readonly ? " read-only" : ""}`;
    case "hidden-proc":
      return `mount a whole proc, hidden below ${step.folder}, so that sandboxes inside can have one`;
    case "readonly":
      return `make ${printable(step.target)} read-only`;
    case "mask":
      return `hide ${printable(step.target)}`;
    case "enter-root":
      return "enter the new root and let go of the host's";
    case "seal-root":
      return step.based ? "let go of what the root was made with" : "make the root read-only";
    case "workdir":
      return `start in ${printable(step.path)}`;
    case "make-cache":
      return `make the cache directory ${printable([step.root, ...step.folders].join("/"))}`;
    case "hold-upper":
      return `hold ${printable(step.folder)}, so that nothing else changes it`;
    case "drop-upper":
      return `remove ${printable(step.folder)} after a run whose command has not started`;
    case "overlay-link":
      return `make a link to hand over the overlay on ${printable(step.target)}`;
    case "open-watched":
      return `open ${printable(step.folder)}, to see after the run what was made in it`;
    case "move-aside":
      return `move aside what the command makes as ${printable(`${step.folder}/${step.name}`)}`;
    default:
      return assertNever(step);
  }
}
