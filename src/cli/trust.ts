import { Command, Option } from "commander";
import { printable } from "../base/printable.ts";
import { TsboxError } from "../errors/error.ts";
import { probeCwd } from "../host/probe.ts";
import { renderWidening } from "../profile/narrow.ts";
import { type Review, reviewProject } from "../run/prepare.ts";
import { distrustProject, trustProject } from "../run/project.ts";
import { readTrusted } from "../state/trust.ts";
import { addHelp, TASKS } from "./help.ts";
import { places } from "./place.ts";
import { print } from "./print.ts";

interface Flags {
  readonly profile: string;
  readonly list?: true;
  readonly remove?: true;
}

/** What the user is about to answer for. */
function renderReview({ project, widenings }: Review, profile: string): string {
  const file = printable(project.shown);
  if (widenings.length === 0) return `${file} allows no more than the profile ${printable(profile)}\n`;
  const lines = widenings.map((widening) => `  ${printable(renderWidening(widening))}\n`).join("");
  return `${file} allows more than the profile ${printable(profile)}:\n${lines}`;
}

function trust(file: string, { profile }: Flags): void {
  const { configHome, packageDir, cwd } = places();
  const review = reviewProject({ profile, configHome, packageDir, cwd }, file);
  const { project } = review;
  trustProject(project, configHome);
  const told = `trusted: ${printable(project.path)} as it is now, sha256 ${project.sha256}\n`;
  print(`${renderReview(review, profile)}${told}`);
}

function list(): void {
  const lines = readTrusted(places().configHome).map(({ path, sha256 }) => `${sha256}  ${printable(path)}\n`);
  print(lines.join(""));
}

function forget(file: string): void {
  const { configHome } = places();
  distrustProject(file, probeCwd(), configHome);
  print(`no longer trusted: ${printable(file)}\n`);
}

function run(file: string | undefined, flags: Flags): void {
  if (flags.list === true && file !== undefined) throw usage("--list takes no file");
  if (flags.list === true) list();
  else if (file === undefined || file === "") throw usage("there is no file to trust");
  else if (flags.remove === true) forget(file);
  else trust(file, flags);
}

const usage = (reason: string) => new TsboxError("E_USAGE", { reason, fix: "see tsbox trust --help" });

export function trustCommand(): Command {
  const command = new Command("trust")
    .description("let a project file (--config) allow more than the profile, until it changes")
    .helpGroup(TASKS.profiles)
    .argument("[file]", "the project file; read it first")
    .addOption(new Option("--profile <name|file>", "show what it allows beyond this profile").default("strict"))
    .addOption(new Option("--list", "show the trusted files, as sha256sum does").conflicts("remove"))
    .addOption(new Option("--remove", "trust the file no longer"))
    .action((file: string | undefined, flags: Flags) => run(file, flags));
  return addHelp(command, () => [
    ["after you have read it", "tsbox trust tsbox.toml"],
    ["what it allows beyond another profile", "tsbox trust --profile build tsbox.toml"],
    ["what is trusted; a file that has been changed is no longer", "tsbox trust --list"],
    ["no longer", "tsbox trust --remove tsbox.toml"],
  ]);
}
