import { type HostPath, type SandboxPath, sandboxPath } from "../base/brand.ts";
import { printable } from "../base/printable.ts";
import { type Call, call, flags, type Load, type Lowered, load, slot, startService, writeFile } from "../sys/call.ts";
import { fdMessage } from "../sys/fd-message.ts";
import { AT, FSCONFIG, FSMOUNT, FSOPEN, MNT, MOUNT_ATTR, MOVE_MOUNT, MSG, O, SOCKET, STATX } from "../sys/uapi.ts";
import {
  attach,
  cloneHost,
  closeSlot,
  MEMORY,
  moveToTop,
  newFileSystem,
  setAttributes,
  tmpfsSettings,
} from "./mount.ts";
import type { Driver, MadePoint, RootfsStep, Upper } from "./step.ts";

/** What is not written to is small: mount points, and directories to mount layers on. */
const STAGE_BYTES = 1024 ** 2;

const stage = slot("stage");

/** Makes a mount point in a tmpfs by its fd, while it is not attached or holds nothing else: nothing hostile is on the way. */
export function makePoint(tree: string, name: string, { path, kind, mode, content = "" }: MadePoint): Call[] {
  const of = printable(path);
  if (kind === "directory") return [call("mkdirat", [slot(tree), name, mode], { of })];
  return writeFile(slot(tree), name, content, O.WRONLY | O.CREAT | O.EXCL | O.CLOEXEC, of);
}

/** Mounts a directory of the host on one of the stage; with what is mounted in it, if that is `recursive`. */
function stageHost(source: string, on: string, { recursive = false, readonly = false } = {}): Call[] {
  const bits = flags(MOVE_MOUNT, "F_EMPTY_PATH");
  return [
    call("mkdirat", [stage, on, 0o700], { of: on }),
    ...cloneHost(source, { recursive, system: false }),
    ...(readonly ? [setAttributes("tree", ["RDONLY", "NOSUID", "NODEV"], source, { recursive })] : []),
    call("move_mount", [slot("tree"), "", stage, on, bits], { of: printable(source) }),
    closeSlot("tree"),
  ];
}

/** What an overlay is made of. */
interface Layers {
  readonly lower: HostPath;
  /** Undefined: it cannot be written to. */
  readonly upper: Upper | undefined;
  readonly target: SandboxPath;
  readonly points: readonly MadePoint[];
}

/** The layers by their paths from the stage, as the options of mount(8) name them. */
interface Staged {
  readonly lowers: string;
  readonly upper?: string;
  readonly work?: string;
}

/** Where the upper and the directory that its driver works in are. */
function stageUpper(upper: Upper): { readonly calls: Call[]; readonly upper: string; readonly work: string } {
  if (upper.kind === "kept") {
    return { calls: stageHost(upper.folder, "kept"), upper: "kept/upper", work: "kept/work" };
  }
  const calls = [
    call("mkdirat", [stage, "upper", upper.mode], { of: "upper" }),
    call("mkdirat", [stage, "work", 0o700], { of: "work" }),
  ];
  return { calls, upper: "upper", work: "work" };
}

const relativeTo = (overlay: SandboxPath, path: SandboxPath): string =>
  path.slice(overlay === "/" ? 1 : overlay.length + 1);

/** Puts the layers on a stage, which lies over the root of this process and is its current directory then. */
function setStage({ lower, upper, target, points }: Layers, recursive: boolean): { calls: Call[]; staged: Staged } {
  const size = upper?.kind === "memory" ? upper.size : STAGE_BYTES;
  const written = upper === undefined ? undefined : stageUpper(upper);
  // Without an upper the kernel wants two lowers.
  const hasPoints = points.length > 0 || written === undefined;
  const top: MadePoint = { path: sandboxPath("/"), kind: "directory", mode: 0o755 };
  const calls = [
    ...newFileSystem("tmpfs", tmpfsSettings(0o700, size), ["NOSUID", "NODEV"], "stage"),
    moveToTop("stage"),
    ...stageHost(lower, "lower", { recursive }),
    ...(hasPoints ? makePoint("stage", "points", top) : []),
    ...points.flatMap((point) => makePoint("stage", `points/${relativeTo(target, point.path)}`, point)),
    ...(written?.calls ?? []),
    call("fchdir", [stage], { of: "the layers" }),
  ];
  const lowers = hasPoints ? "points:lower" : "lower";
  return { calls, staged: written === undefined ? { lowers } : { lowers, upper: written.upper, work: written.work } };
}

