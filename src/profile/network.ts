import * as v from "valibot";
import { type Address, parseAddress, parsePrefix, renderAddress } from "../base/address.ts";
import { flag, leaf, list, suggest, table, text, word } from "./leaf.ts";
import type { NamedAddress, Profile, Publish } from "./profile.ts";
import { either, matching, oneOf } from "./shape.ts";
import type { Parsed } from "./units.ts";

/** Ports that one profile may publish: each costs a socket and set-up time. */
export const PORT_LIMIT = 1024;

const FORM = '[ADDRESS:]PORT:INNER[/tcp|udp] with ports from 1 to 65535, as "8080:80" or "8000-8010:8000-8010/udp"';
/** Of what is written, far beyond the longest that is one. */
const LONGEST = 200;
const LOOPBACK: Address = { family: 4, bytes: [127, 0, 0, 1] };
/** First of each shape what is mostly written, so that an editor can show it; then all else. */
const PORT = "[1-9]\\d{0,3}";
const PORTS = "\\d{1,5}(?:-\\d{1,5})?";
const PUBLISH_SHAPE = either(
  matching(`${PORT}:${PORT}(?:/(?:tcp|udp))?`),
  matching(`(?:(?:\\d[0-9.]{6,14}|\\[[0-9A-Fa-f:.]+\\]):)?${PORTS}:${PORTS}(?:/(?:tcp|udp))?`),
);

interface PortRange {
  readonly first: number;
  readonly count: number;
}

/** "80" or "80-90"; else why it is none. */
function parsePorts(text: string): PortRange | string {
  const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (first === undefined) return "";
  const [from, to] = [Number(first), Number(last)];
  if (from === 0) return "port 0 would be any free one, which nobody could know";
  if (Math.max(from, to) > 65_535) return `the highest port is 65535`;
  if (to < from) return `the range ${text} is reversed: write ${to}-${from}`;
  return { first: from, count: to - from + 1 };
}

export function parsePublish(input: unknown): Parsed<Publish> {
  const fault = (hint = ""): Parsed<Publish> => ({ fault: { expected: FORM, hint } });
  if (typeof input !== "string" || input.length > LONGEST) return fault();
  const [, before, outer, inner, suffix] = /^(?:(.*):)?([^:/[\]]*):([^:/[\]]*)(?:\/(.*))?$/.exec(input) ?? [];
  if (outer === undefined || inner === undefined) {
    return fault(/^\d+$/.test(input) ? `a port of the host comes first: "${input}:${input}"` : "");
  }
  const protocol = (["tcp", "udp"] as const).find((known) => known === (suffix ?? "tcp"));
  if (protocol === undefined) return fault(suggest(suffix, ["tcp", "udp"]));
  const address = before === undefined ? LOOPBACK : parseAddress(before.replace(/^\[(.*:.*)\]$/, "$1"));
  if (address === undefined) return fault(`${JSON.stringify(before)} is no address of the host`);
  const [host, guest] = [parsePorts(outer), parsePorts(inner)];
  if (typeof host === "string") return fault(host);
  if (typeof guest === "string") return fault(guest);
  if (host.count !== guest.count) return fault("both ranges must have the same length");
  if (host.count > PORT_LIMIT) return fault(`at most ${PORT_LIMIT} ports`);
  return { value: { address, port: host.first, inner: guest.first, count: host.count, protocol } };
}

const addressOf = (input: unknown): Address | undefined =>
  typeof input === "string" ? parseAddress(input) : undefined;

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const V4 = `${OCTET}(?:\\.${OCTET}){3}`;
const ADDRESS = either(matching(V4), matching("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"));

const address = leaf<Address>((input) => {
  const value = addressOf(input);
  return value === undefined ? { fault: { expected: 'an address, as "192.0.2.1" or "2001:db8::1"' } } : { value };
}, ADDRESS);

/** Three name servers is what resolv.conf(5) takes. */
const NAMESERVERS = 3;
const nameservers = v.pipe(
  list(
    leaf<Address | "none">(
      (input) => {
        const value = input === "none" ? input : addressOf(input);
        return value === undefined
          ? { fault: { expected: 'the address of a name server, or "none" alone' } }
          : { value };
      },
      either(oneOf(["none"]), ADDRESS),
    ),
  ),
  v.rawTransform<(Address | "none")[], readonly Address[]>(({ dataset, addIssue, NEVER }) => {
    const given = dataset.value.filter((each) => each !== "none");
    const hasNone = given.length < dataset.value.length;
    if (given.length <= NAMESERVERS && !(hasNone && dataset.value.length > 1) && dataset.value.length > 0) return given;
    const message = hasNone ? '"none" stands alone' : `resolv.conf(5) takes ${NAMESERVERS}`;
    addIssue({ expected: `one to ${NAMESERVERS} name servers, or ["none"]`, message });
    return NEVER;
  }),
);

