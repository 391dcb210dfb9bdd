import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Baseline, decodeBaseline, type Mark } from "../../src/cow/baseline.ts";
import { treePath } from "../../src/cow/path.ts";

const FILE: Mark = { kind: "file", inode: 7n, changedNs: 5n, modifiedNs: 4n, size: 3, mode: 0o644, links: 1 };
const PATH = treePath("a");

const since = (then: Mark | undefined, now: Mark | undefined): string | undefined => {
  const baseline = new Baseline();
  baseline.accept(PATH, then);
  return baseline.findChange(PATH, now);
};

describe("what the host was", () => {
  it("is kept for any name, and read back the same", () => {
    const mark = fc.record({
      kind: fc.constantFrom("file" as const, "symlink" as const, "fifo" as const, "socket" as const, "device" as const),
      inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      changedNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }),
      modifiedNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }),
      size: fc.maxSafeNat(),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      links: fc.integer({ min: 1, max: 65000 }),
    });
    const name = fc
      .uint8Array({ minLength: 1, maxLength: 20 })
      .map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)).toString("latin1"));
    fc.assert(
      fc.property(fc.dictionary(name, mark), (marks) => {
        const baseline = new Baseline(new Map(Object.entries(marks)));
        expect(decodeBaseline(baseline.encode()).encode()).toEqual(baseline.encode());
      }),
    );
  });

  it.each(["f 1 2 3 a\0", "x\0", "d\0", "f 1 -2 3 4 5 6\0"])("is not read from %j", (text) =>
    expect(() => decodeBaseline(Buffer.from(text))).toThrow(SyntaxError),
  );

  it("tells what was made, deleted and changed", () => {
    expect(since(undefined, undefined)).toBeUndefined();
    expect(since(FILE, FILE)).toBeUndefined();
    expect(since(undefined, FILE)).toContain("made");
    expect(since(FILE, undefined)).toContain("deleted");
    expect(since(FILE, { ...FILE, changedNs: 6n })).toContain("changed");
    expect(since(FILE, { ...FILE, inode: 8n })).toContain("changed");
    expect(since(FILE, { ...FILE, kind: "directory" })).toContain("changed");
  });

  it("tells no change when a file gains or loses another name", () => {
    expect(since(FILE, { ...FILE, changedNs: 6n, links: 2 })).toBeUndefined();
    expect(since({ ...FILE, links: 2 }, { ...FILE, changedNs: 6n })).toBeUndefined();
    expect(since(FILE, { ...FILE, changedNs: 6n, links: 2, modifiedNs: 6n })).toContain("changed");
    expect(since(FILE, { ...FILE, changedNs: 6n, links: 2, mode: 0o755 })).toContain("changed");
  });

  it("says nothing of what is in a directory", () =>
    expect(
      since({ ...FILE, kind: "directory" }, { ...FILE, kind: "directory", changedNs: 9n, inode: 9n }),
    ).toBeUndefined());
});
