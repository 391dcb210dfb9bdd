import { describe, expect, it } from "vitest";
import { parsePublish, renderPublish } from "../../src/profile/network.ts";
import { parseToml } from "../../src/profile/toml.ts";
import { validateProfile } from "../../src/profile/validate.ts";
import { catchError } from "./scratch.ts";

const published = (text: unknown): string => {
  const parsed = parsePublish(text);
  return "value" in parsed ? renderPublish(parsed.value) : (parsed.fault.hint ?? "");
};

const validate = (text: string) =>
  validateProfile(parseToml(text, "x"), { file: "x", name: "x", locate: (key) => key });

describe("network.publish", () => {
  it.each([
    ["8080:80", "127.0.0.1:8080:80/tcp"],
    ["8080:80/udp", "127.0.0.1:8080:80/udp"],
    ["0.0.0.0:1:65535/tcp", "0.0.0.0:1:65535/tcp"],
    ["[::1]:8080:80", "[::1]:8080:80/tcp"],
    ["8000-8002:9000-9002/udp", "127.0.0.1:8000-8002:9000-9002/udp"],
  ])("%s is %s", (text, meaning) => expect(published(text)).toBe(meaning));

  it.each([
    ["0:80", "port 0 would be"],
    ["8080:0", "port 0 would be"],
    ["70000:80", "the highest port is 65535"],
    ["90-80:80-90", "reversed: write 80-90"],
    ["80-90:80-91", "same length"],
    ["80", 'comes first: "80:80"'],
    ["8080:80/tpc", 'did you mean "tcp"?'],
    ["localhost:8080:80", "no address of the host"],
    ["1-2000:1-2000", "at most 1024"],
  ])("%s is an error that says: %s", (text, hint) => expect(published(text)).toContain(hint));

  it.each(["", ":", "::", "80:", ":80", "80:80:80:80", "80:-1", "80:1e3", "a:b", 8080, null])("%j is none", (input) =>
    expect("fault" in parsePublish(input)).toBe(true),
  );
});

describe("the table network", () => {
  it("takes each of its keys", () =>
    expect(
      validate(`[network]
        mode = "user"
        backend = "pasta"
        dns = ["9.9.9.9"]
        search = ["example.org"]
        hosts = ["db:192.0.2.7", "six:[2001:db8::7]"]
        ipv6 = true
        cidr = "10.9.0.0/16"
        outbound_address = "192.0.2.1"
        deny_private = true`).network,
    ).toMatchObject({ mode: "user", ipv6: true, hosts: [{ name: "db" }, { name: "six", address: { family: 6 } }] }));

  it.each([
    ['mode = "usr"', 'did you mean "user"?'],
    ['backend = "slirp"', "slirp4netns"],
    ['dns = ["none", "9.9.9.9"]', '"none" stands alone'],
    ['dns = ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"]', "takes 3"],
    ['dns = ["dns.google"]', "address of a name server"],
    ["dns = []", "one to 3 name servers"],
    ['search = ["a b"]', "name of a domain"],
    ['hosts = ["db"]', "NAME:ADDRESS"],
    ['hosts = ["db\\n1.2.3.4 other:192.0.2.7"]', "NAME:ADDRESS"],
    ['cidr = "10.0.2.1/24"', "IPv4 network"],
    ['cidr = "10.0.2.0/26"', "IPv4 network"],
    ['cidr = "fd00::/64"', "IPv4 network"],
    ['outbound_address = "eth0"', "an address"],
    ['container = "x"', "there is no such key"],
  ])("refuses %s: %s", (line, told) =>
    expect(catchError(() => validate(`[network]\n${line}`)).message).toContain(told),
  );
});
