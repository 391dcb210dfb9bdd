import { Command } from "commander";
import { printable } from "../../base/printable.ts";
import { TsboxError } from "../../errors/error.ts";
import { probePath } from "../../host/path.ts";
import { probeCwd, probeUser } from "../../host/probe.ts";
import { because } from "../../profile/because.ts";
import type { ProfilePlaces } from "../../profile/find.ts";
import type { Profile } from "../../profile/profile.ts";
import { readProfile } from "../../profile/read.ts";
import { readFilter } from "../../run/filter.ts";
import { withTools } from "../../run/prepare.ts";
import { isColour, paint } from "../colour.ts";
import { addHelp } from "../help.ts";
import { profilePlaces } from "../place.ts";
import { print, sayError } from "../print.ts";

function checkSources(profile: Profile): void {
  for (const [i, mount] of profile.mounts.entries()) {
    if (mount.type !== "bind" || mount.optional) continue;
    const { source, target } = mount;
    const fact = probePath(source);
    const isThere = fact.kind !== "missing" && fact.real !== undefined;
    if (!isThere) throw new TsboxError("E_MOUNT_SOURCE", { source, target }, because(profile, `mount[${i}]`));
  }
}

/** What can be wrong with a profile itself, wherever the sandbox is started. */
function checkProfile(word: string, where: ProfilePlaces): void {
  const profile = readProfile(word, where);
  if (profile.seccomp.filter !== "off") readFilter(profile, where.packageDir);
  // A tool that is not there, or whose directory may not be shared, is told as at a run.
  checkSources(withTools(profile, probeCwd(), probeUser()));
}

function check(words: readonly string[]): void {
  const where = profilePlaces();
  const ok = isColour(1) ? paint("ok", "green") : "ok";
  for (const word of words) {
    try {
      checkProfile(word, where);
      print(`${ok}: ${printable(word)}\n`);
    } catch (error) {
      if (!(error instanceof TsboxError)) throw error;
      sayError(error);
      process.exitCode = error.exit;
    }
  }
}

export function checkCommand(): Command {
  const command = new Command("check")
    .description("check keys, values, system calls, and that what is mounted exists")
    .argument("<name|file...>", "profiles")
    .action(check);
  return addHelp(
    command,
    () => [
      ["a file of yours", "tsbox profile check ./mine.toml"],
      ["all of a folder; each that is wrong is told", "tsbox profile check ~/.config/tsbox/profiles/*.toml"],
    ],
    () => [{ title: "Exit status:", lines: ["0    all are valid", "125  one is not, or cannot be read"] }],
  );
}
