import { expect, it } from "vitest";
import { mountOf, parseMountinfo } from "../../src/host/mountinfo.ts";

const TEXT = `22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
28 27 0:25 /x /srv/a\\040b\\134 ro,nosuid master:1 propagate_from:2 - tmpfs none ro,size=4k
35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory

29 27 0:30 / /srv rw,nosuid - tmpfs none rw
`;

it("reads mounts with and without optional fields, and escaped paths", () => {
  expect(parseMountinfo(TEXT)).toEqual([
    { target: "/proc", options: ["rw", "relatime"], type: "proc", superOptions: ["rw"] },
    { target: "/", options: ["rw", "relatime"], type: "ext4", superOptions: ["rw", "discard"] },
    { target: "/srv/a b\\", options: ["ro", "nosuid"], type: "tmpfs", superOptions: ["ro", "size=4k"] },
    { target: "/sys/fs/cgroup/memory", options: ["rw"], type: "cgroup", superOptions: ["rw", "memory"] },
    { target: "/srv", options: ["rw", "nosuid"], type: "tmpfs", superOptions: ["rw"] },
  ]);
});

it("finds the mount of a path", () => {
  const mounts = parseMountinfo(TEXT);
  expect(mountOf("/usr/bin/newuidmap", mounts)?.target).toBe("/");
  expect(mountOf("/srv/x", mounts)?.target).toBe("/srv");
  expect(mountOf("/srvx", mounts)?.target).toBe("/");
  expect(mountOf("/proc", mounts)?.target).toBe("/proc");
});
