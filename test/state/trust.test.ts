import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { distrustProject, readProject, trustProject } from "../../src/run/project.ts";
import { changeTrusted, readTrusted } from "../../src/state/trust.ts";
import { catchError, makeScratch } from "../profile/scratch.ts";

const HASH = "a".repeat(64);

function make(files: Readonly<Record<string, string>> = {}) {
  const { cwd } = makeScratch(files);
  const config = join(cwd, "config");
  return { cwd, config, store: join(config, "tsbox/trusted.json") };
}

describe("the list of trusted files", () => {
  it("is empty where there is none, and nobody's but the user's once it is written", () => {
    const { config, store } = make();
    expect(readTrusted(config)).toEqual([]);
    changeTrusted(config, () => [{ path: "/a", sha256: HASH }]);
    expect(readTrusted(config)).toEqual([{ path: "/a", sha256: HASH }]);
    expect([statSync(store).mode & 0o777, statSync(join(config, "tsbox")).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(existsSync(`${store}.new`)).toBe(false);
  });

  it.each([
    ["{", "it is not what tsbox writes there"],
    ['{ "version": 2, "files": [] }', "it is not what tsbox writes there"],
    ['{ "version": 1, "files": [{ "path": "/a", "sha256": "x" }] }', "it is not what tsbox writes there"],
    ["x".repeat(2 ** 20 + 1), "it is no file of at most 1 MiB"],
  ])("is refused when it is no such list: %.40s", (text, why) => {
    const { config, store } = make({ "config/tsbox/trusted.json": text });
    expect(catchError(() => readTrusted(config)).why).toBe(why);
    expect(readFileSync(store, "utf8")).toBe(text);
  });

  it("is refused when others could have written it, also by its directory", () => {
    const { config, store } = make({ "config/tsbox/trusted.json": '{ "version": 1, "files": [] }' });
    for (const mode of [0o620, 0o602]) {
      chmodSync(store, mode);
      expect(catchError(() => readTrusted(config)).why).toContain("others can write");
    }
    chmodSync(store, 0o600);
    expect(readTrusted(config)).toEqual([]);
    chmodSync(join(config, "tsbox"), 0o770);
    expect(catchError(() => changeTrusted(config, (files) => files)).why).toContain("others can write to");
  });

  it("is not followed as a link, not read as a directory, and not looked for in a relative place", () => {
    const linked = make({ "real.json": '{ "version": 1, "files": [] }' });
    mkdirSync(join(linked.config, "tsbox"), { recursive: true });
    symlinkSync(join(linked.cwd, "real.json"), linked.store);
    expect(catchError(() => readTrusted(linked.config)).why).toBe("it is a link");
    const directory = make();
    mkdirSync(directory.store, { recursive: true });
    expect(catchError(() => readTrusted(directory.config)).code).toBe("E_TRUST_STORE");
    expect(catchError(() => readTrusted(undefined)).fix).toBe("set HOME");
    expect(catchError(() => readTrusted("config")).fix).toBe("set HOME");
  });

  it("is written by one at a time, and is as before when a change fails", () => {
    const { config, store } = make();
    changeTrusted(config, () => [{ path: "/a", sha256: HASH }]);
    writeFileSync(`${store}.new`, "");
    const error = catchError(() => changeTrusted(config, () => []));
    expect(error.why).toContain("another tsbox trust runs, or one was killed");
    expect(error.fix).toBe(`remove ${store}.new`);
    expect(readTrusted(config)).toHaveLength(1);
    const { config: other, store: place } = make();
    expect(() =>
      changeTrusted(other, () => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect([existsSync(place), existsSync(`${place}.new`)]).toEqual([false, false]);
  });
});

describe("trust in a project file", () => {
  it("is for this content at this place, by whatever name", () => {
    const { cwd, config } = make({ "p/tsbox.toml": 'work = "rw"', "p/copy.toml": 'work = "rw"' });
    const trustOf = (file: string) => readProject(file, cwd, config).trust;
    expect(trustOf("p/tsbox.toml")).toBe("none");
    trustProject(readProject("p/tsbox.toml", cwd, config), config);
    symlinkSync("p", join(cwd, "q"));
    expect(["p/tsbox.toml", "./p/../p/tsbox.toml", "q/tsbox.toml", "p/copy.toml"].map(trustOf)).toEqual([
      "trusted",
      "trusted",
      "trusted",
      "none",
    ]);
    writeFileSync(join(cwd, "p/tsbox.toml"), 'work = "rw" ');
    expect(trustOf("p/tsbox.toml")).toBe("changed");
    trustProject(readProject("p/tsbox.toml", cwd, config), config);
    expect([trustOf("p/tsbox.toml"), readTrusted(config).length]).toEqual(["trusted", 1]);
    distrustProject("q/tsbox.toml", cwd, config);
    expect([trustOf("p/tsbox.toml"), readTrusted(config)]).toEqual(["none", []]);
    expect(catchError(() => distrustProject("p/tsbox.toml", cwd, config)).code).toBe("E_TRUST_NONE");
  });

  it("is none without a configuration, and can be taken back when the file is gone", () => {
    const { cwd, config } = make({ "x.toml": "" });
    expect(readProject("x.toml", cwd, undefined).trust).toBe("none");
    expect(readProject("x.toml", cwd, "relative").trust).toBe("none");
    changeTrusted(config, () => [{ path: join(cwd, "gone.toml"), sha256: HASH }]);
    distrustProject("gone.toml", cwd, config);
    expect(readTrusted(config)).toEqual([]);
  });
});
