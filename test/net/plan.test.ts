import { describe, expect, it } from "vitest";
import { type Address, parseAddress, renderAddress, renderPrefix, wholeOf } from "../../src/base/address.ts";
import { lowerNet } from "../../src/net/lower.ts";
import { planNet } from "../../src/net/plan.ts";
import type { NetStep } from "../../src/net/step.ts";
import type { Profile, Publish } from "../../src/profile/profile.ts";
import type { Call } from "../../src/sys/call.ts";
import { DEBIAN, makeNetwork, makeProfile } from "../plan/facts.ts";
import { catchError } from "../profile/scratch.ts";
import { type Host, hostFacts, NETWORK } from "../support/host.ts";

function planOf(settings: Partial<Profile["network"]>, host: Partial<Host> = {}) {
  const profile = makeProfile({ network: makeNetwork(settings) });
  return planNet(profile, hostFacts({ ...DEBIAN, ...host }, profile));
}

function stepsOf(settings: Partial<Profile["network"]>, host: Partial<Host> = {}): NetStep[] {
  const { before, connect, finish } = planOf({ mode: "user", ...settings }, host);
  return [...before, ...connect, ...finish].map(({ step }) => step);
}

const ofOp = <O extends NetStep["op"]>(steps: readonly NetStep[], op: O): Extract<NetStep, { op: O }>[] =>
  steps.filter((step): step is Extract<NetStep, { op: O }> => step.op === op);

const address = (text: string): Address => {
  const found = parseAddress(text);
  if (found === undefined) throw new Error(text);
  return found;
};

const publish = (port: number, more: Partial<Publish> = {}): Publish => ({
  address: address("127.0.0.1"),
  port,
  inner: 80,
  count: 1,
  protocol: "tcp",
  ...more,
});

const names = (calls: readonly Call[] = []) => calls.map((call) => (call.op === "call" ? call.name : call.op));

describe("a network", () => {
  it("of its own has a loopback that is up", () =>
    expect(planOf({}).finish.map(({ step }) => step.op)).toEqual(["loopback"]));

  it("of the host is left as it is", () =>
    expect(planOf({ mode: "host" })).toMatchObject({ before: [], connect: [], finish: [] }));

  it("without loopback leaves it down", () => expect(planOf({ loopback: false }).finish).toEqual([]));

  it.each(["host", "user"] as const)("of mode %s cannot be without loopback", (mode) =>
    expect(catchError(() => planOf({ mode, loopback: false })).code).toBe("E_LOOPBACK"),
  );

  it("of the host cannot be kept from private networks", () =>
    expect(catchError(() => planOf({ mode: "host", denyPrivate: true })).code).toBe("E_NETWORK_MODE"));

  it("brings up lo and nothing else, by struct ifreq", () => {
    const { init = [], host, payload } = lowerNet({ op: "loopback" });
    expect([host, payload]).toEqual([undefined, undefined]);
    expect(names(init)).toEqual(["socket", "ioctl", "close"]);
    const ioctl = init[1];
    const request = ioctl?.op === "call" ? ioctl.args[2] : undefined;
    const bytes =
      typeof request === "object" && request.kind === "data" ? Buffer.from(request.data.bytes) : Buffer.alloc(0);
    expect(bytes.length).toBe(40);
    expect(bytes.subarray(0, 16).toString()).toBe("lo".padEnd(16, "\0"));
    expect(bytes.readUInt16LE(16)).toBe(0x41);
  });
});

