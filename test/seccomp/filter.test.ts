import { describe, expect, test } from "vitest";
import { buildFilter } from "../../src/host/filter.ts";
import { decodeProgram } from "../../src/sys/bpf.ts";
import { type Arch, AUDIT_ARCH, LAST, SYSCALLS } from "../../src/sys/syscalls.ts";
import { actionOf, runProgram, seccompData } from "../../src/sys/verdict.ts";
import { compilable, shippedNames, shippedSpec } from "./groups.ts";

/** A function from a call's name and arguments to the action of the built filter. */
function filterOf(arch: Arch, allow: readonly string[]) {
  const spec = compilable(shippedSpec(allow, arch));
  const program = decodeProgram(buildFilter(spec).programs[0] ?? new Uint8Array());
  const numbers: Readonly<Record<string, number>> = SYSCALLS[arch];
  const verdict = (number: number, args: readonly bigint[], auditArch: number = AUDIT_ARCH[arch]) => {
    const { returned, steps } = runProgram(program, seccompData({ number, arch: auditArch, args }));
    return { action: actionOf(returned), steps };
  };
  const ask = (name: string, ...args: readonly bigint[]) => verdict(numbers[name] ?? -1, args).action;
  return { spec, program, verdict, ask, has: (name: string) => name in numbers };
}

const HIGH = [1n << 32n, 1n << 63n, 0xffff_ffff_0000_0000n];
const arches = ["x86_64", "aarch64"] as const;

describe.each(arches)("base on %s", (arch) => {
  const { spec, verdict, ask, has, program } = filterOf(arch, ["base"]);

  test("every number from 0 to 600 is allowed, refused or unknown as the tables and rules say", () => {
    const known = new Set<number>(Object.values(SYSCALLS[arch]));
    const ruled = new Map(
      spec.rules.filter(({ tests }) => tests.length === 0).map((rule) => [rule.number, rule.action]),
    );
    const tested = new Set(spec.rules.filter(({ tests }) => tests.length > 0).map(({ number }) => number));
    for (let number = 0; number <= 600; number++) {
      if (tested.has(number)) continue;
      const expected = known.has(number) ? (ruled.get(number) ?? "eperm") : "enosys";
      expect([number, verdict(number, []).action]).toEqual([number, expected]);
    }
  });

  test("numbers above the table are ENOSYS, whatever they are", () => {
    for (const number of [LAST[arch] + 1, 10_000, 0x3fff_ffff, 0xffff_ffff]) {
      expect([number, verdict(number, []).action]).toEqual([number, "enosys"]);
    }
  });

  test("calls by another architecture's table end the process", () => {
    const others = [0, 0x4000_0003, 0x4000_0028, AUDIT_ARCH[arch === "x86_64" ? "aarch64" : "x86_64"]];
    for (const other of others) {
      for (let number = 0; number <= 600; number++) expect(verdict(number, [], other).action).toBe("kill");
    }
  });

  const REFUSED_IOCTLS = ["TIOCEXCL 0x540c", "TIOCSTI 0x5412", "TIOCLINUX 0x541c", "TIOCSETD 0x5423"];
  const isRefused = (request: bigint) => REFUSED_IOCTLS.some((name) => name.endsWith(` 0x${request.toString(16)}`));

  test.each(REFUSED_IOCTLS)("ioctl %s is refused whatever the high half holds", (name) => {
    const request = BigInt(name.split(" ")[1] ?? "");
    expect(ask("ioctl", 0n, request)).toBe("eperm");
    for (const high of HIGH) expect(ask("ioctl", 0n, request | high)).toBe("eperm");
    for (let bit = 0n; bit < 32n; bit++) {
      const other = request ^ (1n << bit);
      expect(ask("ioctl", 0n, other)).toBe(isRefused(other) ? "eperm" : "allow");
    }
  });

  test("clone is allowed without namespace flags, and refused with each", () => {
    const threadFlags = 0x003d_0f00n;
    expect(ask("clone", threadFlags)).toBe("allow");
    expect(ask("clone", 17n)).toBe("allow");
    expect(ask("clone", 0x0120_0011n)).toBe("allow");
    for (const flag of [0x2_0000n, 0x200_0000n, 0x400_0000n, 0x800_0000n, 0x1000_0000n, 0x2000_0000n, 0x4000_0000n]) {
      for (const high of [0n, ...HIGH]) expect(ask("clone", threadFlags | flag | high)).toBe("eperm");
    }
    expect(ask("clone3", 0n)).toBe("enosys");
  });

  test("socket: UNIX, TCP, UDP and ping, compared in 32 bits; every other family is EAFNOSUPPORT", () => {
    for (let family = 0n; family < 64n; family++) {
      expect([family, ask("socket", family, 1n, 0n)]).toEqual([
        family,
        [1n, 2n, 10n].includes(family) ? "allow" : "eafnosupport",
      ]);
    }
    for (const high of HIGH) {
      expect(ask("socket", 2n | high, 0x8_0801n | high, 6n | high)).toBe("allow");
      for (const family of [16n, 17n, 38n, 40n]) expect(ask("socket", family | high, 3n, 0n)).toBe("eafnosupport");
    }
    expect(ask("socket", 2n, 2n, 17n)).toBe("allow");
    expect(ask("socket", 2n, 2n, 1n)).toBe("allow");
    expect(ask("socket", 10n, 2n, 58n)).toBe("allow");
    for (const [type, protocol] of [
      [3n, 0n],
      [3n, 255n],
      [5n, 0n],
      [6n, 33n],
      [6n, 0n],
      [1n, 132n],
      [1n, 262n],
      [10n, 0n],
    ]) {
      expect(ask("socket", 2n, type ?? 0n, protocol ?? 0n)).toBe("eafnosupport");
      expect(ask("socket", 10n, type ?? 0n, protocol ?? 0n)).toBe("eafnosupport");
    }
    expect(ask("socketpair", 1n, 1n, 0n)).toBe("allow");
    for (const family of [2n, 16n, 30n, 38n]) expect(ask("socketpair", family, 1n, 0n)).toBe("eafnosupport");
  });

  test("personality: only what leaves the address space alone", () => {
    for (const persona of [0n, 8n, 0xffff_ffffn, 0xffff_ffff_ffff_ffffn])
      expect(ask("personality", persona)).toBe("allow");
    for (const persona of [0x4_0000n, 0x40_0000n, 0x10_0000n, 0x20_0000n, 1n, 6n]) {
      expect(ask("personality", persona)).toBe("eperm");
    }
  });

  test("mknod: fifo, socket and file, no device", () => {
    for (const type of [0n, 0x1000n, 0x8000n, 0xc000n]) expect(ask("mknodat", 0n, 0n, type | 0o666n)).toBe("allow");
    for (const type of [0x2000n, 0x6000n, 0x4000n, 0xa000n]) {
      for (const high of [0n, ...HIGH]) expect(ask("mknodat", 0n, 0n, type | 0o666n | high)).toBe("eperm");
    }
  });

  test.each([
    "unshare setns mount umount2 pivot_root chroot fchroot open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick",
    "mount_setattr bpf perf_event_open userfaultfd ptrace process_vm_readv process_vm_writev process_madvise kcmp",
    "pidfd_getfd kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff quotactl",
    "quotactl_fd acct syslog iopl ioperm settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname",
    "name_to_handle_at open_by_handle_at fanotify_init fanotify_mark lookup_dcookie vhangup modify_ldt listns",
  ])("EPERM: %s", (names) => {
    for (const name of names.split(" ").filter(has)) expect([name, ask(name)]).toEqual([name, "eperm"]);
  });

  test("ENOSYS, as of a kernel without the feature: io_uring and keyrings", () => {
    for (const name of ["io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key"]) {
      expect([name, ask(name)]).toEqual([name, "enosys"]);
    }
  });

  test("stays short, and a verdict takes few steps", () => {
    expect(program.length).toBeLessThan(130);
    for (const name of ["read", "write", "futex", "getppid", "mmap"]) {
      expect(
        verdict(Object.entries(SYSCALLS[arch]).find(([known]) => known === name)?.[1] ?? -1, []).steps,
      ).toBeLessThan(20);
    }
  });
});

