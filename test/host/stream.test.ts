import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { probeStreams } from "../../src/host/stream.ts";
import { accessOf } from "../../src/sys/libc.ts";

describe("standard streams", () => {
  it("are told with what they were opened for", () => {
    for (const [flags, access] of [
      ["r", "read"],
      ["w", "write"],
      ["r+", "both"],
      ["a", "write"],
    ] as const) {
      const fd = openSync("/dev/null", flags);
      expect(accessOf(fd)).toBe(access);
      closeSync(fd);
    }
  });

  it("that are pipes or sockets have no path, and are left out", () => {
    for (const { fd, terminal } of probeStreams()) {
      const type = spawnSync("stat", ["-Lc", "%F", `/proc/${process.pid}/fd/${fd}`], {
        encoding: "utf8",
      }).stdout.trim();
      expect(["fifo", "socket"]).not.toContain(type);
      expect(terminal).toBe(
        type === "character special file" && spawnSync("test", ["-t", "0"], { stdio: [fd] }).status === 0,
      );
    }
  });
});
