import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { ERRNO, type ErrnoName } from "../../src/sys/call.ts";
import { SYSCALLS, type SyscallName } from "../../src/sys/syscalls.ts";
import { buildFixture } from "./fixture.ts";
import type { Project } from "./project.ts";
import { ROOT } from "./tsbox.ts";

/*
 * Words to put before a command that make it see a machine other than this one is. All of them exec, or wait for what
 * they start and end as it does.
 */

const ARCH = process.arch === "arm64" ? "aarch64" : "x86_64";

/** The comm of the processes of a sandbox until the command. */
export const LAUNCHER = "tsbox-launcher";

export interface Refusal {
  /** proc_pid_comm(5) of who is refused; any process if left out. */
  readonly comm?: string;
  /** Which of the calls, from 0; each if left out. */
  readonly nth?: number;
}

/** A kernel that refuses a system call with an errno; test/fixtures/refuse.c. Sets no_new_privs. */
export const refusing = (name: SyscallName, errno: ErrnoName, refusal: Refusal = {}): string[] =>
  answering(name, ERRNO[errno], refusal);

/** A kernel in which a system call never returns; once it does not, "it hangs" comes on stdout. */
export const stalling = (name: SyscallName, refusal: Refusal): string[] => answering(name, 0, refusal);

function answering(name: SyscallName, answer: number, { comm = "*", nth }: Refusal): string[] {
  const numbers: Readonly<Record<string, number>> = SYSCALLS[ARCH];
  const number = numbers[name];
  if (number === undefined) throw new RangeError(`${ARCH} has no ${name}`);
  return [buildFixture("refuse"), comm, String(number), String(answer), String(nth ?? "all"), "--"];
}

const TERMINAL = "import os,subprocess,sys; sys.exit(subprocess.call(sys.argv[1:], stdin=os.openpty()[1]))";

/** Standard input is a terminal, at which nobody types. */
export const atTerminal: readonly string[] = ["/usr/bin/python3", "-c", TERMINAL];

const inShell = (script: string, rest: string): string[] => ["sh", "-ec", `${script}\n${rest}`, "sh"];

/** `script` is run first, as by root of a user and mount namespace; then the command, with your own ids. */
export function withMounts(script: string): string[] {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const back = `exec unshare --user --map-user=${uid} --map-group=${gid} -- "$@"`;
  return ["unshare", "--user", "--map-root-user", "--mount", ...inShell(script, back)];
}

/** `script` is run first, as by root of a user namespace, which the command stays in. */
export const inNamespace = (script: string): string[] => [
  ...["unshare", "--user", "--map-root-user", "--mount"],
  ...inShell(script, 'exec "$@"'),
];

/**
 * An overlay over a directory, with overlays below it: so many lie on each other. The kernel takes two.
 *
 * @param more Is run by root of the namespace, in a directory where layers can be made.
 */
export function withOverlays(directory: string, depth: number, more = ""): string[] {
  const layers = Array.from({ length: depth }, (_, i) => {
    const target = i === depth - 1 ? '"$top"' : `m${i}`;
    const lower = i === 0 ? '"$top"' : `m${i - 1}`;
    const options = `userxattr,lowerdir=${lower},upperdir=u${i},workdir=w${i}`;
    return `mkdir u${i} w${i} m${i}; mount -t overlay -o ${options} none ${target}`;
  });
  const script = ["here=$PWD", `top=${directory}`, "mount -t tmpfs none /mnt; cd /mnt", ...layers, more, 'cd "$here"'];
  return inNamespace(script.join("\n"));
}

/** For {@link withOverlays}: fuse-overlayfs is not installed. */
export const NO_FUSE_OVERLAYFS =
  "mkdir bin-u bin-w; mount -t overlay -o userxattr,lowerdir=/usr/bin,upperdir=bin-u,workdir=bin-w none /usr/bin" +
  "; rm -f /usr/bin/fuse-overlayfs";

/** A sandbox of that name runs besides, until the command ends; its directory is that of a home without XDG_RUNTIME_DIR. */
export const besideSandbox = (name: string): string[] =>
  inShell(
    `'${process.execPath}' '${ROOT}/bin/tsbox.js' run --name ${name} -- sleep 60 </dev/null >/dev/null 2>&1 &
for try in $(seq 500); do if [ -S "$HOME/.cache/tsbox/running/${name}" ]; then break; fi; sleep 0.02; done`,
    'exec "$@"',
  );

/** A sandbox of tsbox itself, with these options, in which the checkout and Node are to be seen. */
export const inSandbox = (...options: readonly string[]): string[] => [
  ...[process.execPath, `${ROOT}/bin/tsbox.js`, "run", ...options],
  ...[ROOT, process.execPath].flatMap((path) => ["-v", `${path}:${path}:ro`]),
  "--",
];

/** `script` is run first, in the shell that becomes the command. */
export const afterShell = (script: string): string[] => inShell(script, 'exec "$@"');

const LIBRARY_FOLDERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];

/** Where this machine's libseccomp is. */
export function libseccompPath(): string {
  const path = LIBRARY_FOLDERS.map((folder) => `${folder}/libseccomp.so.2`).find((file) => existsSync(file));
  if (path === undefined) throw new Error("libseccomp.so.2 is in none of the usual places");
  return path;
}

/** The environment in which libseccomp is another than the real one; test/fixtures/libseccomp.c. */
export function oddLibseccomp(project: Project, way: "old" | "failing" | "wrong"): Record<string, string> {
  const library = buildFixture("libseccomp", ["-shared", "-fPIC"]);
  const folder = `${project.home}/lib`;
  mkdirSync(folder, { recursive: true });
  copyFileSync(library, `${folder}/libseccomp.so.2`);
  return { LD_LIBRARY_PATH: folder, TSBOX_LIBSECCOMP: way, TSBOX_REAL_LIBSECCOMP: libseccompPath() };
}
