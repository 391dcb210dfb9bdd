import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { withMounts } from "../../support/odd.ts";
import type { Project } from "../../support/project.ts";
import { makeRootTree } from "../../support/root-tree.ts";
import { ROOT } from "../../support/tsbox.ts";
import { type Attempt, type Provocation, run, withProfile } from "../provocation.ts";

/** A work directory that is writable, with a directory two levels down that is to be read-only. */
function nested(project: Project, more: readonly string[]): Attempt {
  mkdirSync(`${project.cwd}/a/b`, { recursive: true });
  const at = (path: string, mode: string) => ["-v", `${project.cwd}/${path}:${project.cwd}/${path}:${mode}`];
  return run(["--work", "rw", ...more.flatMap((path) => at(path, "rw")), ...at("a/b", "ro")]);
}

const caching = (project: Project, folder: string): Attempt => ({
  ...withProfile(project, '[[mount]]\ntype = "cache"\nname = "things"\ntarget = "/things"'),
  env: { XDG_CACHE_HOME: `${project.home}/${folder}` },
});

/** A /dev of fewer nodes. */
const FEW_DEVICES = `
mkdir dev; mount -t tmpfs none dev
for name in null zero random urandom tty; do : >dev/$name; mount --bind /dev/$name dev/$name; done
mount --rbind dev /dev`;

