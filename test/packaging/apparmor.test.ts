import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { profileCommand } from "../../src/doctor/apparmor.ts";
import { makeProject } from "../support/project.ts";
import { skipUnless } from "../support/skip.ts";

const ROOT = join(import.meta.dirname, "../..");
const PROFILE = readFileSync(join(ROOT, "packaging/apparmor/tsbox"), "utf8");
const PARSER = ["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser"].find(existsSync);
/** What AppArmor 4 brings; a parser before it knows neither the version nor the rule. */
const IS_NEW = existsSync("/etc/apparmor.d/abi/4.0");
const known = (text: string) =>
  IS_NEW ? text : text.replace("abi <abi/4.0>,", "abi <abi/3.0>,").replace("  userns,\n", "");

/** Compiles a profile without loading it; what the parser makes of each path. */
function compile(text: string) {
  if (PARSER === undefined) throw new Error("there is no parser");
  const file = makeProject().write("profile", known(text));
  const words = ["--skip-kernel-load", "--skip-cache", "-D", "rule-exprs", file];
  const { status, stdout, stderr } = spawnSync(PARSER, words, { encoding: "utf8" });
  return { status, said: stdout + stderr };
}

/** What the command of `tsbox doctor` would write, of which only the loading is left out. */
function writtenFor(launcher: string): string {
  const project = makeProject();
  const file = join(project.home, "written");
  const command = profileCommand(ROOT, launcher)
    .replace(/^as root: /, "")
    .replace(/ && apparmor_parser -r .*$/, "")
    .replace("/etc/apparmor.d/tsbox", `'${file}'`);
  const { status, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  return readFileSync(file, "utf8");
}

describe("the profile for AppArmor", () => {
  it("allows user namespaces and restricts nothing", () => {
    expect(PROFILE).toMatch(/^abi <abi\/4\.0>,$/m);
    expect(PROFILE).toMatch(/^profile tsbox @\{tsbox_launcher\} flags=\(unconfined\) \{\n {2}userns,\n/m);
  });

  it("is taken by the parser", () => {
    skipUnless(PARSER !== undefined, "apparmor_parser is not installed");
    const { status, said } = compile(PROFILE);
    expect([status, said]).toEqual([
      0,
      expect.stringContaining("/usr/(|local/)lib/node_modules/tsbox/(bin/tsbox|dist/"),
    ]);
    expect(compile(PROFILE.replace("unconfined", "no-such-flag")).status).not.toBe(0);
  });

  it.each(["/usr/lib", "/usr/local/lib"])("is installed as it is for a launcher in %s", (lib) => {
    const launcher = `${lib}/node_modules/tsbox/dist/launcher/aarch64/tsbox-launcher`;
    expect(profileCommand(`${lib}/node_modules/tsbox`, launcher)).toMatch(/^as root: cp /);
    expect(writtenFor(launcher)).toBe(PROFILE);
  });

  it("is written for a launcher elsewhere, and for no other", () => {
    skipUnless(PARSER !== undefined, "apparmor_parser is not installed");
    const launcher = "/home/u/.nvm/versions/node/v20.1.0/lib/node_modules/tsbox/dist/launcher/x86_64/tsbox-launcher";
    const written = writtenFor(launcher);
    expect(written.split("\n")).toHaveLength(PROFILE.split("\n").length);
    const { status, said } = compile(written);
    expect(status).toBe(0);
    const folder = "/home/u/.nvm/versions/node/v20.1.0/lib/node_modules/tsbox";
    const paths = `${folder}/{bin/tsbox,dist/launcher/x86_64/tsbox-launcher}`;
    expect(said.match(/^aare: \S+/gm)).toEqual([`aare: ${paths}`]);
  });

  it("is not written for a path that would say more than itself", () => {
    for (const path of [
      "/srv/a b/tsbox-launcher",
      "/srv/*/tsbox-launcher",
      "/srv/$(id)/x",
      "/srv/a'b/x",
      "/srv/@{HOME}/x",
    ]) {
      expect(profileCommand(ROOT, path)).toMatch(/^install tsbox below/);
    }
  });
});
