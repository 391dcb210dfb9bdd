import { describe, expect, it } from "vitest";
import { type Prefix, parsePrefix } from "../../src/base/address.ts";
import { addressRequests, fenceRequests } from "../../src/net/netlink.ts";

const prefix = (text: string): Prefix => {
  const found = parsePrefix(text);
  if (found === undefined) throw new Error(text);
  return found;
};

const GATEWAY = { address: { family: 4, bytes: [10, 0, 2, 2] }, hardware: [0x52, 0x55, 10, 0, 2, 2] } as const;

/** The messages, by struct nlmsghdr alone. */
function messages(bytes: Uint8Array) {
  const view = Buffer.from(bytes);
  const found: { type: number; flags: number; body: Buffer }[] = [];
  for (let at = 0; at < view.length; at += 4 * Math.ceil(view.readUInt32LE(at) / 4)) {
    const length = view.readUInt32LE(at);
    found.push({
      type: view.readUInt16LE(at + 4),
      flags: view.readUInt16LE(at + 6),
      body: view.subarray(at + 16, at + length),
    });
  }
  return found;
}

describe("the fence's requests", () => {
  const { bytes, devices } = fenceRequests([prefix("169.254.0.0/16"), prefix("fd00:ec2::254/128")], [GATEWAY]);
  const found = messages(bytes);

  it("are the neighbours, their table, a route and a rule", () =>
    // RTM_NEWNEIGH, RTM_SETNEIGHTBL, RTM_NEWROUTE, RTM_NEWRULE; rtnetlink(7)
    expect(found.map(({ type }) => type)).toEqual([28, 67, 24, 32]));

  it("close the table of each family that has a gateway", () => {
    const gateway = { address: prefix("fe80::2/128").address, hardware: [0x52, 0x56, 0, 0, 0, 2] };
    const tables = messages(fenceRequests([], [GATEWAY, gateway]).bytes).filter(({ type }) => type === 67);
    expect(tables.map(({ body }) => body[0])).toEqual([2, 10]);
  });

  it("are answered once, at the end, or earlier with an error", () =>
    // NLM_F_ACK is 4.
    expect(found.map(({ flags }) => flags & 4)).toEqual([0, 0, 0, 4]));

  it("say of each prefix that it is unreachable", () => {
    expect(found[2]?.body.toString("hex")).toBe("021000" + "00fe040007" + "00000000" + "08000100a9fe0000");
    const six = `14000100fd000ec2${"00".repeat(10)}0254`;
    expect(found[3]?.body.toString("hex")).toBe(`0a80000000000007${"00000000"}${six}0800060001000000`);
  });

  it("leave the device's index open where it belongs", () => {
    expect(devices).toHaveLength(2);
    for (const at of devices) expect(Buffer.from(bytes).readUInt32LE(at)).toBe(0);
  });
});

describe("the requests for an address", () => {
  const { address } = prefix("fe80::2/128");
  const { bytes, devices } = addressRequests({ address: prefix("fd00::64/128").address, length: 64 }, address);

  it("are the address, at once, and a route that comes before one that is advertised", () => {
    const [first, second] = messages(bytes);
    // RTM_NEWADDR, then family, length and IFA_F_NODAD.
    expect([first?.type, first?.body.subarray(0, 3).toString("hex")]).toEqual([20, "0a4002"]);
    expect([second?.type, second?.body[1], second?.body[7]]).toEqual([24, 0, 1]);
    // RTA_PRIORITY
    expect(second?.body.toString("hex")).toContain("0800060000020000");
    expect(devices).toHaveLength(2);
  });
});
