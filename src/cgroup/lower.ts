import { assertNever } from "../base/assert.ts";
import {
  type Call,
  CGROUP,
  CGROUP_CPU_STAT,
  CGROUP_FREEZE,
  CGROUP_INSIDE,
  CGROUP_KILL,
  call,
  data,
  type Flags,
  flags,
  type Lowered,
  slot,
  words,
  writeFile,
} from "../sys/call.ts";
import { AT, LOCK, O, RESOLVE } from "../sys/uapi.ts";
import type { CgroupStep, Notice } from "./step.ts";

/** The directory in which the cgroup is made. */
const PARENT = "cgroup-parent";
/** In a cgroup that is divided from inside: where the sandbox's own processes are. */
const LEAF = "tsbox";

const resolve = flags(RESOLVE, "NO_SYMLINKS");
const how = data(words(O.CLOEXEC, 0, resolve.value), `{O_RDONLY|O_CLOEXEC, ${resolve.show}}`);

const open = (at: Parameters<typeof slot>[0] | undefined, path: string, save: string): Call =>
  call("openat2", [at === undefined ? AT.FDCWD : slot(at), path, how, 24], { save, of: path });

const lock = (of: string, how: Flags, awaits?: "lock"): Call =>
  call("flock", [slot(of), how], { of, ...(awaits !== undefined && { awaits }) });

/**
 * A cgroup whose lock nobody holds has no supervisor any more, and is removed by whoever looks (src/state/cgroup.ts). That one
 * takes the parent's lock, so that none is removed between its making and its locking.
 */
function make({ parent, name, enable }: Extract<CgroupStep, { op: "new-cgroup" }>): Call[] {
  const file = "cgroup.subtree_control";
  const wanted = enable.map((controller) => `+${controller}`).join(" ");
  return [
    open(undefined, parent, PARENT),
    lock(PARENT, flags(LOCK, "SH", "NB"), "lock"),
    ...(enable.length === 0 ? [] : writeFile(slot(PARENT), file, wanted, O.WRONLY | O.CLOEXEC, `${parent}/${file}`)),
    call("mkdirat", [slot(PARENT), name, 0o755], { of: `${parent}/${name}` }),
    open(PARENT, name, CGROUP),
    lock(CGROUP, flags(LOCK, "EX", "NB")),
    // Linux 5.2 and 5.14; before, signals and the end of the pid namespace have to do.
    ...[CGROUP_FREEZE, CGROUP_KILL].map((file) =>
      call("openat", [slot(CGROUP), file, O.WRONLY | O.CLOEXEC, 0], { save: file, tolerate: ["ENOENT"], of: file }),
    ),
    lock(PARENT, flags(LOCK, "UN")),
  ];
}

function limit({ file, value, optional }: Extract<CgroupStep, { op: "cgroup-limit" }>): Call[] {
  const written = writeFile(slot(CGROUP), file, value, O.WRONLY | O.CLOEXEC, file);
  if (!optional) return written;
  // Without the file there is no fd, which the calls after it take for EBADF.
  return written.map((each) =>
    each.op === "call" ? { ...each, tolerate: [each.name === "openat" ? "ENOENT" : "EBADF"] } : each,
  );
}

/** As src/launcher/prune.c has it. */
const DEPTH = 8;
const DESCENDANTS = 256;

const write = (at: string, file: string, value: string): Call[] =>
  writeFile(slot(at), file, value, O.WRONLY | O.CLOEXEC, file);

/** The limits are those of the cgroup above, which cannot be seen from inside: nobody there can raise them. */
const divide = ({ controllers }: Extract<CgroupStep, { op: "divide-cgroup" }>): Call[] => [
  ...write(CGROUP, "cgroup.max.depth", String(DEPTH)),
  ...write(CGROUP, "cgroup.max.descendants", String(DESCENDANTS)),
  ...write(CGROUP, "cgroup.subtree_control", controllers.map((name) => `+${name}`).join(" ")),
  call("mkdirat", [slot(CGROUP), "inside", 0o755], { of: "inside" }),
  open(CGROUP, "inside", CGROUP_INSIDE),
  call("mkdirat", [slot(CGROUP_INSIDE), LEAF, 0o755], { of: `inside/${LEAF}` }),
];

interface Figure {
  readonly name: string;
  readonly path: string;
  /** Where others in it count as well. */
  readonly dividedPath?: string;
  readonly line?: string;
  readonly key?: string;
  /** Above 0 it is a limit that was reached. */
  readonly limit?: Notice["limit"];
}

/** By the names of the report. */
const FIGURES: readonly Figure[] = [
  { name: "memory_peak_bytes", path: "memory.peak" },
  { name: "swap_peak_bytes", path: "memory.swap.peak" },
  // The machine's own want of memory kills as well, and is no limit that was reached; nor is that of a sandbox inside.
  { name: "limit_ooms", path: "memory.events.local", line: "oom ", limit: "memory" },
  { name: "oom_kills", path: "memory.events", line: "oom_kill " },
  { name: "pids_peak", path: "pids.peak" },
  { name: "pids_refused", path: "pids.events", dividedPath: "pids.events.local", line: "max ", limit: "pids" },
  { name: "cpu_user_us", path: "cpu.stat", line: "user_usec " },
  { name: "cpu_system_us", path: "cpu.stat", line: "system_usec " },
  { name: "cpu_throttled_us", path: "cpu.stat", line: "throttled_usec " },
  { name: "io_read_bytes", path: "io.stat", key: " rbytes=" },
  { name: "io_written_bytes", path: "io.stat", key: " wbytes=" },
  ...(["cpu", "memory", "io"] as const).flatMap((what) =>
    (["some", "full"] as const).map((share) => ({
      name: `${what}_pressure_${share}_us`,
      path: `${what}.pressure`,
      line: `${share} `,
      key: "total=",
    })),
  ),
];

function figures({ notices, divided }: Extract<CgroupStep, { op: "cgroup-figures" }>): Call[] {
  return FIGURES.flatMap(({ name, path: usual, dividedPath = usual, line = "", key = "", limit: reached }): Call[] => {
    const notice = notices.find((each) => each.limit === reached);
    const path = divided ? dividedPath : usual;
    const figure = { op: "figure", at: CGROUP, path, line, key, name } as const;
    if (notice === undefined) return [figure];
    const tell: Call = { op: "tell", slot: name, note: notice.note, name: notice.limit, limit: true };
    return [{ ...figure, save: name }, tell];
  });
}

/** What is left in it would keep it from being removed: after a set-up that failed half-way, or by sandboxes inside. */
function remove(name: string): Call[] {
  return [call("write", [slot(CGROUP_KILL), "1", 1], { of: CGROUP_KILL }), { op: "prune", at: PARENT, path: name }];
}

export function lowerCgroup(step: CgroupStep): Lowered {
  switch (step.op) {
    case "new-cgroup":
      return { host: make(step) };
    case "cgroup-limit":
      return { host: limit(step) };
    case "divide-cgroup":
      return { host: divide(step) };
    case "enter-leaf":
      // After the namespace, whose root is where it was made.
      return { init: write(CGROUP_INSIDE, `${LEAF}/cgroup.procs`, "0") };
    case "watch-cpu-time":
      return {
        host: [
          call("openat", [slot(CGROUP), CGROUP_CPU_STAT, O.CLOEXEC, 0], {
            save: CGROUP_CPU_STAT,
            of: CGROUP_CPU_STAT,
          }),
        ],
      };
    case "cgroup-figures":
      return { after: figures(step) };
    case "remove-cgroup":
      return { after: remove(step.name) };
    default:
      return assertNever(step);
  }
}
