import { describe, expect, it } from "vitest";
import { lowerNet, planNet } from "../../src/net/plan.ts";
import { makeProfile } from "../plan/facts.ts";

describe("the network", () => {
  it("of its own has a loopback that is up", () =>
    expect(planNet(makeProfile({ network: { mode: "none", loopback: true } })).map(({ step }) => step.op)).toEqual([
      "loopback",
    ]));

  it("of the host is left as it is", () =>
    expect(planNet(makeProfile({ network: { mode: "host", loopback: true } }))).toEqual([]));

  it("brings up lo and nothing else, by struct ifreq", () => {
    const { init = [], host, payload } = lowerNet({ op: "loopback" });
    expect([host, payload]).toEqual([undefined, undefined]);
    expect(init.map((call) => (call.op === "call" ? call.name : call.op))).toEqual(["socket", "ioctl", "close"]);
    const [socket, ioctl] = init;
    expect(socket).toMatchObject({ args: [2, 2 | 0o2000000, 0], save: "socket" });
    const request = ioctl?.op === "call" ? ioctl.args[2] : undefined;
    const bytes =
      typeof request === "object" && request.kind === "data" ? Buffer.from(request.data.bytes) : Buffer.alloc(0);
    expect(bytes.length).toBe(40);
    expect(bytes.subarray(0, 16).toString()).toBe("lo".padEnd(16, "\0"));
    expect(bytes.readUInt16LE(16)).toBe(0x41);
  });
});

describe("a network without loopback", () => {
  it("leaves it down", () => expect(planNet(makeProfile({ network: { mode: "none", loopback: false } }))).toEqual([]));

  it("is not the host's", () =>
    expect(() => planNet(makeProfile({ network: { mode: "host", loopback: false } }))).toThrow("E_LOOPBACK"));
});
