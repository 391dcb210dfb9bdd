import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderError } from "../../src/errors/error.ts";
import type { Overrides } from "../../src/profile/override.ts";
import { readProfile } from "../../src/profile/read.ts";
import { escapeText, fillTemplate, parseText } from "../../src/profile/variable.ts";
import { catchError, makeScratch } from "./scratch.ts";

const WHERE = { user: { uid: 1000, home: "/home/user" }, cwd: "/srv/project" };

/** The profile of a file below the scratch folder, read from /srv/project. */
function read(text: string, overrides: Overrides = {}, where: object = WHERE) {
  const scratch = makeScratch({ "p/x.toml": text });
  return {
    ...readProfile(join(scratch.cwd, "p/x.toml"), { ...scratch, ...where }, overrides),
    folder: `${scratch.cwd}/p`,
  };
}
const refuse = (text: string, where?: object) => catchError(() => read(text, {}, where));

describe("variables", () => {
  it("are the work directory, the home directory of the side that a path is of, and the folder of the file", () => {
    const { folder, ...profile } = read(`
      workdir = "\${work}/src"
      environment.set = { CACHE = "\${home}/.cache", PATH = "/bin:\${home}/bin:\${work}/bin", P = "\${profile}" }
      seccomp.file = "\${home}/f.json"
      [[mount]]
      source = "\${home}/.m2"
      [[mount]]
      source = "\${profile}/rc"
      target = "\${home}/.rc/./x/"
      [[mount]]
      source = "\${work}"
      [[mount]]
      type = "tmpfs"
      target = "\${work}/out"`);
    expect(profile.workdir).toBe("/srv/project/src");
    expect(profile.environment.set).toEqual({
      CACHE: "/home/sandbox/.cache",
      PATH: "/bin:/home/sandbox/bin:/srv/project/bin",
      P: folder,
    });
    expect(profile.seccomp.file).toEqual({ path: "/home/user/f.json", shown: "/home/user/f.json" });
    expect(profile.mounts).toMatchObject([
      { source: "/home/user/.m2", target: "/home/sandbox/.m2" },
      { source: `${folder}/rc`, target: "/home/sandbox/.rc/x" },
      { source: "/srv/project", target: "/srv/project" },
      { type: "tmpfs", target: "/srv/project/out" },
    ]);
    expect(profile.origins.get("workdir")?.key).toBe("workdir");
    expect(profile.origins.get("mount[1]")?.key).toBe("mount[1]");
  });

  it("know the home directory that the whole profile gives, flags and parents included", () => {
    const homeOf = (text: string, flags?: Overrides) => read(`workdir = "\${home}"\n${text}`, flags).workdir;
    expect(homeOf("")).toBe("/home/sandbox");
    expect(homeOf('ids.map = "root"')).toBe("/root");
    expect(homeOf('ids.map = "root"', { map: "self" })).toBe("/home/sandbox");
    expect(homeOf("", { userns: "auto" })).toBe("/root");
    expect(homeOf("", { uidmap: ["0:1000"] })).toBe("/root");
    expect(homeOf('ids.uid_map = ["0:1000"]')).toBe("/root");
    expect(homeOf('ids.uid_map = ["7:1000"]\nids.map = "root"')).toBe("/home/sandbox");
  });

  it("are each file's own in a chain, and merge by what they come to", () => {
    const where = makeScratch({
      "a/base.toml": '[[mount]]\nsource = "${profile}/x"\ntarget = "/home/sandbox/x"\n[[mount]]\nsource = "/y"',
      "b/child.toml":
        'extends = "../a/base.toml"\n[[mount]]\nsource = "${profile}/x"\ntarget = "${home}/x"\nmode = "rw"',
    });
    expect(readProfile("b/child.toml", where).mounts).toMatchObject([
      { source: `${where.cwd}/b/x`, target: "/home/sandbox/x", mode: "rw" },
      { source: "/y" },
    ]);
  });

  it("are left alone where $${ says so, in flags, in env files, and where no key takes them", () => {
    const profile = read(
      'workdir = "/a/$${home}"\nenvironment.set = { A = "$${x} $x $$ ${work}" }\ndescription = "${x}"',
      {
        env: ["B=${x}"],
        volume: ["/v/${home}:/t"],
      },
    );
    expect(profile.workdir).toBe("/a/${home}");
    expect(profile.environment.set).toEqual({ A: "${x} $x $$ /srv/project", B: "${x}" });
    expect(profile.mounts).toMatchObject([{ source: "/v/${home}", target: "/t" }]);
    expect(profile.description).toBe("${x}");
  });

  it.each([
    [
      'workdir = "${hme}/x"',
      "workdir",
      "there is no variable ${hme}; did you mean ${home}? known are ${work}, ${home}",
    ],
    ['workdir = "${WORK}"', "workdir", "there is no variable ${WORK}"],
    ['workdir = "${}"', "workdir", "there is no variable ${}"],
    ['workdir = "${home"', "workdir", "a variable ends with }; write $${ for a literal ${"],
    ['workdir = "/a/${home}"', "workdir", "a variable stands only at the start of a path"],
    ['workdir = "${home}/${work}"', "workdir", "a variable stands only at the start of a path"],
    ['workdir = "${home}${work}"', "workdir", "a variable stands only at the start of a path"],
    ['workdir = "${home}x"', "workdir", "a path goes on with / after ${home}"],
    ['workdir = "${home}/../x"', "workdir", "it contains '..'"],
    ['workdir = "${home}/\\u0000"', "workdir", "it contains a NUL character"],
    ['[[mount]]\nsource = "${work}/../x"', "mount[0].source", "it contains '..'"],
    ['[[mount]]\nsource = "/a"\ntarget = "${work}x"', "mount[0].target", "a path goes on with /"],
    ['seccomp.file = "a/${home}"', "seccomp.file", "only at the start"],
    [
      'environment.set = { A = "x${y}" }',
      "environment.set.A",
      "known are ${work}, ${home}, ${profile}; $${ is a literal ${",
    ],
    ['environment.set = { A = "${" }', "environment.set.A", "$${ is a literal ${"],
  ])("are refused with file and key: %s", (text, key, why) => {
    const error = refuse(text);
    expect(error.code).toBe("E_PROFILE_VALUE");
    expect(error.from?.file).toMatch(/p\/x\.toml$/);
    expect(error.from?.key).toBe(key);
    expect(error.why).toContain(why);
  });

  it("are checked again by the rules of the key once they have a value", () => {
    const target = refuse('[[mount]]\nsource = "/a"\ntarget = "${work}"', { ...WHERE, cwd: "/proc/self" });
    expect(renderError(target)).toMatch(
      /mount\[0\]\.target: expected an absolute path other than \/ and outside \/proc, found "\/proc\/self" with its variables filled in \[E_PROFILE_VALUE\]/,
    );
    expect(refuse('[[mount]]\nsource = "${work}"', { ...WHERE, cwd: "/" }).why).toContain("other than /");
    const long = { ...WHERE, cwd: `/${"d".repeat(4090)}` };
    expect(refuse('workdir = "${work}/toolong"', long).why).toContain("longer than 4095 bytes");
    expect(read('workdir = "${work}/x"', {}, long).workdir).toHaveLength(4093);
    const value = `environment.set = { A = "${"x".repeat(131_060)}\${work}" }`;
    expect(refuse(value).why).toContain("below 128 KiB");
    expect(refuse(value).message).not.toContain("xxx");
  });

  it("any text is itself when it is escaped", () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[${}a-z/]{0,12}$/)), (text) => {
        expect(parseText(escapeText(text))).toEqual({ value: text });
      }),
    ));

  it("any template is what its parts are, in order", () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom("${work}", "${home}", "$", "}", "$${", "a"), { maxLength: 8 }), (parts) => {
        const text = parts.join("");
        const parsed = parseText(text);
        if ("fault" in parsed) return;
        const values = { work: "W", home: "H", profile: "P" };
        const wanted = text.replace(/\$\$\{|\$\{(\w+)\}/g, (_, name) =>
          name === undefined ? "${" : name[0].toUpperCase(),
        );
        expect(fillTemplate(parsed.value, values)).toBe(wanted);
      }),
    ));
});
