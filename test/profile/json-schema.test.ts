import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { profileJsonSchema } from "../../src/profile/json-schema.ts";
import { parseToml } from "../../src/profile/toml.ts";
import { isValid, profiles } from "./arbitrary.ts";
import { PACKAGE } from "./scratch.ts";

const schema = profileJsonSchema();
const accepts = new Ajv2020({ strict: true, strictRequired: false, allErrors: false }).compile(schema);

/** As JSON has it: without the objects that have no prototype. */
const plain = (text: string): unknown => JSON.parse(JSON.stringify(parseToml(text, "x.toml")));

const VALID = [
  "",
  'extends = "strict"\nwork = "rw"\n[[mount]]\nsource = "/opt/sdk"',
  'hostname = "a.b-c"\nworkdir = "/a//b/./c/"',
  'capabilities.keep = ["chown", "CAP_KILL", "cap_net_bind_service"]',
  'clock = { monotonic = "10d", boottime = -5 }',
  'root = { size = 65536, etc = ["ssl/certs", ".x", "..y"], sys = ["/sys/devices", "//sys/./x"], devices = [] }',
  'proc = { masked = ["/proc/a"], readonly = ["/proc", "/proc/sys/"] }',
  '[[mount]]\nsource = "/a"\nmode = "overlay"\nsize = "1M"',
  '[[mount]]\ntype = "tmpfs"\ntarget = "/a"\nsize = "4KiB"\npermissions = "1777"',
  '[[mount]]\ntype = "bind"\nsource = "/a"\ntarget = "/b"\nmode = "rw"\noptional = true',
  'seccomp.file = "f.json"',
  '[environment]\npass = ["A B"]\nset = { A = "", "b c" = "=" }',
  'limits.timeout = "500ms"',
  '[rlimits]\ncore = 0\nmemlock = "64KiB"\ncpu = "unlimited"\nnofile = "1024:unlimited"\nnice = { soft = 1, hard = "2" }',
];

/** What a schema can tell; the twin of each is above. */
const INVALID = [
  "wrok = 1",
  'work = "wr"',
  "work = true",
  'hostname = "-a"',
  'hostname = ""',
  'workdir = "tmp"',
  'workdir = "/a/../b"',
  'ids.map = "me"',
  'capabilities.keep = ["SYS_ADMIN"]',
  'capabilities.keep = "CHOWN"',
  'clock.monotonic = "5"',
  "root.size = 0",
  'root.size = "1GB"',
  'root.etc = ["/etc/hosts"]',
  'root.etc = ["a/../b"]',
  'root.sys = ["/proc/x"]',
  'root.devices = ["kvm"]',
  'proc.masked = ["/procx"]',
  "mount = [{}]",
  'mount = [{ type = "tmpfs" }]',
  'mount = [{ source = "/a", size = "1M" }]',
  'mount = [{ type = "tmpfs", target = "/a", mode = "rw" }]',
  'mount = [{ source = "/a", optional = "yes" }]',
  'mount = [{ type = "tmpfs", target = "/a", permissions = "4755" }]',
  'network.mode = "hots"',
  'seccomp.allow = ["Base"]',
  'seccomp = { allow = ["base"], file = "f.json" }',
  'environment.pass = ["A=B"]',
  'environment.set = { "" = "x" }',
  "environment.set = { A = 1 }",
  "limits.timeout = 10",
  "rlimits.nofile = 0",
  "rlimits.nofiles = 1",
  'rlimits.nofile = "64KiB"',
  "rlimits.cpu = { soft = 1 }",
  'lifecycle.die_with_parent = "yes"',
  'extends = ""',
];

const shipped = readdirSync(join(PACKAGE, "profiles")).filter((file) => file.endsWith(".toml"));

describe("the JSON schema of a profile", () => {
  it.each(shipped)("takes the shipped %s", (file) => {
    accepts(plain(readFileSync(join(PACKAGE, "profiles", file), "utf8")));
    expect(accepts.errors).toBeNull();
  });

  it.each(VALID)("takes what tsbox takes: %j", (text) => {
    expect(isValid(parseToml(text, "x.toml"))).toBe(true);
    accepts(plain(text));
    expect(accepts.errors).toBeNull();
  });

  it.each(INVALID)("refuses what tsbox refuses: %j", (text) => {
    expect(isValid(parseToml(text, "x.toml"))).toBe(false);
    expect(accepts(plain(text))).toBe(false);
  });

  it("takes every profile that tsbox takes", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(profiles(), (profile) => {
        accepts(profile);
        expect(accepts.errors).toBeNull();
      }),
      { numRuns: 100 },
    );
  });

  it("refuses nothing that tsbox takes, with one value of any kind in it", { timeout: 60_000 }, () => {
    const keys = Object.keys(Object(schema["properties"]));
    const pair = fc.tuple(fc.constantFrom(...keys), fc.oneof(fc.jsonValue(), fc.stringMatching(/^[a-z0-9/.:]{0,8}$/)));
    fc.assert(
      fc.property(profiles(), pair, (profile, [key, value]) => {
        const changed = { ...profile, [key]: value };
        if (isValid(changed)) expect(accepts(changed)).toBe(true);
      }),
    );
  });

  it("says of each key what docs/profile.md says", () => {
    const properties = JSON.parse(JSON.stringify(schema["properties"]));
    expect(properties.work.description).toMatch(
      /^Shares the current directory.*\n\nType: "ro" or .*Default: `"none"`\.$/s,
    );
    expect(properties.rlimits.properties.nofile.description).toContain("getrlimit(2)");
    expect(properties.seccomp.properties.file.description).not.toContain("](");
  });
});
