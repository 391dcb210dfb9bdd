import type { Command, Option } from "commander";
import { ARGUMENT_VALUES, OPTION_VALUES, type Values } from "./values.ts";

export interface TreeOption {
  /** "-v", "--volume": one or both. */
  readonly flags: readonly string[];
  readonly description: string;
  /** What is written for its value; none: it takes none. */
  readonly value: { readonly name: string; readonly values: Values } | undefined;
  readonly isRepeated: boolean;
}

/** A command as the shells need to know it. */
export interface Tree {
  /** "", "run", "profile show". */
  readonly path: string;
  readonly description: string;
  readonly options: readonly TreeOption[];
  readonly inner: readonly Tree[];
  /** What its words are: a command with its own words, values that are all alike, or none. */
  readonly words: "command" | Values | undefined;
}

function readOption(option: Option): TreeOption {
  const flags = [option.short, option.long].flatMap((flag) => flag ?? []);
  const name = /[<[](.*)[>\]]/.exec(option.flags)?.[1];
  const values = OPTION_VALUES[option.long ?? ""];
  if (name !== undefined && values === undefined) {
    throw new TypeError(`${option.long} takes a value: src/cli/completion/values.ts has to say how it is completed`);
  }
  const value = name === undefined || values === undefined ? undefined : { name, values: values() };
  return { flags, description: option.description, value, isRepeated: option.parseArg !== undefined };
}

function readWords({ registeredArguments, parent }: Command): Tree["words"] {
  const [first] = registeredArguments;
  if (first === undefined) return undefined;
  const name = first.name();
  if (name === "command") return "command";
  if (first.argChoices !== undefined) return { kind: "words", words: first.argChoices };
  return ARGUMENT_VALUES[name]?.(parent?.commands.map((command) => command.name()) ?? []);
}

/** @throws TypeError for an option whose values nobody has described. */
export function readTree(command: Command, path: readonly string[] = []): Tree {
  const help = command.createHelp();
  return {
    path: path.join(" "),
    description: command.description(),
    options: help.visibleOptions(command).map(readOption),
    inner: help.visibleCommands(command).map((inner) => readTree(inner, [...path, inner.name()])),
    words: readWords(command),
  };
}

/** A command and all below it. */
export const flattenTree = (tree: Tree): Tree[] => [tree, ...tree.inner.flatMap(flattenTree)];

/** The last word of the path. */
export const nameOf = ({ path }: Tree): string => path.split(" ").at(-1) ?? "";
