import { describe, expect, it } from "vitest";
import { type Prefix, parsePrefix } from "../../src/base/address.ts";
import { fenceRequests } from "../../src/net/netlink.ts";

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

  it("are a neighbour, two tables of neighbours, and the routes", () =>
    // RTM_NEWNEIGH, RTM_SETNEIGHTBL, RTM_NEWROUTE; rtnetlink(7)
    expect(found.map(({ type }) => type)).toEqual([28, 67, 67, 24, 24, 24]));

  it("are answered once, at the end, or earlier with an error", () =>
    // NLM_F_ACK is 4.
    expect(found.map(({ flags }) => flags & 4)).toEqual([0, 0, 0, 0, 0, 4]));

  it("say of each route that it is unreachable, and for IPv6 that it is a neighbour's as well", () => {
    const routes = found.slice(3).map(({ body }) => ({ family: body[0], length: body[1], type: body[7] }));
    expect(routes).toEqual([
      { family: 2, length: 16, type: 7 },
      { family: 10, length: 128, type: 7 },
      { family: 10, length: 128, type: 1 },
    ]);
    expect(found[3]?.body.toString("hex")).toBe("021000" + "00fe040007" + "00000000" + "08000100a9fe0000");
  });

  it("leave the device's index open where it belongs", () => {
    expect(devices).toHaveLength(4);
    for (const at of devices) expect(Buffer.from(bytes).readUInt32LE(at)).toBe(0);
  });
});