/** The overlay has its own hold on the layers. What is left on top of the old root would survive it. */
const leaveStage = (): Call[] => [
  call("umount2", [".", flags(MNT, "DETACH")], { of: "the layers" }),
  closeSlot("stage"),
];

const context = slot("context");
const setString = (type: string, key: string, value: string): Call =>
  call("fsconfig", [context, flags(FSCONFIG, "SET_STRING"), key, value, 0], { of: `${type} ${key}=${value}` });
const setFlag = (type: string, key: string): Call =>
  call("fsconfig", [context, flags(FSCONFIG, "SET_FLAG"), key, 0, 0], { of: `${type} ${key}` });

/** A file system of that type with these settings, not attached yet. */
function mountNew(type: string, settings: readonly Call[], writable: boolean, of: string, save: string): Call[] {
  const attributes = ["NOSUID", "NODEV", ...(writable ? [] : (["RDONLY"] as const))] as const;
  return [
    call("fsopen", [type, flags(FSOPEN, "CLOEXEC")], { save: "context", of: type }),
    ...settings,
    call("fsconfig", [context, flags(FSCONFIG, "CMD_CREATE"), 0, 0, 0], { of }),
    call("fsmount", [context, flags(FSMOUNT, "CLOEXEC"), flags(MOUNT_ATTR, ...attributes)], { save, of }),
    closeSlot("context"),
  ];
}

/**
 * Without attributes of the user's there it would be made, and then the kernel could replace no directory, and fuse-overlayfs (1.10 to
 * 1.14) show a removed file again once a directory in its place is gone. tsbox's own tmpfs has them, since Linux 6.6.
 */
const needAttributes = ({ upper }: Layers, { work }: Staged): Call[] =>
  upper?.kind === "kept" && work !== undefined
    ? [call("setxattr", [work, "user.tsbox", "1", 1, 0], { of: printable(upper.folder) })]
    : [];

/**
 * By the kernel. The options are plain names: before Linux 6.13 they cannot be fds, before 6.15 the layers must be attached
 * somewhere, and before 6.5 no option can hold a comma.
 */
function makeByKernel(layers: Layers, save: string): Lowered {
  const { calls, staged } = setStage(layers, false);
  const { lowers, upper, work } = staged;
  const settings = [
    setString("overlay", "source", "overlay"),
    setString("overlay", "lowerdir", lowers),
    ...(upper === undefined ? [] : [setString("overlay", "upperdir", upper)]),
    ...(work === undefined ? [] : [setString("overlay", "workdir", work)]),
    setFlag("overlay", "userxattr"),
  ];
  const made = mountNew("overlay", settings, upper !== undefined, printable(layers.lower), save);
  return { init: [...calls, ...needAttributes(layers, staged), ...made, ...leaveStage()] };
}

const linkName = (target: SandboxPath): string => `overlay link ${target}`;
const linkEnd = (target: SandboxPath, end: "supervisor" | "init"): Load =>
  load(linkName(target), end === "init" ? 4 : 0);

/** Made by the supervisor; both have both ends until each closes the other's. */
export function lowerOverlayLink(target: SandboxPath): Call[] {
  const type = flags(SOCKET, "SOCK_STREAM", "SOCK_CLOEXEC");
  const pair = { kind: "buffer", name: linkName(target), size: 8 } as const;
  return [call("socketpair", [flags(SOCKET, "AF_UNIX"), type, 0, pair])];
}

/** The option `fd` is a text, so the number must be known before; above those of the launcher and of the plan. */
const FUSE_FD = 200;

/** Of the program: user and mount namespace come first. */
const GIVEN_FUSE = 5;

/**
 * By fuse-overlayfs(1), which the supervisor starts in a mount namespace whose root is the stage: it has the layers, and of the host
 * the programs that it needs to start. Init makes the mount, hands the device's fd over, and goes on when the first
 * request is answered. When the program ends, the mount is dead, and so is the sandbox.
 */
