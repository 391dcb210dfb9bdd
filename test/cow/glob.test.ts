import { describe, expect, it } from "vitest";
import { compileGlob } from "../../src/cow/glob.ts";
import { bytesOf, shownPath, textOf, treePath } from "../../src/cow/path.ts";
import { compileProtected } from "../../src/cow/protected.ts";

describe("a pattern of --only and --except", () => {
  const meant: readonly (readonly [string, string])[] = [
    ["*.c", "a.c"],
    ["*.c", "src/deep/a.c"],
    ["src", "src/deep/a.c"],
    ["node_modules", "packages/x/node_modules/y/index.js"],
    ["src/*.c", "src/a.c"],
    ["src/**/*.c", "src/a.c"],
    ["src/**/*.c", "src/x/y/a.c"],
    ["./src/", "src/a"],
    ["/a", "a"],
    ["a?c", "abc"],
    ["**", "x/y"],
    ["ä*", "äb"],
    ["a*", "a\nb"],
    ["a+(b)", "a+(b)"],
  ];
  it.each(meant)("%j means %j", (pattern, path) => expect(compileGlob(pattern)(treePath(path))).toBe(true));

  const others: readonly (readonly [string, string])[] = [
    ["*.c", "a.cc"],
    ["src/*.c", "src/x/a.c"],
    ["src/*.c", "lib/src/a.c"],
    ["/a", "b/a"],
    ["src", "source"],
    ["a?c", "a/c"],
    ["a.c", "abc"],
  ];
  it.each(others)("%j does not mean %j", (pattern, path) => expect(compileGlob(pattern)(treePath(path))).toBe(false));
});

describe("protected paths", () => {
  const isProtected = compileProtected([".github", ".git/hooks"]);
  it.each([".github", ".GitHub/workflows/a", ".git/hooks/x", "a/b/.git", "a/.GIT/config", "x/.envrc"])(
    "%s is one",
    (path) => expect(isProtected(treePath(path))).toBe(true),
  );
  it.each(["github", "a/.github/x", ".gitignore", "a/.git2/x", "a.git/x"])("%s is none", (path) =>
    expect(isProtected(treePath(path))).toBe(false),
  );
});

describe("a path of bytes", () => {
  it("is shown with what is no text, and nothing that a terminal obeys", () => {
    expect(shownPath(treePath("ä\n\x1b[m"))).toBe("ä\\n\\x1b[m");
    expect(shownPath("a\xff\n")).toBe("a\\xff\\n");
    expect(textOf("a\xff")).toBeUndefined();
    expect(bytesOf(treePath("ä"))).toEqual(Buffer.from("ä"));
  });
});
