import { Command } from "commander";
import { printable } from "../../base/printable.ts";
import { isTerminal } from "../../observe/stream.ts";
import { readProfileFile } from "../../profile/file.ts";
import { findProfile } from "../../profile/find.ts";
import { readProfile } from "../../profile/read.ts";
import { renderResolved } from "../../profile/resolved.ts";
import { parseToml } from "../../profile/toml.ts";
import { writeProfile } from "../../profile/written.ts";
import { addHelp } from "../help.ts";
import { profilePlaces } from "../place.ts";
import { print } from "../print.ts";

interface Flags {
  readonly resolved?: true;
  readonly json?: true;
}

/** A file as it is; but a terminal gets no control characters of it. */
const shownText = (text: string): string =>
  isTerminal(1) ? text.replace(/[^\n\t]+/g, (part) => printable(part)) : text;

const toJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

function showFile(word: string, isJson: boolean): string {
  const { name, path, shown } = findProfile(word, profilePlaces());
  const text = readProfileFile(path, shown);
  return isJson ? toJson({ name, file: path, profile: parseToml(text, shown) }) : shownText(text);
}

function showResolved(word: string, isJson: boolean): string {
  const profile = readProfile(word, profilePlaces());
  if (!isJson) return renderResolved(profile);
  const { name, origins } = profile;
  return toJson({ name, profile: writeProfile(profile), origins: Object.fromEntries(origins) });
}

function show(word: string, { resolved, json }: Flags): void {
  print((resolved === true ? showResolved : showFile)(word, json === true));
}

export function showCommand(): Command {
  const command = new Command("show")
    .description("print a profile's file, or with --resolved all that it comes to")
    .argument("<name|file>", "a profile")
    .option("--resolved", "with what it extends and tsbox's defaults, and beside each key who said it")
    .option("--json", "as data")
    .action(show);
  return addHelp(command, () => [
    ["what a shipped profile says", "tsbox profile show strict"],
    ["a copy of it to change", "tsbox profile show strict > mine.toml"],
    ["everything, and which file or default said it", "tsbox profile show ./mine.toml --resolved"],
    ["one setting", "tsbox profile show strict --resolved --json | jq .profile.work"],
  ]);
}
