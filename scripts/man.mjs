// @ts-check
// Makes the manual pages in dist/man: tsbox(1) from the commands themselves, tsbox-profile(5) from docs/profile.md. They
// are built, not kept in git: nobody reads roff in a review, and what they are made from is reviewed.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bold, escapeRoff, renderCode, renderRoff } from "./roff.mjs";
import { loadSources } from "./sources.mjs";
import { ROOT } from "./tree.mjs";

/**
 * @typedef {import("commander").Command} Command
 * @typedef {import("commander").Option} Option
 * @typedef {typeof import("../src/cli/help.ts")} Help
 */

/** @returns {Promise<Help & { makeWhole(): Command }>} */
const loadCommands = () => loadSources("commands", ["src/cli/help.ts", "src/cli/whole.ts"]);

/** The day of the build, or the one that a reproducible build is told; reproducible-builds.org. */
function dateOf() {
  const epoch = process.env["SOURCE_DATE_EPOCH"];
  return (epoch === undefined ? new Date() : new Date(Number(epoch) * 1000)).toISOString().slice(0, 10);
}

/** @param {string} name @param {number} section @param {string} version @param {string} purpose */
const header = (name, section, version, purpose) =>
  [
    `.TH ${name.toUpperCase()} ${section} ${dateOf()} "tsbox ${version}"`,
    ".SH NAME",
    `${escapeRoff(name)} \\- ${escapeRoff(purpose)}`,
  ].join("\n");

/** @param {Option} option */
const renderOption = ({ flags, description }) => [".TP", bold(flags), escapeRoff(description)];

/** @param {readonly (readonly [string, string])[]} rows */
const renderRows = (rows) => rows.flatMap(([name, text]) => [".TP", bold(name), escapeRoff(text)]);

/** @param {Command} command @returns {Option[]} */
const optionsOf = (command) =>
  command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== "--help");

/** @param {Option} a @param {Option} b */
const isSame = (a, b) => a.flags === b.flags && a.description === b.description;

/** @param {Command} command @returns {string} */
const pathOf = (command) => (command.parent === null ? "tsbox" : `${pathOf(command.parent)} ${command.name()}`);

/** @param {Command} command @returns {Command[]} those that do something */
const leavesOf = (command) => (command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf));

/**
 * @param {Command} command
 * @param {readonly Option[]} shared told elsewhere
 * @param {Help} help
 */
function renderCommand(command, shared, { toldOf }) {
  const all = optionsOf(command);
  const own = all.filter((option) => !shared.some((other) => isSame(option, other)));
  const { examples, sections } = toldOf(command);
  return [
    `.SS ${escapeRoff(`${pathOf(command)} ${command.usage()}`)}`,
    `${escapeRoff(command.description())}.`,
    ...own.flatMap(renderOption),
    ...(own.length < all.length ? [".PP", "It also takes the", "options of a sandbox", "below."] : []),
    ...examples().flatMap(([purpose, words]) => [".PP", `${escapeRoff(purpose)}:`, ...renderCode([words])]),
    ...sections()
      .filter(({ title }) => command.name() !== "run" || title !== "Exit status:")
      .flatMap(({ title, lines }) => [".PP", escapeRoff(title), ...renderCode(lines)]),
  ];
}

/** @param {string} version */
async function renderTsbox(version) {
  const help = await loadCommands();
  const root = help.makeWhole();
  const leaves = leavesOf(root);
  const [run, plan] = ["run", "plan"].map((name) => leaves.find((command) => command.name() === name));
  if (run === undefined || plan === undefined) throw new Error("there is no tsbox run or tsbox plan");
  const shared = optionsOf(run).filter((option) => optionsOf(plan).some((other) => isSame(option, other)));
  const groups = [...new Set(shared.map(({ helpGroupHeading }) => helpGroupHeading))];
  return [
    header("tsbox", 1, version, "run commands you do not trust, without root and without a daemon"),
    ".SH SYNOPSIS",
    `${bold("tsbox run")} [options] [${bold("--")}] command [arguments]`,
    ".br",
    `${bold("tsbox")} command [options]`,
    ".SH DESCRIPTION",
    escapeRoff(
      "tsbox runs a command in a sandbox, as you: in namespaces of its own, with the host's programs read-only, without capabilities, behind a system call filter and Landlock, with resource limits. A profile says what it may do; strict, which is the usual one, lets it read the current directory and nothing else of yours. What a profile asks for and the machine cannot give is an error, and the command is not started.",
    ),
    ".SH COMMANDS",
    ...leaves.flatMap((command) => renderCommand(command, shared, help)),
    ".SH OPTIONS OF A SANDBOX",
    escapeRoff("What is not given is as the profile says. Each is a key of a profile, checked as one."),
    ...groups.flatMap((group) => [
      `.SS ${escapeRoff((group ?? "Others:").replace(/:$/, ""))}`,
      ...shared.filter(({ helpGroupHeading }) => helpGroupHeading === group).flatMap(renderOption),
    ]),
    ".SH EXIT STATUS",
    "Of",
    bold("tsbox run"),
    "and",
    `${bold("tsbox shell")}:`,
    ...renderRows(help.runStatuses()),
    ".SH ENVIRONMENT",
    ...renderRows([
      ["XDG_CONFIG_HOME", "Where tsbox/profiles with your profiles is; ~/.config if it is not set."],
      ["XDG_CACHE_HOME", "Where caches that outlive a run are; ~/.cache if it is not set."],
      ["NO_COLOR", "If it is set to anything, no colours. There are none either where TERM is dumb."],
    ]),
    ".SH FILES",
    ...renderRows([
      ["~/.config/tsbox/profiles/NAME.toml", "A profile of yours. It stands before a shipped one of that name."],
    ]),
    ".SH SEE ALSO",
    `${bold("tsbox-profile")}(5), ${bold("namespaces")}(7), ${bold("seccomp")}(2), ${bold("landlock")}(7)`,
    "",
  ].join("\n");
}

/** @param {string} version */
function renderProfile(version) {
  const text = readFileSync(join(ROOT, "docs/profile.md"), "utf8");
  return [
    header("tsbox-profile", 5, version, "what a sandbox of tsbox may do"),
    renderRoff(`## Description\n${text}`.replace(/^These tables are generated:.*?\n\n/ms, "")),
    ".SH SEE ALSO",
    `${bold("tsbox")}(1)`,
    "",
  ].join("\n");
}

/** @param {string} version */
export async function buildManPages(version) {
  const directory = join(ROOT, "dist/man");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "tsbox.1"), await renderTsbox(version));
  writeFileSync(join(directory, "tsbox-profile.5"), renderProfile(version));
}