describe("names", () => {
  it("are looked up by nobody without a network", () =>
    expect(planOf({}).names).toEqual({
      hosts: "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n127.0.1.1 sandbox\n",
      resolvConf: "# no network\n",
    }));

  it("are looked up by the host's servers on the host's network", () =>
    expect(planOf({ mode: "host" }).names.resolvConf).toBe("nameserver 192.0.2.1\n"));

  it("are looked up by the back end, which asks the host's servers", () =>
    expect(planOf({ mode: "user" }).names.resolvConf).toBe("nameserver 10.0.2.3\n"));

  it("are looked up as the profile says", () => {
    const { names: files } = planOf({
      mode: "user",
      dns: [address("9.9.9.9"), address("2620:fe::fe")],
      search: ["a.example", "b.example"],
      hosts: [{ name: "db", address: address("192.0.2.70") }],
    });
    expect(files.resolvConf).toBe("search a.example b.example\nnameserver 9.9.9.9\nnameserver 2620:fe::fe\n");
    expect(files.hosts).toMatch(/^192\.0\.2\.70 db$/m);
    expect(planOf({ mode: "host", search: ["a.example"] }).names.resolvConf).toBe(
      "search a.example\nnameserver 192.0.2.1\n",
    );
  });

  it("are looked up by nobody if that is asked for", () => {
    expect(planOf({ mode: "user", dns: [] }).names.resolvConf).toBe("");
    expect(ofOp(stepsOf({ dns: [] }), "network-service")[0]?.options).toContain("--disable-dns");
  });

  it("cannot be looked up by a server that is fenced off", () => {
    for (const server of ["192.0.2.9", "169.254.169.254", "127.0.0.53"])
      expect(catchError(() => stepsOf({ dns: [address(server)] })).code).toBe("E_NAMESERVER");
    expect(catchError(() => stepsOf({ dns: [address("10.1.2.3")], denyPrivate: true })).code).toBe("E_NAMESERVER");
    expect(stepsOf({ dns: [address("10.1.2.3")] })).not.toEqual([]);
  });
});