function makeByFuse(layers: Layers, driver: Extract<Driver, { kind: "fuse-overlayfs" }>, save: string): Lowered {
  const { calls, staged } = setStage(layers, true);
  const { lowers, upper, work } = staged;
  const { lower, target } = layers;
  const of = printable(lower);
  const [sent, received] = [fdMessage(3), fdMessage(3)];
  const [own, link] = [linkEnd(target, "init"), linkEnd(target, "supervisor")];
  const namespaces = ["user", "mnt"] as const;
  const settings = [
    setString("fuse", "source", "fuse-overlayfs"),
    setString("fuse", "fd", String(FUSE_FD)),
    setString("fuse", "rootmode", "40000"),
    setString("fuse", "user_id", String(driver.uid)),
    setString("fuse", "group_id", String(driver.gid)),
    setFlag("fuse", "allow_other"),
    setFlag("fuse", "default_permissions"),
  ];
  const options = [`lowerdir=${lowers}`, ...(upper === undefined ? [] : [`upperdir=${upper}`, `workdir=${work}`])];
  return {
    init: [
      call("close", [link]),
      ...calls,
      ...needAttributes(layers, staged),
      ...driver.system.flatMap(({ name, source, to }) =>
        source === undefined
          ? [call("symlinkat", [to ?? "", stage, name], { of: name })]
          : stageHost(source, name, { recursive: true, readonly: true }),
      ),
      call("openat", [AT.FDCWD, "/dev/fuse", O.RDWR | O.CLOEXEC], { save: "fuse", of: "/dev/fuse" }),
      call("dup3", [slot("fuse"), FUSE_FD, O.CLOEXEC], { save: "fuse-fd", of: "/dev/fuse" }),
      closeSlot("fuse"),
      ...mountNew("fuse", settings, upper !== undefined, of, save),
      ...namespaces.map((name) =>
        call("openat", [AT.FDCWD, `/proc/self/ns/${name}`, O.CLOEXEC], {
          save: `${name}-ns`,
          of: `/proc/self/ns/${name}`,
        }),
      ),
      ...namespaces.map(
        (name, i): Call => ({ op: "store", value: slot(`${name}-ns`), into: sent.data, at: sent.at(i) }),
      ),
      { op: "store", value: slot("fuse-fd"), into: sent.data, at: sent.at(2) },
      call("sendmsg", [own, sent.message, flags(MSG, "NOSIGNAL")], { of }),
      ...namespaces.map((name) => closeSlot(`${name}-ns`)),
      // Whoever has it keeps the mount from being dead when the program is.
      closeSlot("fuse-fd"),
      // The first request: it is answered when the program is ready.
      call(
        "statx",
        [
          slot(save),
          "",
          flags(AT, "EMPTY_PATH", "STATX_FORCE_SYNC"),
          flags(STATX, "BASIC_STATS"),
          { kind: "buffer", name: "statx", size: 256 },
        ],
        { of },
      ),
      call("write", [own, "o", 1], { exact: true, of }),
      call("close", [own]),
      ...leaveStage(),
    ],
    host: [
      call("close", [own]),
      call("recvmsg", [link, received.message, flags(MSG, "CMSG_CLOEXEC")], { awaits: "init", of }),
      ...startService([undefined, undefined, received.fd(0), received.fd(1), received.fd(2)], {
        path: driver.path,
        argv: ["fuse-overlayfs", "-f", "-o", options.join(","), `/dev/fd/${GIVEN_FUSE}`],
        env: ["PATH=/usr/bin:/bin"],
        entersUser: true,
        entersMount: true,
        ready: link,
      }),
      ...[0, 1, 2].map((i) => call("close", [received.fd(i)])),
      call("close", [link]),
    ],
  };
}

function makeOverlay(layers: Layers, driver: Driver, save: string): Lowered {
  return driver.kind === "overlay" ? makeByKernel(layers, save) : makeByFuse(layers, driver, save);
}

export function lowerOverlay(step: Extract<RootfsStep, { op: "overlay" }>): Lowered {
  const { init = [], ...rest } = makeOverlay(step, step.driver, "tree");
  return { ...rest, init: [...init, ...attach(step.target, step.way)] };
}

/** What follows in the script is not played. */
export const tryOverlay = (step: Extract<RootfsStep, { op: "try-overlay" }>): Lowered => ({
  init: [...(makeByKernel(step, "tree").init ?? []), call("exit_group", [0])],
});

/** The root so far stays attached, below the new one, until both have been left. */
export function lowerBase({ directory, mode, size, driver, points }: Extract<RootfsStep, { op: "base" }>): Lowered {
  const target = sandboxPath("/");
  const upper = mode === "overlay" ? ({ kind: "memory", size, mode: 0o755 } as const) : undefined;
  const bind = [
    ...cloneHost(directory, { recursive: true, system: false, save: "root" }),
    setAttributes("root", ["NOSUID", "NODEV"], directory, { recursive: true }),
  ];
  const { init = [], ...rest } =
    mode === "rw" ? { init: bind } : makeOverlay({ lower: directory, upper, target, points }, driver, "root");
  return {
    ...rest,
    init: [
      call("openat", [slot("root"), ".", O.PATH | O.CLOEXEC], { save: MEMORY, of: "the root so far" }),
      closeSlot("root"),
      ...init,
      moveToTop("root"),
    ],
  };
}