const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
const DOMAIN = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);
const SHORT_NAME = "[a-z][a-z0-9]{0,8}";
const ANY_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*";
const domain = text(
  "the name of a domain",
  (input) => (DOMAIN.test(input) ? undefined : ""),
  either(matching(SHORT_NAME), matching(ANY_NAME)),
);

const namedAddress = leaf<NamedAddress>(
  (input) => {
    const [, name = "", written = ""] = (typeof input === "string" ? /^([^:]*):(.*)$/.exec(input) : null) ?? [];
    const found = parseAddress(written.replace(/^\[(.*:.*)\]$/, "$1"));
    if (DOMAIN.test(name) && found !== undefined) return { value: { name, address: found } };
    return { fault: { expected: 'NAME:ADDRESS, as "db:192.0.2.7"' } };
  },
  either(matching(`${SHORT_NAME}:${V4}`), matching(`${ANY_NAME}:\\[?[0-9A-Fa-f:.]+\\]?`)),
);

/** slirp4netns takes prefixes of at most 25 bits, and counts its own addresses (2, 3, 15, 100) from the first on. */
const cidr = leaf(
  (input) => {
    const value = typeof input === "string" ? parsePrefix(input) : undefined;
    if (value?.address.family === 4 && value.length >= 8 && value.length <= 25) return { value };
    return { fault: { expected: 'an IPv4 network of 8 to 25 bits, as "10.0.2.0/24"' } };
  },
  either(matching("10\\.[1-9]?\\d\\.0\\.0/16"), matching(`${V4}/(?:8|9|1\\d|2[0-5])`)),
);

const MODES = ["none", "user", "host"] as const;
const JOINS = "container:";

/** What a sandbox may be called: a file of that name is neither hidden nor elsewhere, and no pid is taken for it. */
const SANDBOX = "[A-Za-z][A-Za-z0-9_.-]{0,62}";
const SANDBOX_NAME = new RegExp(`^${SANDBOX}$`);
const PID = "[1-9]\\d{0,8}";
const JOINED = new RegExp(`^(?:${SANDBOX}|${PID})$`);

export const isSandboxName = (name: string): boolean => SANDBOX_NAME.test(name);

export const sandboxName = text(
  "a letter, then at most 62 letters, digits, '_', '.' and '-'",
  (input) => (isSandboxName(input) ? undefined : ""),
  either(matching("[a-z][a-z0-9]{0,8}"), matching(SANDBOX)),
);

/** How `network.mode` says whose network it is to be. */
export const renderMode = ({ mode, joins }: Pick<Profile["network"], "mode" | "joins">): WrittenMode =>
  mode === "container" ? `${JOINS}${joins ?? ""}` : mode;

export const parseMode = (written: WrittenMode): Pick<Profile["network"], "mode" | "joins"> =>
  isJoining(written) ? { mode: "container", joins: written.slice(JOINS.length) } : { mode: written, joins: undefined };

type Joining = `${typeof JOINS}${string}`;
type WrittenMode = (typeof MODES)[number] | Joining;
const isJoining = (text: string): text is Joining => text.startsWith(JOINS);

const mode = leaf<WrittenMode>(
  (input) => {
    const known = MODES.find((each) => each === input);
    if (known !== undefined) return { value: known };
    const isText = typeof input === "string";
    if (isText && isJoining(input)) {
      if (JOINED.test(input.slice(JOINS.length))) return { value: input };
    }
    const expected = '"none" or "user" or "host" or "container:" with the name of a sandbox or the pid of its tsbox';
    return { fault: { expected, hint: suggest(input, [...MODES, "container"]) } };
  },
  either(oneOf(MODES), matching(`${JOINS}(?:${SANDBOX}|${PID})`)),
);

export const NETWORK = table({
  mode: v.exactOptional(mode),
  loopback: v.exactOptional(flag),
  backend: v.exactOptional(word(["auto", "slirp4netns", "pasta"])),
  publish: v.exactOptional(list(leaf(parsePublish, PUBLISH_SHAPE))),
  dns: v.exactOptional(nameservers),
  search: v.exactOptional(list(domain)),
  hosts: v.exactOptional(list(namedAddress)),
  ipv6: v.exactOptional(flag),
  cidr: v.exactOptional(cidr),
  outbound_address: v.exactOptional(address),
  deny_private: v.exactOptional(flag),
});

/** "127.0.0.1:8080-8090:80-90/tcp", for messages and plans. */
export function renderPublish({ address: host, port, inner, count, protocol }: Publish): string {
  const range = (first: number) => (count === 1 ? `${first}` : `${first}-${first + count - 1}`);
  const shown = host.family === 6 ? `[${renderAddress(host)}]` : renderAddress(host);
  return `${shown}:${range(port)}:${range(inner)}/${protocol}`;
}
