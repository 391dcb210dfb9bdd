import { posix } from "node:path";
import { assertNever } from "../base/assert.ts";
import { sandboxPath } from "../base/brand.ts";
import { printable } from "../base/printable.ts";
import { type Call, call, data, flags, type Lowered, slot, type Value, WRITABLE_PROC, writeFile } from "../sys/call.ts";
import { AT, LOCK, MNT, O, RENAME } from "../sys/uapi.ts";
import { lowerBase, lowerOverlay, lowerOverlayLink, makePoint, tryOverlay } from "./lower-overlay.ts";
import {
  attach,
  cloneHost,
  cloneInside,
  cloneMounted,
  closeSlot,
  enterWorkdir,
  MEMORY,
  makePrivate,
  move,
  moveToTop,
  newFileSystem,
  openDirectory,
  openWithoutLinks,
  relative,
  setAttributes,
  tmpfsSettings,
} from "./mount.ts";
import { asideName, MASK_DIRECTORY, MASK_FILE, type RootfsStep } from "./step.ts";

const root = slot("root");

/** Pseudoterminals of one sandbox. All but the host's own share about 3,000 (pty(7), pty.reserve), in the kernel's memory. */
const PTYS = "256";

const hostRootSlot = (target: string): string => `host's root for ${target}`;

const cloneHostRoot = (target: string): Call[] =>
  cloneHost("/", { recursive: true, system: true, save: hostRootSlot(target) });

function lowerBind({ source, target, mode, way, system }: Extract<RootfsStep, { op: "bind" }>): Call[] {
  const attributes = mode === "ro" ? (["RDONLY", "NOSUID", "NODEV"] as const) : (["NOSUID", "NODEV"] as const);
  const isHostRoot = source === "/";
  const tree = isHostRoot ? hostRootSlot(target) : "tree";
  return [
    ...(isHostRoot ? [] : cloneHost(source, { recursive: true, system })),
    // Recursive: a file system mounted below the source must not come in writable or with setuid programs.
    setAttributes(tree, attributes, source, { recursive: true }),
    ...attach(target, way, tree),
  ];
}

/** The directories, each made in the one before by its fd, and no link followed; all fds closed. */
function makeFolders(root: string, folders: readonly string[]): Call[] {
  const calls: Call[] = [openWithoutLinks(AT.FDCWD, root, "cache-0", root)];
  let path = root;
  let last = "cache-0";
  for (const [i, name] of folders.entries()) {
    const next = `cache-${(i + 1) % 2}`;
    path += `/${name}`;
    calls.push(
      call("mkdirat", [slot(last), name, 0o700], { tolerate: ["EEXIST"], of: printable(path) }),
      openWithoutLinks(slot(last), name, next, path),
      closeSlot(last),
    );
    last = next;
  }
  return [...calls, closeSlot(last)];
}

/** As src/cow/hold.ts does: a lock belongs to an open file, and goes when the last process that has it is gone; flock(2). */
function holdUpper(folder: string): Call[] {
  const of = printable(folder);
  return [openDirectory(folder, "upper"), call("flock", [slot("upper"), flags(LOCK, "EX", "NB")], { of })];
}

/** Renamed first: nobody finds half of it. What is done after the run is done only if the lock was got. */
function dropUpper({ folder, unused: { files, name } }: Extract<RootfsStep, { op: "drop-upper" }>): Lowered {
  const store = slot("uppers");
  const remove = (path: string, bits: Value): Call =>
    call("unlinkat", [store, path, bits], { unstarted: true, tolerate: ["ENOENT"], of: printable(path) });
  // The kernel's own directory is in the one that it was given.
  const folders = [`${name}/upper`, `${name}/work/work`, `${name}/work`, name];
  return {
    host: [
      call("openat", [slot("upper"), "..", O.PATH | O.CLOEXEC], {
        save: "uppers",
        of: printable(posix.dirname(folder)),
      }),
    ],
    after: [
      call("renameat2", [store, posix.basename(folder), store, name, flags(RENAME, "NOREPLACE")], {
        unstarted: true,
        of: printable(folder),
      }),
      ...files.map((file) => remove(`${name}/${file}`, 0)),
      ...folders.map((path) => remove(path, flags(AT, "REMOVEDIR"))),
    ],
  };
}

