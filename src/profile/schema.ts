import * as v from "valibot";
import type { Milliseconds } from "../base/brand.ts";
import { parseCapability } from "./capability.ts";
import { flag, leaf, list, parseSandboxPath, parseTable, table, text, word } from "./leaf.ts";
import { MOUNT } from "./mount.ts";
import { type FilterFile, RLIMIT_NAMES, type Rlimit, type RlimitName } from "./profile.ts";
import { parseRlimit, parseRlimitPair } from "./rlimit.ts";
import { type Parsed, parseBytes, parseCount, parseDuration } from "./units.ts";

const DAY = 86_400_000;
const CENTURY = 100 * 366 * 86_400;

/** sethostname(2) takes 64 bytes; hostname(7) has the characters. */
const hostname = text("a host name: at most 64 letters, digits, hyphens and dots", (input) =>
  input.length <= 64 && /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/.test(input)
    ? undefined
    : "",
);

const description = text("a text of at most 1000 characters", (input) => (input.length <= 1000 ? undefined : ""));

const parent = text("the name of a profile or the path of a file", (input) =>
  input !== "" && input.length <= 4096 && !input.includes("\0") ? undefined : "",
);

const etcEntry = text("the relative name of an entry of /etc", (input) => {
  if (input.startsWith("/")) return "leave out the leading /etc/";
  if (input.includes("\0") || Buffer.byteLength(input) > 4000) return "";
  return input.split("/").some((part) => part === "" || part === "." || part === "..") ? "" : undefined;
});

const parseProc = (input: unknown) => {
  const parsed = parseSandboxPath(input);
  return "value" in parsed && parsed.value === "/proc" ? parsed : parseSandboxPath(input, "/proc");
};

const filterName = text("the name of a group or system call", (input) =>
  /^[a-z_][a-z0-9_-]{0,63}$/.test(input) ? undefined : "",
);

/** As written; src/profile/read.ts says where it is. */
const filterFile = v.pipe(
  text("the path of a JSON file", (input) =>
    input !== "" && input.length <= 4096 && !input.includes("\0") ? undefined : "",
  ),
  v.transform((written): FilterFile => ({ path: written, shown: written })),
);

function environmentFault(name: string): string | undefined {
  return name === "" || /[=\0]/.test(name) ? "a name is not empty and has no '=' and no NUL" : undefined;
}

/** execve(2) takes strings of at most 131072 bytes, MAX_ARG_STRLEN, NUL included. */
const isValue = (name: string, input: unknown): input is string =>
  typeof input === "string" && !input.includes("\0") && Buffer.byteLength(name) + Buffer.byteLength(input) < 131_070;

/** Not v.record: it leaves out names such as "constructor" without a word. */
const environmentSet = v.pipe(
  leaf(parseTable),
  v.rawTransform<Record<string, unknown>, Readonly<Record<string, string>>>(({ dataset, addIssue, NEVER }) => {
    const valid: [string, string][] = [];
    for (const [name, value] of Object.entries(dataset.value)) {
      const hint = environmentFault(name);
      if (hint === undefined && isValue(name, value)) valid.push([name, value]);
      else {
        const at = { type: "object", origin: "value", input: dataset.value, key: name, value } as const;
        const expected = hint === undefined ? "a string below 128 KiB without NUL" : "the name of a variable";
        addIssue({ expected, message: hint ?? "", input: hint === undefined ? value : name, path: [at] });
        return NEVER;
      }
    }
    return Object.fromEntries(valid);
  }),
);

function offset(input: unknown): Parsed<number> {
  if (typeof input !== "string") return parseCount(input, { min: -CENTURY, max: CENTURY }, "seconds");
  const parsed = parseDuration(input, { min: 0, max: CENTURY * 1000 });
  if ("fault" in parsed) return parsed;
  const seconds = parsed.value / 1000;
  return Number.isInteger(seconds) ? { value: seconds } : { fault: { expected: "a whole number of seconds" } };
}

