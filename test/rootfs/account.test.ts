import { describe, expect, it } from "vitest";
import { hostGid, hostPath, hostUid } from "../../src/base/brand.ts";
import { accountOf, group, passwd } from "../../src/rootfs/account.ts";

const user = (home: string, name = "u") => ({ uid: hostUid(1000), gid: hostGid(100), name, home: hostPath(home) });

describe("the account inside", () => {
  it.each([
    ["self", { name: "u", uid: 1000, gid: 100, home: "/home/sandbox" }],
    ["root", { name: "root", uid: 0, gid: 0, home: "/root" }],
    ["range", { name: "root", uid: 0, gid: 0, home: "/root" }],
    ["nobody", { name: "nobody", uid: 65534, gid: 65534, home: "/home/sandbox" }],
  ] as const)("of the map %s", (map, account) => expect(accountOf({ map }, user("/home/u"))).toEqual(account));

  it("follows the id that a map of the profile's own gives the user", () => {
    const of = (inside: number) =>
      accountOf({ map: "self", uidMap: [{ inside: inside - 2, outside: 998, count: 9 }] }, user("/home/u"));
    expect(of(2)).toMatchObject({ name: "u", uid: 2, gid: 100, home: "/home/sandbox" });
    const root = accountOf({ map: "self", uidMap: [{ inside: 0, outside: 1000, count: 1 }] }, user("/home/u"));
    expect(root).toMatchObject({ name: "root", uid: 0, gid: 100, home: "/root" });
    expect(of(65_534)).toMatchObject({ name: "nobody", home: "/home/sandbox" });
    const gidMap = [{ inside: 7, outside: 100, count: 1 }];
    expect(accountOf({ map: "root", gidMap }, user("/home/u"))).toMatchObject({ name: "root", uid: 0, gid: 7 });
  });

  it.each(["/", "/home/u", "/var/lib/u", "/etc/u", "/data/a\nroot::0:0::/:/bin/sh"])(
    "does not depend on the home outside: %j",
    (home) => {
      for (const map of ["self", "root", "nobody", "range"] as const)
        expect(accountOf({ map }, user(home))).toEqual(accountOf({ map }, user("/home/u")));
    },
  );
});

describe("passwd and group", () => {
  it("name the user, root and nobody", () => {
    const account = accountOf({ map: "self" }, user("/home/u"));
    expect(passwd(account)).toBe(
      "u:x:1000:100::/home/sandbox:/bin/sh\nroot:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    );
    expect(group(account)).toBe("u:x:100:\nroot:x:0:\nnogroup:x:65534:\n");
  });

  it.each(["self", "root", "nobody", "range"] as const)("have each id once in the map %s", (map) => {
    for (const uid of [0, 1000, 65534]) {
      const account = accountOf({ map }, { ...user("/home/u"), uid: hostUid(uid), gid: hostGid(uid) });
      for (const text of [passwd(account), group(account)]) {
        const lines = text.trimEnd().split("\n");
        const ids = lines.map((line) => line.split(":")[2]);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).toContain("0");
        expect(ids).toContain("65534");
      }
      for (const line of passwd(account).trimEnd().split("\n")) expect(line.split(":").length).toBe(7);
      for (const line of group(account).trimEnd().split("\n")) expect(line.split(":").length).toBe(4);
    }
  });
});
