import { listProfileKeys, type Outline } from "../../profile/outline.ts";
import { usernsWords } from "../../profile/override.ts";
import { RLIMIT_NAMES } from "../../profile/profile.ts";

/** How a shell completes a value: from words, by what it knows itself, or not at all. */
export type Values =
  | { readonly kind: "words"; readonly words: readonly string[]; readonly goesOn?: true }
  | { readonly kind: "profile" | "file" | "directory" | "variable" | "free" };

function wordsOf(outline: Outline): readonly string[] {
  if (outline.kind === "list") return wordsOf(outline.entry);
  if (outline.kind !== "value") return [];
  const { anyOf, enum: own } = outline.shape;
  const shapes = [{ enum: own }, ...(Array.isArray(anyOf) ? anyOf : [])];
  return shapes.flatMap((shape) => (Array.isArray(shape.enum) ? shape.enum.map(String) : []));
}

const words = (list: readonly string[]): Values => ({ kind: "words", words: list });

/** The words that a key of a profile takes. */
const wordsOfKey = (name: string): readonly string[] =>
  listProfileKeys().flatMap((key) => (key.name === name ? wordsOf(key.outline) : []));

/** Of each option that takes a value. */
export const OPTION_VALUES: Readonly<Record<string, () => Values>> = {
  "--profile": () => ({ kind: "profile" }),
  "--config": () => ({ kind: "file" }),
  "--map": () => words(wordsOfKey("ids.map")),
  "--userns": () => words(usernsWords()),
  "--uidmap": () => ({ kind: "free" }),
  "--gidmap": () => ({ kind: "free" }),
  "--cap-add": () => words(wordsOfKey("capabilities.keep")),
  "--cap-drop": () => words([...wordsOfKey("capabilities.keep"), "ALL"]),
  "--volume": () => ({ kind: "file" }),
  "--mask": () => ({ kind: "file" }),
  "--secret": () => ({ kind: "variable" }),
  "--secret-file": () => ({ kind: "file" }),
  "--rootfs": () => ({ kind: "directory" }),
  "--tmpfs": () => ({ kind: "free" }),
  "--only": () => ({ kind: "file" }),
  "--except": () => ({ kind: "file" }),
  "--cow": () => ({ kind: "free" }),
  "--work": () => words(wordsOfKey("work")),
  "--workdir": () => ({ kind: "directory" }),
  "--env": () => ({ kind: "variable" }),
  "--env-file": () => ({ kind: "file" }),
  "--terminal": () => words(wordsOfKey("terminal")),
  "--hostname": () => ({ kind: "free" }),
  "--network": () => words(wordsOfKey("network.mode")),
  "--name": () => ({ kind: "free" }),
  "--publish": () => ({ kind: "free" }),
  "--dns": () => words(wordsOfKey("network.dns")),
  "--dns-search": () => ({ kind: "free" }),
  "--add-host": () => ({ kind: "free" }),
  "--timeout": () => ({ kind: "free" }),
  "--cpu-time": () => words(["none"]),
  "--output-limit": () => words(["none"]),
  "--memory": () => words(["none"]),
  "--memory-swap": () => words(["-1"]),
  "--pids-limit": () => words(["-1"]),
  "--cpus": () => ({ kind: "free" }),
  "--cpu-shares": () => ({ kind: "free" }),
  "--cpuset-cpus": () => ({ kind: "free" }),
  "--blkio-weight": () => ({ kind: "free" }),
  "--device-read-bps": () => ({ kind: "file" }),
  "--device-write-bps": () => ({ kind: "file" }),
  "--device-read-iops": () => ({ kind: "file" }),
  "--device-write-iops": () => ({ kind: "file" }),
  "--ulimit": () => ({ kind: "words", words: RLIMIT_NAMES.map((name) => `${name}=`), goesOn: true }),
  "--report": () => ({ kind: "file" }),
  "--output": () => ({ kind: "file" }),
};

/** Of the words that are no options, by the name of the argument; `names` are those of the commands. */
export const ARGUMENT_VALUES: Readonly<Record<string, (names: readonly string[]) => Values>> = {
  "name|file": () => ({ kind: "profile" }),
  file: () => ({ kind: "file" }),
  name: words,
};