describe("a back end", () => {
  const serviceOf = (settings: Partial<Profile["network"]>, host: Partial<Host> = {}) =>
    ofOp(stepsOf(settings, host), "network-service")[0];
  const without = (...missing: readonly string[]): Partial<Host> => ({
    network: {
      ...NETWORK,
      backends: {
        slirp4netns: missing.includes("slirp4netns") ? undefined : NETWORK.backends.slirp4netns,
        pasta: missing.includes("pasta") ? undefined : NETWORK.backends.pasta,
      },
    },
  });

  it("is slirp4netns, else pasta, else an error that names the package", () => {
    expect(serviceOf({})?.backend).toBe("slirp4netns");
    expect(serviceOf({}, without("slirp4netns"))?.backend).toBe("pasta");
    expect(catchError(() => serviceOf({}, without("slirp4netns", "pasta")))).toMatchObject({
      code: "E_BACKEND",
      fix: "apt install slirp4netns",
    });
  });

  it("is the one that is asked for, or none", () => {
    expect(serviceOf({ backend: "pasta" })?.backend).toBe("pasta");
    expect(catchError(() => serviceOf({ backend: "pasta" }, without("pasta")))).toMatchObject({
      code: "E_BACKEND",
      fix: "apt install passt",
    });
  });

  it("is pasta where an IPv6 address is published, which slirp4netns cannot", () => {
    const six = [publish(8080, { address: address("::1") })];
    expect(serviceOf({ publish: six })?.backend).toBe("pasta");
    expect(catchError(() => serviceOf({ publish: six, backend: "slirp4netns" })).code).toBe("E_PUBLISH");
  });

  it.each(["missing", "closed"] as const)("needs /dev/net/tun, which is %s", (tun) =>
    expect(catchError(() => stepsOf({}, { network: { ...NETWORK, tun } })).code).toBe("E_TUN"),
  );

  it("of slirp4netns is shut in and kept from the host", () => {
    const options = serviceOf({})?.options ?? [];
    for (const option of ["--enable-sandbox", "--enable-seccomp", "--disable-host-loopback", "--mtu=65520"])
      expect(options).toContain(option);
    expect(options.join(" ")).not.toMatch(/ipv6|api-socket|outbound|dns/);
  });

  it("of slirp4netns gets what the profile says", () => {
    const prefix = { address: address("10.9.0.0"), length: 16 };
    const options = serviceOf({
      ipv6: true,
      cidr: prefix,
      outboundAddress: address("192.0.2.9"),
      publish: [publish(1)],
    });
    for (const option of ["--enable-ipv6", "--cidr=10.9.0.0/16", "--outbound-addr=192.0.2.9", "--api-socket=control"])
      expect(options?.options).toContain(option);
  });

  it("of pasta forwards nothing but what is published", () => {
    const udp = publish(5000, { protocol: "udp", count: 3, inner: 6000, address: address("192.0.2.9") });
    const options = serviceOf({ backend: "pasta", publish: [publish(8080), udp] })?.options.join(" ");
    expect(options).toContain("-t 127.0.0.1/8080:80 -u 192.0.2.9/5000-5002:6000-6002 -T none -U none");
    expect(options).toContain("--no-map-gw --ipv4-only --dns-forward 10.0.2.3");
    expect(serviceOf({ backend: "pasta" })?.options.join(" ")).toContain("-t none -u none -T none -U none");
  });

  it("is in a network in which the host has no address", () => {
    const own = [2, 3].map((third) => wholeOf(address(`10.0.${third}.15`)));
    const options = serviceOf({}, { network: { ...NETWORK, own } })?.options;
    expect(options).toContain("--cidr=10.0.4.0/24");
  });

  it.each([
    ["10.0.0.0", "10.0.0.2"],
    ["10.0.0.0", "10.0.0.3"],
    ["10.0.0.0", "10.0.0.100"],
  ])("is not in %s where this machine is %s, which it would be taken for", (network, other) => {
    const settings = { cidr: { address: address(network), length: 24 } };
    const host = (text: string) => ({ network: { ...NETWORK, own: [wholeOf(address(text))] } });
    expect(catchError(() => stepsOf(settings, host(other))).code).toBe("E_CIDR");
    expect(stepsOf(settings, host("10.0.0.9"))).not.toEqual([]);
  });

  it.each(["169.254.170.0", "127.0.0.0", "100.100.100.128"])("is not in %s, which no sandbox reaches", (network) => {
    const cidr = { address: address(network), length: 25 };
    const isDenied = network !== "100.100.100.128";
    if (isDenied) expect(catchError(() => stepsOf({ cidr })).code).toBe("E_CIDR");
    else expect(stepsOf({ cidr })).not.toEqual([]);
  });

  it("is not pasta where private networks are to be out of reach: it would look there for the way out", () => {
    expect(serviceOf({ denyPrivate: true })?.backend).toBe("slirp4netns");
    expect(catchError(() => serviceOf({ denyPrivate: true, backend: "pasta" }))).toMatchObject({
      code: "E_DENY_PRIVATE",
      fix: 'write backend = "slirp4netns"',
    });
    expect(catchError(() => serviceOf({ denyPrivate: true }, without("slirp4netns")))).toMatchObject({
      code: "E_BACKEND",
      fix: "apt install slirp4netns",
    });
    const six = [publish(8080, { address: address("::1") })];
    expect(catchError(() => serviceOf({ denyPrivate: true, publish: six })).code).toBe("E_DENY_PRIVATE");
  });
});

