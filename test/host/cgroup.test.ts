import { expect, it } from "vitest";
import { probeCgroup } from "../../src/host/cgroup.ts";
import type { MountLine } from "../../src/host/mountinfo.ts";

const mount = (type: string, target: string, ...superOptions: string[]): MountLine => ({
  ...{ type, target, options: ["rw"], superOptions },
});
const V2 = mount("cgroup2", "/nowhere/cgroup", "rw", "nsdelegate");
const V1 = mount("cgroup", "/nowhere/memory", "rw", "memory");
const NAMED = mount("cgroup", "/nowhere/systemd", "rw", "xattr", "name=systemd");

it.each([
  ["v2", [V2]],
  ["v2", [V2, NAMED]],
  ["hybrid", [V1, NAMED, V2]],
  ["v1", [V1, NAMED]],
  ["none", [mount("proc", "/proc")]],
] as const)("tells the layout %s", (layout, mounts) => {
  const fact = probeCgroup(mounts, { uid: 0, name: "root" });
  expect(fact).toMatchObject({ layout, controllers: [] });
  expect(fact.own?.startsWith("/nowhere/cgroup") ?? false).toBe(layout === "v2" || layout === "hybrid");
});
