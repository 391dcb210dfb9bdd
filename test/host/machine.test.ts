import { expect, it } from "vitest";
import { parseDistribution, probeMachine } from "../../src/host/machine.ts";

it("reads the ids of a distribution, the nearest first", () => {
  expect(parseDistribution('NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n')).toEqual([
    ...["rocky", "rhel", "centos", "fedora"],
  ]);
  expect(parseDistribution("PRETTY_NAME='x'\nID=debian\nVERSION_ID=12\n")).toEqual(["debian"]);
  expect(parseDistribution("")).toEqual([]);
});

it("asks this machine", () => {
  const facts = probeMachine();
  expect(facts.user.uid).toBe(process.getuid?.());
  expect(facts.node).toBe(process.versions.node);
  expect(facts.namespaces).toContain("user");
  // What the kernel is told is nonsense everywhere; a filter would answer first.
  if (!facts.isFiltered) expect(facts.calls).toEqual({ clone3: 22, mount_setattr: 22, open_tree: 22 });
});