describe.each(arches)("what a group adds to base on %s", (arch) => {
  test("debug allows ptrace", () => {
    const { ask } = filterOf(arch, ["base", "debug"]);
    expect(ask("ptrace")).toBe("allow");
    expect(ask("personality", 0x4_0000n)).toBe("allow");
    expect(ask("personality", 0x40_0000n)).toBe("eperm");
  });

  test("netlink allows NETLINK_ROUTE alone", () => {
    const { ask } = filterOf(arch, ["base", "netlink"]);
    for (const high of [0n, ...HIGH]) expect(ask("socket", 16n | high, 3n, high)).toBe("allow");
    for (const protocol of [4n, 6n, 9n, 12n, 15n, 16n]) expect(ask("socket", 16n, 3n, protocol)).toBe("eafnosupport");
    expect(ask("socket", 17n, 3n, 0n)).toBe("eafnosupport");
    expect(ask("socket", 2n, 1n, 0n)).toBe("allow");
  });

  test.each(shippedNames)("the group %s compiles alone and with base", (name) => {
    expect(buildFilter(compilable(shippedSpec([name], arch))).programs).toHaveLength(1);
    expect(buildFilter(compilable(shippedSpec(["base", name], arch))).programs).toHaveLength(1);
  });
});

test("calls by the x32 table end the process", () => {
  const { verdict } = filterOf("x86_64", ["base"]);
  for (let number = 0; number <= 600; number++) expect(verdict(0x4000_0000 + number, []).action).toBe("kill");
});

test("a filter that allows nothing, and one of a single call", () => {
  for (const [allow, read] of [
    [[], "eperm"],
    [["read"], "allow"],
  ] as const) {
    const { ask } = filterOf("x86_64", allow);
    expect([ask("read"), ask("write"), ask("ioctl", 0n, 0x5412n)]).toEqual([read, "eperm", "eperm"]);
  }
});