const watchedSlot = (folder: string): string => `watched ${folder}`;

function moveAside({ folder, name }: Extract<RootfsStep, { op: "move-aside" }>): Call[] {
  const parent = slot(watchedSlot(folder));
  const aside = asideName(name);
  const path = `${folder}/${name}`;
  const told = `moved ${path} aside to ${aside}: the command has made it, and the profile protects that name`;
  return [
    call("renameat2", [parent, name, parent, aside, flags(RENAME, "NOREPLACE")], {
      save: "moved",
      tolerate: ["ENOENT"],
      of: printable(path),
    }),
    { op: "tell", slot: "moved", note: printable(told), name: path },
  ];
}

/** Where tsbox's own directories and files are, to be mounted. */
const madeIn = (based: boolean): string => (based ? MEMORY : "root");

type OfOthers =
  | "base"
  | "overlay"
  | "try-overlay"
  | "overlay-link"
  | "workdir"
  | "make-cache"
  | "hold-upper"
  | "drop-upper"
  | "open-watched"
  | "move-aside";
type OfInit = Exclude<RootfsStep, { op: OfOthers }>;

/** The calls of init for one step. */
function lowerInit(step: OfInit): Call[] {
  switch (step.op) {
    case "private-mounts":
      return [makePrivate()];
    case "root":
      return [
        // Modes are as the plan says, whatever the user's umask; the command gets its umask back.
        call("umask", [0], { save: "umask" }),
        ...step.hostRoots.flatMap(cloneHostRoot),
        ...newFileSystem("tmpfs", tmpfsSettings(0o755, step.size), ["NOSUID", "NODEV"], "root"),
        // Over the host's root, which stays reachable through this process's root directory until pivot_root.
        moveToTop("root"),
      ];
    case "directory":
      return [call("mkdirat", [root, relative(step.path), step.mode], { of: printable(step.path) })];
    case "symlink":
      return [call("symlinkat", [step.to, root, relative(step.path)], { of: printable(step.path) })];
    case "file":
      return writeFile(
        root,
        relative(step.path),
        step.content,
        O.WRONLY | O.CREAT | O.EXCL | O.CLOEXEC,
        printable(step.path),
      );
    case "scratch":
      return [
        cloneInside(step.target, { at: madeIn(step.way === "inside") }),
        setAttributes("tree", step.readonly ? ["RDONLY", "NOSUID", "NODEV"] : ["NOSUID", "NODEV"], step.target, {
          recursive: false,
        }),
        ...attach(step.target, step.way),
      ];
    case "bind":
      return lowerBind(step);
    case "hold-secret": {
      const { length } = step.secret;
      const of = printable(step.path);
      return [
        call("openat", [root, relative(step.path), O.WRONLY | O.CREAT | O.EXCL | O.CLOEXEC, 0o400], {
          save: "file",
          of,
        }),
        ...(length === 0
          ? []
          : [
              call("write", [slot("file"), data(step.secret.reveal(), String(step.secret)), length], {
                exact: true,
                of,
              }),
            ]),
        call("close", [slot("file")], { of }),
      ];
    }
    case "secret":
      return [
        cloneInside(step.path, { at: madeIn(step.based) }),
        setAttributes("tree", ["RDONLY", "NOSUID", "NODEV", "NOEXEC"], step.target, { recursive: false }),
        ...attach(step.target, step.way),
      ];
    case "device":
      return [
        ...cloneHost(`/dev/${step.name}`, { recursive: false, system: true }),
        setAttributes("tree", ["NOSUID", "NOEXEC"], `/dev/${step.name}`, { recursive: false }),
        ...attach(step.target, step.way),
      ];
    case "tmpfs": {
      return [
        ...newFileSystem("tmpfs", tmpfsSettings(step.mode, step.size), ["NOSUID", "NODEV"], "tree"),
        ...step.points.flatMap((point) => makePoint("tree", point.path.slice(step.target.length + 1), point)),
        ...attach(step.target, step.way),
      ];
    }
    case "devpts":
      return [
        ...newFileSystem("devpts", { mode: "0620", ptmxmode: "0666", max: PTYS }, ["NOSUID", "NOEXEC"], "tree"),
        ...attach(step.target, step.way),
      ];
    case "cgroups":
      return [...newFileSystem("cgroup2", {}, ["NOSUID", "NODEV", "NOEXEC"], "tree"), ...attach(step.target, step.way)];
    case "new-proc":
      return newFileSystem("proc", {}, ["NOSUID", "NODEV", "NOEXEC"], "proc");
    case "limit-namespaces":
      return writeFile(
        slot("proc"),
        "sys/user/max_user_namespaces",
        String(step.user),
        O.WRONLY | O.CLOEXEC,
        "user.max_user_namespaces",
      );
    case "low-ports":
      return writeFile(
        slot("proc"),
        "sys/net/ipv4/ip_unprivileged_port_start",
        "0",
        O.WRONLY | O.CLOEXEC,
        "net.ipv4.ip_unprivileged_port_start",
      );
    case "attach-proc":
      return [
        ...move(step.target, step.way, "proc"),
        ...(step.keepWritable ? cloneMounted(step.target, step.way, WRITABLE_PROC) : []),
        ...(step.readonly ? [setAttributes("proc", ["RDONLY"], "/proc", { recursive: false })] : []),
        closeSlot("proc"),
      ];
    case "hidden-proc":
      return [
        ...newFileSystem("proc", {}, ["NOSUID", "NODEV", "NOEXEC"], "tree"),
        ...attach(sandboxPath(`${step.folder}/proc`), step.way),
        cloneInside(MASK_DIRECTORY, { at: madeIn(step.way === "inside") }),
        setAttributes("tree", ["RDONLY", "NOSUID", "NODEV", "NOEXEC"], step.folder, { recursive: false }),
        ...attach(step.folder, step.way),
      ];
    case "readonly":
      return [
        ...cloneMounted(step.target, step.way),
        setAttributes("tree", ["RDONLY", "NOSUID", "NODEV", "NOEXEC"], step.target, { recursive: false }),
        ...attach(step.target, step.way),
      ];
    case "mask":
      return [
        cloneInside(step.directory ? MASK_DIRECTORY : MASK_FILE, { at: madeIn(step.based) }),
        setAttributes("tree", ["RDONLY", "NOSUID", "NODEV", "NOEXEC"], step.target, { recursive: false }),
        ...attach(step.target, step.way),
      ];
    case "enter-root":
      return [
        call("fchdir", [root], { of: "the new root" }),
        // Both "." : the old root ends up on top of the new one and is unmounted from there; pivot_root(2), NOTES.
        call("pivot_root", [".", "."], { of: "the new root" }),
        // The last one first; the one that it was put over lies on the host's.
        ...(step.based ? [call("umount2", [".", flags(MNT, "DETACH")], { of: "what the root was made with" })] : []),
        call("umount2", [".", flags(MNT, "DETACH")], { of: "the host's root" }),
        call("chdir", ["/"], { of: "/" }),
      ];
    case "seal-root":
      if (step.based) return [closeSlot("root"), closeSlot(MEMORY)];
      return [
        ...[MASK_FILE, ...step.secrets].map((path) => call("unlinkat", [root, relative(path), 0], { of: path })),
        call("unlinkat", [root, relative(MASK_DIRECTORY), flags(AT, "REMOVEDIR")], { of: MASK_DIRECTORY }),
        setAttributes("root", ["RDONLY"], "/", { recursive: false }),
        call("close", [root]),
      ];
    default:
      return assertNever(step);
  }
}

export function lowerRootfs(step: RootfsStep): Lowered {
  switch (step.op) {
    case "base":
      return lowerBase(step);
    case "overlay":
      return lowerOverlay(step);
    case "try-overlay":
      return tryOverlay(step);
    case "overlay-link":
      return { host: lowerOverlayLink(step.target) };
    case "workdir":
      return { payload: enterWorkdir(step.path) };
    case "hold-upper":
      return { host: holdUpper(step.folder) };
    case "drop-upper":
      return dropUpper(step);
    case "make-cache":
      return { host: makeFolders(step.root, step.folders) };
    case "open-watched":
      return { host: [openWithoutLinks(AT.FDCWD, step.folder, watchedSlot(step.folder), step.folder)] };
    case "move-aside":
      return { after: moveAside(step) };
    default:
      return { init: lowerInit(step) };
  }
}