/** Errors of the work directory, mounts and devices. */
export const MOUNT: readonly Provocation[] = [
  {
    code: "E_WORK",
    when: "started from the home directory",
    told: ["it is your home directory", "from: ", "--work none"],
    attempt: ({ home }) => ({ ...run(), cwd: home, env: { HOME: home } }),
    repaired: ({ home }) => ({ ...run(["--work", "none"]), cwd: home, env: { HOME: home } }),
  },
  {
    code: "E_PROTECT",
    when: "it is a link",
    told: ["/.npmrc is a symbolic link, which cannot be held", "from: ./p.toml protect", "fix: put the file"],
    attempt: (project) => {
      symlinkSync("p.toml", `${project.cwd}/.npmrc`);
      return withProfile(project, 'work = "rw"\nprotect = [".npmrc"]');
    },
    repaired: (project) => {
      rmSync(`${project.cwd}/.npmrc`);
      project.write(".npmrc", "");
      return withProfile(project, 'work = "rw"\nprotect = [".npmrc"]');
    },
  },
  {
    code: "E_OVERLAY",
    when: "it is the host's root",
    told: ["cannot lay an overlay over /: it is the host's root", "from: command line"],
    attempt: () => run(["-v", "/:/host:overlay"]),
    repaired: () => run(["-v", "/usr:/host/usr:overlay"]),
  },
  {
    code: "E_OVERLAY",
    when: "something is mounted in the directory, and the kernel is to make the overlay",
    told: ["cannot lay an overlay over /dev: /dev/", "is mounted in it, which an overlay would hide"],
    attempt: (project) =>
      withProfile(project, 'storage.driver = "overlay"\n[[mount]]\nsource = "/dev"\ntarget = "/d"\nmode = "overlay"'),
    repaired: (project) => withProfile(project, '[[mount]]\nsource = "/usr"\ntarget = "/d"\nmode = "overlay"'),
  },
  {
    code: "E_OVERLAY",
    when: "it is a file",
    told: ["p.toml: it is no directory", "fix: use the directory that it lies in"],
    attempt: (project) => withProfile(project, '[[mount]]\nsource = "${work}/p.toml"\nmode = "overlay"'),
    repaired: (project) => withProfile(project, '[[mount]]\nsource = "${work}"\nmode = "overlay"'),
  },
  {
    code: "E_ROOT",
    when: "a writable one lacks what is mounted on",
    told: ["/root the root: it lacks /dev, and tsbox makes nothing in a directory of the host", "from: command line"],
    attempt: (project) => {
      mkdirSync(`${project.home}/root`);
      return run(["--work", "none", "--rootfs", `${project.home}/root:rw`, "-v", "/usr:/usr:ro"]);
    },
    repaired: (project) => {
      makeRootTree(`${project.home}/root`);
      return run(["--work", "none", "--rootfs", `${project.home}/root:overlay`, "-v", "/usr:/usr:ro"]);
    },
  },
  {
    code: "E_SECRET",
    when: "the variable is not set",
    told: ["cannot make the secret /run/secrets/token: the variable TOKEN is not set", "from: command line --secret"],
    attempt: () => run(["--secret", "token=TOKEN"]),
    repaired: () => ({ ...run(["--secret", "token=TOKEN"]), env: { TOKEN: "x" } }),
  },
  {
    code: "E_SECRET",
    when: "the file is not there",
    told: ["/token cannot be read (ENOENT)", "from: command line --secret-file token=./token"],
    attempt: () => run(["--secret-file", "token=./token"]),
    repaired: (project) => {
      project.write("token", "x");
      return run(["--secret-file", "token=./token"]);
    },
  },
  {
    code: "E_CACHE",
    when: "others can write to where caches are",
    told: ["/cache/tsbox is no directory that only you can write to", "from: ./p.toml mount[0]"],
    attempt: (project) => {
      mkdirSync(`${project.home}/cache/tsbox`, { recursive: true });
      chmodSync(`${project.home}/cache/tsbox`, 0o777);
      return caching(project, "cache");
    },
    repaired: (project) => caching(project, "cache-of-my-own"),
  },
  {
    code: "E_TOOL",
    when: "the program is not installed",
    told: [
      "cannot share the program thing: it is in no directory of PATH",
      "from: ./p.toml tools",
      "fix: install thing",
    ],
    attempt: (project) => withProfile(project, 'tools = ["thing"]'),
    repaired: (project) => {
      mkdirSync(`${project.home}/thing-1/bin`, { recursive: true });
      writeFileSync(`${project.home}/thing-1/bin/thing`, "#!/bin/sh\n", { mode: 0o755 });
      const PATH = `${project.home}/thing-1/bin:/usr/bin:/bin`;
      return { ...withProfile(project, 'tools = ["thing"]', ["thing"]), env: { PATH } };
    },
  },
  {
    code: "E_MOUNT_SOURCE",
    when: "what is to be bound is not there",
    told: ["/data does not exist", "from: command line --volume ./data:/data"],
    attempt: () => run(["-v", "./data:/data"]),
    repaired: (project) => {
      mkdirSync(`${project.cwd}/data`);
      return run(["-v", "./data:/data"]);
    },
  },
  {
    code: "E_MOUNT_LINK",
    when: "the way to it leads over a link of one's own",
    told: ["/data is a link that root did not make", "if it is meant to lead to /usr, write that path"],
    attempt: (project) => {
      symlinkSync("/usr", `${project.cwd}/data`);
      return run(["-v", "./data:/data:ro"]);
    },
    repaired: () => run(["-v", "/usr:/data:ro"]),
  },
  {
    code: "E_MOUNT_OWN",
    when: "tsbox itself is to be writable",
    told: [`cannot share ${ROOT}: `, "is tsbox's own"],
    attempt: () => run(["-v", `${ROOT}:/tsbox`]),
    repaired: ({ cwd }) => run(["-v", `${cwd}:/tsbox`]),
  },
  {
    code: "E_MOUNT_RENAME",
    when: "a read-only mount lies deep in a writable one",
    told: ["it can be renamed", "/a too, which keeps it from being renamed"],
    attempt: (project) => nested(project, []),
    repaired: (project) => nested(project, ["a"]),
  },
  {
    code: "E_MOUNT_TARGET",
    when: "it is to appear where the sandbox has its own",
    told: ["cannot mount on /bin", "/bin is tsbox's own"],
    attempt: () => run(["-v", "/usr/bin:/bin:ro"]),
    repaired: () => run(["-v", "/usr/bin:/opt/bin:ro"]),
  },
  {
    code: "E_MOUNT_POINT",
    when: "it is to appear in a directory of the host that lacks the place",
    told: ["does not exist there; tsbox creates nothing on the host"],
    attempt: ({ cwd }) => run(["-v", `/usr:${cwd}/sdk:ro`]),
    repaired: ({ cwd }) => {
      mkdirSync(`${cwd}/sdk`);
      return run(["-v", `/usr:${cwd}/sdk:ro`]);
    },
  },
  {
    code: "E_DEVICE",
    when: "the host lacks /dev/full",
    told: ["cannot bind the device /dev/full"],
    attempt: () => ({ ...run(), wrapper: withMounts(FEW_DEVICES) }),
    repaired: (project) => ({
      ...withProfile(project, 'root.devices = ["null", "zero", "random", "urandom", "tty"]'),
      wrapper: withMounts(FEW_DEVICES.replace("mkdir dev; ", "")),
    }),
  },
];