const timeout = leaf<Milliseconds | "none">((input) => {
  if (input === "none") return { value: "none" };
  const parsed = parseDuration(input, { min: 1, max: 366 * DAY });
  if ("value" in parsed) return parsed;
  const isZero = /^0+[a-z]*$/.test(String(input));
  const fault = { ...parsed.fault, expected: `"none" or ${parsed.fault.expected}` };
  return { fault: isZero ? { ...fault, hint: 'write "none" for no limit' } : fault };
});

const rlimit = (name: RlimitName) => {
  const whole = leaf<Rlimit>((input) => parseRlimit(name, input));
  const pair = v.pipe(
    table({ soft: v.unknown(), hard: v.unknown() }),
    v.rawTransform(({ dataset, addIssue, NEVER }): Rlimit => {
      const parsed = parseRlimitPair(name, dataset.value.soft, dataset.value.hard);
      if ("value" in parsed) return parsed.value;
      addIssue({ expected: parsed.fault.expected, message: parsed.fault.hint ?? "" });
      return NEVER;
    }),
  );
  return v.exactOptional(v.lazy((input) => ("value" in parseTable(input) ? pair : whole)));
};

const rlimits = Object.fromEntries(RLIMIT_NAMES.map((name) => [name, rlimit(name)]));

/** A profile file or the command line, as written: every key optional, none besides these, values already parsed. */
export const RAW_PROFILE = table({
  description: v.exactOptional(description),
  extends: v.exactOptional(parent),
  work: v.exactOptional(word(["ro", "rw", "none"], ["overlay"])),
  workdir: v.exactOptional(leaf((input) => parseSandboxPath(input))),
  hostname: v.exactOptional(hostname),
  ids: v.exactOptional(table({ map: v.exactOptional(word(["self", "root", "nobody", "range"])) })),
  capabilities: v.exactOptional(table({ keep: v.exactOptional(list(leaf(parseCapability))) })),
  clock: v.exactOptional(table({ monotonic: v.exactOptional(leaf(offset)), boottime: v.exactOptional(leaf(offset)) })),
  root: v.exactOptional(
    table({
      source: v.exactOptional(word(["host"], ["empty"])),
      size: v.exactOptional(leaf((input) => parseBytes(input, { min: 64 * 1024, max: 1024 ** 4 }))),
      etc: v.exactOptional(list(etcEntry)),
      sys: v.exactOptional(list(leaf((input) => parseSandboxPath(input, "/sys")))),
      devices: v.exactOptional(list(word(["null", "zero", "full", "random", "urandom", "tty"]))),
    }),
  ),
  proc: v.exactOptional(
    table({
      masked: v.exactOptional(list(leaf((input) => parseSandboxPath(input, "/proc")))),
      readonly: v.exactOptional(list(leaf(parseProc))),
    }),
  ),
  mount: v.exactOptional(list(MOUNT)),
  network: v.exactOptional(
    table({
      mode: v.exactOptional(word(["none", "host"], ["user", "container"])),
      loopback: v.exactOptional(flag),
    }),
  ),
  landlock: v.exactOptional(word(["require", "prefer", "off"])),
  seccomp: v.exactOptional(
    table({
      filter: v.exactOptional(word(["require", "off"])),
      allow: v.exactOptional(list(filterName)),
      file: v.exactOptional(filterFile),
    }),
  ),
  environment: v.exactOptional(
    table({
      pass: v.exactOptional(list(text("the name of a variable", environmentFault))),
      set: v.exactOptional(environmentSet),
    }),
  ),
  limits: v.exactOptional(table({ timeout: v.exactOptional(timeout) })),
  rlimits: v.exactOptional(table(rlimits)),
  lifecycle: v.exactOptional(table({ die_with_parent: v.exactOptional(flag) })),
});

export type RawProfile = v.InferOutput<typeof RAW_PROFILE>;
