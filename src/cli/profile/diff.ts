import { Command } from "commander";
import { printable } from "../../base/printable.ts";
import { compareProfiles, type Difference } from "../../profile/difference.ts";
import { findProfile, type ProfilePlaces } from "../../profile/find.ts";
import { readProfile } from "../../profile/read.ts";
import { isColour, paint } from "../colour.ts";
import { addHelp } from "../help.ts";
import { profilePlaces } from "../place.ts";
import { print } from "../print.ts";

const STYLES = { "-": "red", "+": "green" } as const;

function render(words: readonly [string, string], differences: readonly Difference[], where: ProfilePlaces): string {
  const [a, b] = words.map((word) => printable(findProfile(word, where).shown));
  const hasColour = isColour(1);
  const head = [`--- ${a}`, `+++ ${b}`].map((line) => (hasColour ? paint(line, "bold") : line));
  const body = differences.map(({ sign, line }) =>
    hasColour ? paint(`${sign}${line}`, STYLES[sign]) : `${sign}${line}`,
  );
  return `${[...head, ...body].join("\n")}\n`;
}

function diff(a: string, b: string, { json }: { json?: true }): void {
  const where = profilePlaces();
  const differences = compareProfiles(readProfile(a, where), readProfile(b, where));
  if (json === true) print(`${JSON.stringify(differences, null, 2)}\n`);
  else if (differences.length > 0) print(render([a, b], differences, where));
  process.exitCode = differences.length === 0 ? 0 : 1;
}

export function diffCommand(): Command {
  const command = new Command("diff")
    .description("compare what two profiles come to, key by key")
    .argument("<name|file>", "a profile")
    .argument("<other>", "another")
    .option("--json", "as data")
    .action(diff);
  return addHelp(
    command,
    () => [
      ["what a file of yours changes", "tsbox profile diff strict ./mine.toml"],
      ["whether two are the same", "tsbox profile diff ./a.toml ./b.toml > /dev/null && echo same"],
    ],
    () => [{ title: "Exit status:", lines: ["0    they are the same", "1    they differ", "125  one is no profile"] }],
  );
}
