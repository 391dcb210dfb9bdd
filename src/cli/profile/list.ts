import { Command } from "commander";
import { printable } from "../../base/printable.ts";
import { TsboxError } from "../../errors/error.ts";
import { type FoundProfile, findProfile, listProfiles, type ProfilePlaces } from "../../profile/find.ts";
import { readProfile } from "../../profile/read.ts";
import { addHelp } from "../help.ts";
import { profilePlaces } from "../place.ts";
import { print } from "../print.ts";

interface Entry {
  readonly name: string;
  readonly from: "yours" | "shipped";
  readonly file: string;
  readonly description: string;
  /** Why it is none, when it is not valid. */
  readonly error?: string;
}

const WIDTH = 80;

const fromOf = ({ place }: FoundProfile): Entry["from"] => (place === "package" ? "shipped" : "yours");

function describe(name: string, where: ProfilePlaces): Entry {
  const found = findProfile(name, where);
  const entry = { name, from: fromOf(found), file: found.path };
  try {
    return { ...entry, description: readProfile(name, where).description };
  } catch (error) {
    if (!(error instanceof TsboxError)) throw error;
    return { ...entry, description: "", error: error.message };
  }
}

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 3)}...`);

function renderTable(entries: readonly Entry[]): string {
  const rows = entries.map(({ name, from, description, error }) => {
    const told = error === undefined ? description : `not valid, see: tsbox profile check ${name}`;
    return [name, from, printable(told)] as const;
  });
  const first = Math.max(...rows.map(([name]) => name.length)) + 2;
  const second = "shipped".length + 2;
  const rest = Math.max(WIDTH - first - second, "...".length);
  return rows
    .map(([name, from, told]) => `${name.padEnd(first)}${from.padEnd(second)}${cut(told, rest)}`.trimEnd())
    .join("\n");
}

function list({ json, names }: { json?: true; names?: true }): void {
  const where = profilePlaces();
  const known = listProfiles(where);
  if (names === true) {
    print(known.map((name) => `${name}\n`).join(""));
    return;
  }
  const entries = known.map((name) => describe(name, where));
  print(json === true ? `${JSON.stringify(entries, null, 2)}\n` : `${renderTable(entries)}\n`);
}

export function listCommand(): Command {
  const command = new Command("list")
    .description("name each profile, whose it is, and what it is for")
    .option("--json", "as data, with the file of each and what is wrong with it")
    .option("--names", "only the names, without looking into the files")
    .action(list);
  return addHelp(command, () => [
    ["a line for each", "tsbox profile list"],
    ["those that are yours", "tsbox profile list --json | jq '.[] | select(.from == \"yours\")'"],
  ]);
}