describe("published ports", () => {
  it("are tried before anything is made, and opened when the back end is ready", () => {
    const steps = stepsOf({ publish: [publish(8080, { count: 2 })] });
    expect(steps.map(({ op }) => op)).toEqual([
      "check-ports",
      "network-link",
      "hand-over-network",
      "network-service",
      "publish",
      "loopback",
      "await-network",
      "fence",
    ]);
    const [check] = steps;
    const once = ["socket", "setsockopt", "bind", "close"];
    expect(names(check === undefined ? [] : lowerNet(check).host)).toEqual([...once, ...once]);
  });

  it.each([
    [[publish(80), publish(80)]],
    [[publish(80, { count: 10 }), publish(85)]],
    [[publish(80), publish(80, { address: address("0.0.0.0") })]],
  ])("are each of one sandbox's once", (twice) =>
    expect(catchError(() => stepsOf({ publish: twice })).code).toBe("E_PUBLISH"),
  );

  it("are different ones with another protocol, address or number", () => {
    const others = [
      publish(80),
      publish(80, { protocol: "udp", address: address("0.0.0.0") }),
      publish(80, { address: address("192.0.2.9") }),
      publish(81),
    ];
    expect(ofOp(stepsOf({ publish: others }), "check-ports")).toHaveLength(4);
  });

  it.each(["none", "host"] as const)("are an error with mode %s", (mode) =>
    expect(catchError(() => planOf({ mode, publish: [publish(80)] })).code).toBe("E_PUBLISH"),
  );

  it("of UDP are pasta's where this machine is to be answered, which slirp4netns cannot", () => {
    const backendOf = (settings: Partial<Profile["network"]>) =>
      ofOp(stepsOf(settings), "network-service").map(({ backend }) => backend);
    const others = [publish(53, { protocol: "udp", address: address("0.0.0.0") })];
    expect(backendOf({ publish: others })).toEqual(["slirp4netns"]);
    const higher = publish(8053, { protocol: "udp", inner: 53 });
    expect(catchError(() => stepsOf({ publish: [higher] }))).toMatchObject({
      code: "E_PUBLISH",
      fix: "publish it as 127.0.0.1:53:53/udp",
    });
    for (const loopback of ["127.0.0.1", "::1"]) {
      const own = [...others, publish(60, { protocol: "udp", address: address(loopback) })];
      expect(backendOf({ publish: own })).toEqual(["pasta"]);
      const error = catchError(() => stepsOf({ publish: own, backend: "slirp4netns" }));
      expect(error).toMatchObject({ code: "E_PUBLISH", fix: 'write backend = "pasta"' });
    }
  });

  it("are not too many", () =>
    expect(catchError(() => stepsOf({ publish: [publish(1, { count: 1024 }), publish(2000)] })).code).toBe(
      "E_PUBLISH",
    ));
});

describe("the fence", () => {
  const deniedOf = (settings: Partial<Profile["network"]>) =>
    ofOp(stepsOf(settings), "fence").flatMap(({ denied }) => denied.map(renderPrefix));

  it("keeps out this machine, this link and the clouds' addresses", () => {
    const denied = deniedOf({});
    for (const prefix of ["127.0.0.0/8", "169.254.0.0/16", "100.100.100.200/32", "192.0.2.9/32", "192.0.2.15/32"])
      expect(denied).toContain(prefix);
    expect(denied.filter((prefix) => prefix.includes(":") || prefix.startsWith("10."))).toEqual([]);
  });

  it("keeps out private networks if that is asked for", () =>
    expect(deniedOf({ denyPrivate: true })).toEqual(expect.arrayContaining(["10.0.0.0/8", "192.168.0.0/16"])));

  it("does the same for IPv6", () => {
    expect(deniedOf({ ipv6: true })).toEqual(
      expect.arrayContaining(["::/96", "::ffff:0:0/96", "fd00:ec2::254/128", "fe80::/10", "2001:db8::9/128"]),
    );
    const strict = deniedOf({ ipv6: true, denyPrivate: true });
    expect(strict).toContain("fc00::/7");
    // It lies in that.
    expect(strict).not.toContain("fd00:ec2::254/128");
  });

  it("lets the name server's address through only where a program answers for it", () => {
    const neighboursOf = (settings: Partial<Profile["network"]>) =>
      ofOp(stepsOf(settings), "fence").flatMap(({ gateways }) => gateways.map((each) => renderAddress(each.address)));
    expect(neighboursOf({ ipv6: true })).toEqual(["10.0.2.2", "10.0.2.3", "fe80::2"]);
    for (const dns of [[], [address("9.9.9.9")]]) expect(neighboursOf({ dns })).toEqual(["10.0.2.2"]);
  });

  it("is raised by one message to the kernel, whose answer is looked at", () => {
    const [fence] = ofOp(stepsOf({ ipv6: true }), "fence");
    if (fence === undefined) throw new Error("no fence");
    const { init = [] } = lowerNet(fence);
    expect(names(init).filter((name) => name !== "store")).toEqual([
      "socket",
      "ioctl",
      "close",
      "socket",
      "write",
      "read",
      "check",
      "close",
    ]);
  });
});
