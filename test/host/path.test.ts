import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { canonical, ifThere, probePath, wayTo } from "../../src/host/path.ts";
import { type Tree, treeFact } from "../support/host.ts";
import { skipUnless } from "../support/skip.ts";

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "tsbox-path-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return canonical(folder) ?? folder;
}

describe("a path of the host", () => {
  it("is what lies there, a link with where it leads; the model of test/support says the same", () => {
    const folder = scratch();
    mkdirSync(join(folder, "dir/sub"), { recursive: true });
    writeFileSync(join(folder, "file"), "");
    const links = {
      "to-dir": "dir",
      "to-file": "./file",
      up: "dir/../dir/sub",
      gone: "nowhere",
      loop: "loop",
      deep: "to-dir/sub",
    };
    for (const [name, to] of Object.entries(links)) symlinkSync(to, join(folder, name));
    const tree: Tree = {
      [join(folder, "dir/sub")]: "directory",
      [join(folder, "file")]: "file",
      ...Object.fromEntries(Object.entries(links).map(([name, to]) => [join(folder, name), `-> ${to}` as const])),
    };
    const names = [...Object.keys(links), "dir", "file", "dir/sub", "to-dir/sub", "file/x", "gone/x", "none", "loop/x"];
    for (const name of names) {
      // The model's links are all root's.
      const { untrusted, mode: _, ...fact } = { untrusted: undefined, mode: 0, ...probePath(join(folder, name)) };
      expect(fact, name).toEqual(treeFact(tree, join(folder, name)));
      const first = ["to-dir", "to-file", "up", "deep"].find((link) => name === link || name.startsWith(`${link}/`));
      expect(untrusted, name).toBe(first === undefined ? undefined : join(folder, first));
    }
    expect(probePath(join(folder, "to-dir"))).toEqual({
      kind: "symlink",
      link: "dir",
      real: join(folder, "dir"),
      directory: true,
      untrusted: join(folder, "to-dir"),
    });
    expect(probePath(join(folder, "gone"))).toEqual({
      kind: "symlink",
      link: "nowhere",
      real: undefined,
      directory: false,
    });
  });

  it("has a mode if it is a directory", () => {
    const folder = scratch();
    mkdirSync(join(folder, "closed"), { mode: 0o710 });
    expect(probePath(join(folder, "closed"))).toMatchObject({ kind: "directory", mode: 0o710 });
  });

  it("may be a device or a socket", async () => {
    expect(probePath("/dev/null")).toMatchObject({ kind: "other" });
    const path = join(scratch(), "socket");
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once("listening", resolve));
    expect(probePath(path)).toMatchObject({ kind: "other", real: path });
    await new Promise((resolve) => server.close(resolve));
  });

  it("is missing where this user may not look", () => {
    skipUnless(process.getuid?.() !== 0, "root may look everywhere");
    const folder = scratch();
    mkdirSync(join(folder, "closed/in"), { recursive: true });
    chmodSync(join(folder, "closed"), 0);
    expect(probePath(join(folder, "closed/in"))).toEqual({ kind: "missing" });
    chmodSync(join(folder, "closed"), 0o700);
    expect(probePath(join(folder, "closed/in")).kind).toBe("directory");
  });

  it("is an error for any other reason", () => {
    expect(() => probePath(`/${"x".repeat(300)}`)).toThrow("ENAMETOOLONG");
    expect(() => ifThere(() => JSON.parse("{"))).toThrow(SyntaxError);
  });
});

describe("where a path would lead", () => {
  it.each([
    ["nowhere/below", "nowhere/below"],
    ["to-missing/below", "missing/below"],
    ["to-link/x", "missing/x"],
    ["dir/../to-dir/new", "dir/new"],
    ["up/new", "new"],
  ])("%s: %s", (path, expected) => {
    const folder = scratch();
    mkdirSync(join(folder, "dir/sub"), { recursive: true });
    const links = { "to-missing": "missing", "to-link": "to-missing", "to-dir": "./dir", up: "to-dir/sub/../.." };
    for (const [name, to] of Object.entries(links)) symlinkSync(to, join(folder, name));
    expect(wayTo(`${folder}/${path}`).real).toBe(join(folder, expected));
  });

  it("ends for links in a circle", () => {
    const folder = scratch();
    symlinkSync("loop", join(folder, "loop"));
    expect(wayTo(`${folder}/loop/x`).real).toBe(`${folder}/loop/x`);
  });

  it("is the canonical path where it is there", () => {
    for (const path of ["/", "/usr/../proc", "/etc/mtab", "/proc/self/cwd/.."]) {
      expect(wayTo(path).real, path).toBe(canonical(path) ?? path);
    }
  });
});
