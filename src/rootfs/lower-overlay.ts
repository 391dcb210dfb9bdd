import { type HostPath, type SandboxPath, sandboxPath } from "../base/brand.ts";
import { printable } from "../base/printable.ts";
import { type Call, call, flags, slot, writeFile } from "../sys/call.ts";
import { FSCONFIG, FSMOUNT, FSOPEN, MNT, MOUNT_ATTR, MOVE_MOUNT, O } from "../sys/uapi.ts";
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
import type { MadePoint, RootfsStep, Upper } from "./step.ts";

/** What is not written to is small: mount points, and directories to mount layers on. */
const STAGE_BYTES = 1024 ** 2;

const stage = slot("stage");

/** Makes a mount point in a tmpfs by its fd, while it is not attached or holds nothing else: nothing hostile is on the way. */
export function makePoint(tree: string, name: string, { path, kind, mode, content = "" }: MadePoint): Call[] {
  const of = printable(path);
  if (kind === "directory") return [call("mkdirat", [slot(tree), name, mode], { of })];
  return writeFile(slot(tree), name, content, O.WRONLY | O.CREAT | O.EXCL | O.CLOEXEC, of);
}

/** Mounts a directory of the host on one of the stage. */
function stageHost(source: string, on: string): Call[] {
  const bits = flags(MOVE_MOUNT, "F_EMPTY_PATH");
  return [
    call("mkdirat", [stage, on, 0o700], { of: on }),
    ...cloneHost(source, { recursive: false, system: false }),
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

/** Where the upper and the kernel's work directory are, from the stage. */
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

/**
 * Init's calls that make one overlay, which is not attached then. Its options are plain names, from the stage as current
 * directory: before Linux 6.13 they cannot be fds, before 6.15 the layers must be attached somewhere, and before 6.5 no
 * option can hold a comma.
 */
function makeOverlay({ lower, upper, target, points }: Layers, save: string): Call[] {
  const size = upper?.kind === "memory" ? upper.size : STAGE_BYTES;
  const written = upper === undefined ? undefined : stageUpper(upper);
  // Without an upper the kernel wants two lowers.
  const hasPoints = points.length > 0 || written === undefined;
  const top: MadePoint = { path: sandboxPath("/"), kind: "directory", mode: 0o755 };
  const context = slot("context");
  const set = (key: string, value: string): Call =>
    call("fsconfig", [context, flags(FSCONFIG, "SET_STRING"), key, value, 0], { of: `overlay ${key}=${value}` });
  const attributes = ["NOSUID", "NODEV", ...(written === undefined ? (["RDONLY"] as const) : [])] as const;
  return [
    ...newFileSystem("tmpfs", tmpfsSettings(0o700, size), ["NOSUID", "NODEV"], "stage"),
    moveToTop("stage"),
    ...stageHost(lower, "lower"),
    ...(hasPoints ? makePoint("stage", "points", top) : []),
    ...points.flatMap((point) => makePoint("stage", `points/${relativeTo(target, point.path)}`, point)),
    ...(written?.calls ?? []),
    call("fchdir", [stage], { of: "the layers" }),
    call("fsopen", ["overlay", flags(FSOPEN, "CLOEXEC")], { save: "context", of: "overlay" }),
    set("source", "overlay"),
    set("lowerdir", hasPoints ? "points:lower" : "lower"),
    ...(written === undefined ? [] : [set("upperdir", written.upper), set("workdir", written.work)]),
    call("fsconfig", [context, flags(FSCONFIG, "SET_FLAG"), "userxattr", 0, 0], { of: "overlay userxattr" }),
    call("fsconfig", [context, flags(FSCONFIG, "CMD_CREATE"), 0, 0, 0], { of: printable(lower) }),
    call("fsmount", [context, flags(FSMOUNT, "CLOEXEC"), flags(MOUNT_ATTR, ...attributes)], {
      save,
      of: printable(lower),
    }),
    closeSlot("context"),
    // The overlay has its own hold on the layers. What is left on top of the old root would survive it.
    call("umount2", [".", flags(MNT, "DETACH")], { of: "the layers" }),
    closeSlot("stage"),
  ];
}

export const lowerOverlay = (step: Extract<RootfsStep, { op: "overlay" }>): Call[] => [
  ...makeOverlay(step, "tree"),
  ...attach(step.target, step.way),
];

/** The root so far stays attached, below the new one, until both have been left. */
export function lowerBase({ directory, mode, size, points }: Extract<RootfsStep, { op: "base" }>): Call[] {
  const target = sandboxPath("/");
  const upper = mode === "overlay" ? ({ kind: "memory", size, mode: 0o755 } as const) : undefined;
  return [
    call("openat", [slot("root"), ".", O.PATH | O.CLOEXEC], { save: MEMORY, of: "the root so far" }),
    closeSlot("root"),
    ...(mode === "rw"
      ? [
          ...cloneHost(directory, { recursive: true, system: false, save: "root" }),
          setAttributes("root", ["NOSUID", "NODEV"], directory, { recursive: true }),
        ]
      : makeOverlay({ lower: directory, upper, target, points }, "root")),
    moveToTop("root"),
  ];
}
