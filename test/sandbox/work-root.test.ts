import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { expect, it, onTestFinished } from "vitest";
import { debianPath, SUITE } from "../../scripts/debian.mjs";
import { needBackend } from "../support/backend.ts";
import { patient } from "../support/patience.ts";
import { makeProject } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";
import { run } from "../support/tsbox.ts";

/** Each takes a minute where nothing else runs. */
const LIMIT_MS = 600_000;

const PROFILE = `extends = "strict"
work = "none"
ids.map = "range"
capabilities.keep = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"]
seccomp.allow = ["base", "ids"]
root.size = "2GiB"
rlimits.nofile = 65536
`;

/** Where Debian's packages can be had; the machine of `npm run test:vm` has no network. */
const isOnline = Object.values(networkInterfaces()).some((all) => all?.some(({ internal }) => !internal));
const NAME = `a Debian is bootstrapped in a directory${isOnline ? ", and a package installed in it" : ""}, without root`;

it(NAME, {
  timeout: patient(LIMIT_MS),
}, async () => {
  skipUnless(existsSync(debianPath()), "the packages of a small Debian could not be downloaded");
  if (isOnline) needBackend();
  const { cwd, home } = makeProject();
  const root = `${home}/debian`;
  mkdirSync(root);
  writeFileSync(`${home}/system.toml`, PROFILE);
  const inside = (command: readonly string[], ...words: readonly string[]) =>
    // As in a container of that kind, where debootstrap makes no device nodes.
    run(command, {
      cwd,
      words: ["--profile", `${home}/system.toml`, "-e", "container=lxc", ...words],
      limitMs: LIMIT_MS,
    });
  // Files of subordinate ids are not the test's to remove.
  onTestFinished(async () => {
    await inside(["sh", "-c", "rm -rf /mnt/root/* "], "-v", `${root}:/mnt/root`);
  });
  const given = ["-v", `${root}:/mnt/root`, "-v", `${debianPath()}:/debian.tar.gz:ro`];
  const keys = existsSync("/usr/share/keyrings") ? [] : ["--no-check-gpg"];
  const bootstrap = ["/usr/sbin/debootstrap", ...keys, "--foreign", "--variant=minbase"];
  const first = [...bootstrap, "--unpack-tarball=/debian.tar.gz", SUITE, "/mnt/root"];
  expect(await inside(["env", "PATH=/usr/sbin:/usr/bin", ...first], ...given)).toMatchObject({ code: 0 });
  const made = "mkdir -p dev proc sys run tmp var/tmp root && touch etc/hosts etc/hostname etc/resolv.conf";
  expect(await inside(["sh", "-c", `cd /mnt/root && ${made}`], ...given)).toMatchObject({ code: 0 });
  expect(await inside(["/debootstrap/debootstrap", "--second-stage"], "--rootfs", `${root}:rw`)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("Base system installed successfully"),
  });
  // The group "shadow" is one of the range's.
  expect(statSync(`${root}/etc/shadow`).gid).toBeGreaterThan(65_536);
  expect(await inside(["dpkg", "--audit"], "--rootfs", root)).toMatchObject({ code: 0, stdout: "" });
  if (!isOnline) return;
  const install = "apt-get update -qq && apt-get install -qq --no-install-recommends hello && hello && id -un";
  const installed = await inside(["sh", "-c", install], "--rootfs", `${root}:rw`, "--network", "user");
  expect(installed).toMatchObject({ code: 0, stdout: expect.stringContaining("Hello, world!") });
  const again = ["--rootfs", `${root}:overlay`];
  expect(
    await inside(["sh", "-c", "hello -t && apt-get remove -qq hello >/dev/null && ! hello"], ...again),
  ).toMatchObject({
    code: 0,
  });
  expect(await inside(["hello", "-t"], "--rootfs", root)).toMatchObject({ code: 0, stdout: "hello, world\n" });
});
