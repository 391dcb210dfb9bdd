import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Address,
  contains,
  parseAddress,
  parsePrefix,
  prefixOf,
  renderAddress,
  renderPrefix,
} from "../../src/base/address.ts";

const parsed = (text: string): Address => {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
};
const prefix = (text: string) => {
  const found = parsePrefix(text);
  if (found === undefined) throw new Error(`${text} is no prefix`);
  return found;
};

describe("an address", () => {
  it.each([
    "0.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "1::",
    "2001:db8::1:0:0:1",
    "::ffff:192.0.2.1",
    "1:2:3:4:5:6:7:8",
  ])("%s is taken", (text) => expect(parsed(text).bytes).toHaveLength(text.includes(":") ? 16 : 4));

  it.each([
    "",
    "1.2.3",
    "1.2.3.256",
    "01.2.3.4",
    "0x7f.1",
    "1.2.3.4.5",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "::1%eth0",
    "1:2:3:4:5:6:7:8:9",
    "::1.2.3",
    "1:2:3:4:5:6:7::8:9",
  ])("%j is none", (text) => expect(parseAddress(text)).toBeUndefined());

  it("is one where Node says so, but for zones", () =>
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ unit: fc.constantFrom(..."0123456789af:.") })), (text) => {
        expect(parseAddress(text)?.family ?? 0).toBe(isIP(text));
      }),
    ));

  it("is written so that it means the same", () =>
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        expect(parseAddress(renderAddress(parsed(text)))).toEqual(parsed(text));
      }),
    ));

  it.each([
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8:0:0:1:0:0:0", "2001:db8:0:0:1::"],
    ["1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"],
    ["10:0:0:2:3:4:5:6", "10::2:3:4:5:6"],
    ["::ffff:1.2.3.4", "::ffff:102:304"],
  ])("%s is written %s", (text, written) => expect(renderAddress(parsed(text))).toBe(written));
});

describe("a prefix", () => {
  it.each(["10.0.2.0/24", "0.0.0.0/0", "192.0.2.1/32", "fc00::/7", "::/0"])("%s is taken", (text) =>
    expect(renderPrefix(prefix(text))).toBe(text),
  );

  it.each(["10.0.2.1/24", "10.0.2.0/33", "10.0.2.0", "fd00::1/64", "::/129", "10.0.2.0/-1"])("%s is none", (text) =>
    expect(parsePrefix(text)).toBeUndefined(),
  );

  it("has the addresses whose first bits are its own", () => {
    expect(contains(prefix("172.16.0.0/12"), parsed("172.31.255.255"))).toBe(true);
    expect(contains(prefix("172.16.0.0/12"), parsed("172.32.0.0"))).toBe(false);
    expect(contains(prefix("0.0.0.0/0"), parsed("::"))).toBe(false);
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (text, length) => {
        expect(contains(prefixOf(parsed(text), length), parsed(text))).toBe(true);
      }),
    );
  });
});
