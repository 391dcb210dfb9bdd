import { describe, expect, test } from "vitest";
import { isAllowed, renderPseudoCode, showTests, viewCalls } from "../../src/seccomp/describe.ts";
import { REASONS, reasonOf } from "../../src/seccomp/reason.ts";
import { renderFilterJson, renderSummary } from "../../src/seccomp/render.ts";
import type { FilterSpec } from "../../src/sys/filter.ts";
import { decidedAction } from "../../src/sys/proof.ts";
import { SYSCALLS } from "../../src/sys/syscalls.ts";
import { shippedGroups, shippedSpec } from "./groups.ts";

const arches = ["x86_64", "aarch64"] as const;

const view = (spec: FilterSpec) => ({
  profile: "test",
  because: { file: "profiles/test.toml", key: "seccomp.allow" },
  names: ["base"],
  spec,
  groups: shippedGroups(["base"]),
  notes: ["one\u001b[31m"],
  program: new Uint8Array(16),
  libseccomp: "2.5.4",
});

describe.each(arches)("on %s", (arch) => {
  const spec = shippedSpec(["base"], arch);
  const calls = viewCalls(spec);

  test("the pseudo code has a line for each call, with what the rules say to it", () => {
    const lines = renderPseudoCode(spec).split("\n");
    for (const { number, name, tested, action } of calls) {
      const [line, ...more] = lines.filter((each) => each.includes(` ${name}: `));
      expect(more).toEqual([]);
      expect(line).toMatch(new RegExp(`^ *${number} `));
      if (tested.length > 0) continue;
      const said = decidedAction(
        spec,
        spec.rules.filter((rule) => rule.number === number),
        [],
      );
      expect(action).toBe(said);
      expect(line?.endsWith(action === "allow" ? ": allow" : `: ${action.toUpperCase()}`)).toBe(true);
    }
    expect(lines.slice(1, calls.length + 1).map((line) => Number.parseInt(line, 10))).toEqual(
      Object.values(SYSCALLS[arch]),
    );
  });

  test("each refused call has one reason, each allowed one none", () => {
    for (const call of calls)
      expect([call.name, reasonOf(call.name) !== undefined]).toEqual([call.name, !isAllowed(call)]);
    const names = Object.values(REASONS).flat();
    expect(new Set(names).size).toBe(names.length);
  });

  test("the page names every call once, and nothing that a terminal would obey", () => {
    const page = renderSummary(view(spec));
    for (const { name } of calls) expect([name, new RegExp(`\\b${name}\\b`).test(page)]).toEqual([name, true]);
    expect(page).not.toContain("\u001b");
    expect(page).toContain("socket EAFNOSUPPORT otherwise");
  });

  test("the data are the rules", () => {
    const data = JSON.parse(renderFilterJson(view(spec)));
    expect(data.rules).toHaveLength(spec.rules.length);
    expect(data).toMatchObject({
      arch,
      instructions: 2,
      otherwise: { action: "errno", errno: 1 },
      unknown: { errno: 38 },
    });
    const clone = data.rules.find(({ name }: { name: string }) => name === "clone");
    expect(clone).toMatchObject({
      action: "allow",
      args: [{ index: 0, op: "masked_eq", value: "0x0", mask: "0x7e020000" }],
      from: { file: "profiles/seccomp/process.toml" },
    });
  });
});

test("tests of arguments in words", () => {
  const all = 2n ** 64n - 1n;
  expect(
    showTests([
      { index: 0, op: "masked_eq", value: 16n, mask: 0xffff_ffffn },
      { index: 1, op: "masked_eq", value: 1n, mask: 0xfn },
      { index: 2, op: "ne", value: 40n, mask: all },
      { index: 3, op: "le", value: 9n, mask: all },
    ]),
  ).toBe("int arg0 == 0x10 and arg1 & 0xf == 1 and arg2 != 0x28 and arg3 <= 9");
});
