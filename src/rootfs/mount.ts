import type { SandboxPath } from "../base/brand.ts";
import { printable } from "../base/printable.ts";
import { type Call, call, data, flags, join, slot, type Value, words } from "../sys/call.ts";
import { AT, FSCONFIG, FSMOUNT, FSOPEN, MOUNT_ATTR, MOVE_MOUNT, MS, O, OPEN_TREE, RESOLVE } from "../sys/uapi.ts";
import type { Way } from "./step.ts";

export type MountAttr = keyof typeof MOUNT_ATTR;

/** The path below the root directory's fd: without the leading slash; "." for the root itself. */
export const relative = (path: SandboxPath): string => (path === "/" ? "." : path.slice(1));

const NONE = "";

/** Structs of the same content are one: a plan names the same few of them a hundred times. */
function remember<A extends string>(make: (...names: A[]) => Value): (...names: A[]) => Value {
  const made = new Map<string, Value>();
  return (...names) => {
    const key = names.join();
    const value = made.get(key) ?? make(...names);
    made.set(key, value);
    return value;
  };
}

/** struct open_how, openat2(2): O_PATH with these RESOLVE_ bits. */
const how = remember((...resolve: (keyof typeof RESOLVE)[]) => {
  const bits = flags(RESOLVE, ...resolve);
  return data(words(O.PATH | O.CLOEXEC, 0, bits.value), `{O_PATH|O_CLOEXEC, ${bits.show}}`);
});

/** struct mount_attr, mount_setattr(2): these bits set, none cleared. */
const settingAttributes = remember((...attributes: MountAttr[]) => {
  const bits = flags(MOUNT_ATTR, ...attributes);
  return data(words(bits.value, 0, 0, 0), `{set=${bits.show}}`);
});

/** Opens `path` of the host, from the directory `at`, without any link on the way. */
export function openWithoutLinks(at: Value, path: string, save: string, of: string): Call {
  return call("openat2", [at, path, how("NO_SYMLINKS"), 24], { save, of: printable(of) });
}

/** struct open_how: for reading, as flock(2) needs. */
const readable = flags(RESOLVE, "NO_SYMLINKS");
const howReadable = data(words(O.CLOEXEC, 0, readable.value), `{O_RDONLY|O_CLOEXEC, ${readable.show}}`);

/** Opens a directory of the host itself, not only its path, without any link on the way. */
export const openDirectory = (path: string, save: string): Call =>
  call("openat2", [AT.FDCWD, path, howReadable, 24], { save, of: printable(path) });

/** Opens a path of the host, refusing a symbolic link anywhere on it: what was checked is what is mounted. */
const openSource = (path: string): Call => openWithoutLinks(AT.FDCWD, path, "source", path);

/** Starts in a directory of the sandbox, without following a link of proc to an fd (CVE-2024-21626 in runc). */
export function enterWorkdir(path: SandboxPath): Call[] {
  const of = printable(path);
  return [
    call("openat2", [AT.FDCWD, path, how("NO_MAGICLINKS"), 24], { save: "workdir", of }),
    call("fchdir", [slot("workdir")], { of }),
    closeSlot("workdir"),
  ];
}

export const closeSlot = (name: string): Call => call("close", [slot(name)]);

/** A copy of the mount at a path of the host, not attached anywhere yet; open_tree(2). Saved as `tree` unless said otherwise. */
export function cloneHost(
  path: string,
  options: { readonly recursive: boolean; readonly system: boolean; readonly save?: string },
): Call[] {
  const { save = "tree" } = options;
  const of = printable(path);
  const bits = join(
    flags(OPEN_TREE, "CLONE", "CLOEXEC"),
    flags(AT, ...(options.recursive ? (["RECURSIVE"] as const) : [])),
  );
  if (options.system) return [call("open_tree", [AT.FDCWD, path, bits], { save, of })];
  const empty = join(bits, flags(AT, "EMPTY_PATH"));
  return [openSource(path), call("open_tree", [slot("source"), NONE, empty], { save, of }), closeSlot("source")];
}

/** What is made in memory where a directory is the root. */
export const MEMORY = "memory";

/** As {@link cloneHost}, of a path below the new root, or below another directory that the plan made. */
export function cloneInside(path: SandboxPath, { save = "tree", at = "root" } = {}): Call {
  const bits = flags(OPEN_TREE, "CLONE", "CLOEXEC");
  return call("open_tree", [slot(at), relative(path), bits], { save, of: printable(path) });
}

/** Opens a path below the new root, on which nothing is trusted; no link leads away. Saved as `target`. */
const openInside = (path: SandboxPath): Call =>
  call("openat2", [slot("root"), relative(path), how("IN_ROOT", "NO_SYMLINKS"), 24], {
    save: "target",
    of: printable(path),
  });

/** Clones what is at `path` of the new root, however that is found. */
export function cloneMounted(path: SandboxPath, way: Way, save = "tree"): Call[] {
  if (way === "skeleton") return [cloneInside(path, { save })];
  const bits = join(flags(OPEN_TREE, "CLONE", "CLOEXEC"), flags(AT, "EMPTY_PATH"));
  const clone = call("open_tree", [slot("target"), NONE, bits], { save, of: printable(path) });
  return [openInside(path), clone, closeSlot("target")];
}

/** mount_setattr(2) of the mount that the slot holds. */
export function setAttributes(
  tree: string,
  attributes: readonly MountAttr[],
  of: string,
  options: { readonly recursive: boolean },
): Call {
  const where = options.recursive ? flags(AT, "EMPTY_PATH", "RECURSIVE") : flags(AT, "EMPTY_PATH");
  return call("mount_setattr", [slot(tree), NONE, where, settingAttributes(...attributes), 32], { of: printable(of) });
}

/** Attaches the mount in a slot at a path below the new root. */
export function move(target: SandboxPath, way: Way, tree: string): Call[] {
  const of = printable(target);
  if (way === "skeleton") {
    return [
      call("move_mount", [slot(tree), NONE, slot("root"), relative(target), flags(MOVE_MOUNT, "F_EMPTY_PATH")], { of }),
    ];
  }
  const bits = flags(MOVE_MOUNT, "F_EMPTY_PATH", "T_EMPTY_PATH");
  return [
    openInside(target),
    call("move_mount", [slot(tree), NONE, slot("target"), NONE, bits], { of }),
    closeSlot("target"),
  ];
}

/** Attaches `tree` at a path below the new root and closes it. */
export const attach = (target: SandboxPath, way: Way, tree = "tree"): Call[] => [
  ...move(target, way, tree),
  closeSlot(tree),
];

/** Attaches the mount in a slot over the root of this process, and over what lies there already. */
export const moveToTop = (tree: string): Call =>
  call("move_mount", [slot(tree), NONE, AT.FDCWD, "/", flags(MOVE_MOUNT, "F_EMPTY_PATH")], { of: "/" });

/** An inode costs about 1 KiB that the size does not count, so their number is limited too; tmpfs(5). */
const BYTES_PER_INODE = 8192;

/** A tmpfs of `size` bytes whose top directory has that mode. */
export function tmpfsSettings(mode: number, size: number): Record<string, string> {
  const inodes = Math.max(256, Math.ceil(size / BYTES_PER_INODE));
  return { mode: mode.toString(8).padStart(4, "0"), size: String(size), nr_inodes: String(inodes) };
}

/** A new file system of that type, not attached yet; fsopen(2), fsconfig(2), fsmount(2). Saved as `save`. */
export function newFileSystem(
  type: "tmpfs" | "proc" | "devpts" | "cgroup2",
  settings: Readonly<Record<string, string>>,
  attributes: readonly MountAttr[],
  save: string,
): Call[] {
  const context = slot("context");
  return [
    call("fsopen", [type, flags(FSOPEN, "CLOEXEC")], { save: "context", of: type }),
    ...Object.entries(settings).map(([key, value]) =>
      call("fsconfig", [context, flags(FSCONFIG, "SET_STRING"), key, value, 0], { of: `${type} ${key}=${value}` }),
    ),
    call("fsconfig", [context, flags(FSCONFIG, "CMD_CREATE"), 0, 0, 0], { of: type }),
    call("fsmount", [context, flags(FSMOUNT, "CLOEXEC"), flags(MOUNT_ATTR, ...attributes)], { save, of: type }),
    closeSlot("context"),
  ];
}

/** No mount event crosses to or from the host any more; mount_namespaces(7). */
export function makePrivate(): Call {
  const attr = data(words(0, 0, MS.PRIVATE, 0), "{propagation=MS_PRIVATE}");
  return call("mount_setattr", [AT.FDCWD, "/", flags(AT, "RECURSIVE"), attr, 32], { of: "/" });
}
