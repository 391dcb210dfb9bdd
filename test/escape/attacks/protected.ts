import type { Attack } from "../attack.ts";
import { setting } from "../walls.ts";

const HELD = setting("protected paths mounted on themselves", { profile: "protect = []" });

const attack = (id: string, title: string, ...args: readonly string[]): Attack => ({
  id: `protected-${id}`,
  line: 40,
  title,
  program: "files",
  args,
  host: "repository",
  profile: "build",
  walls: [HELD],
});

/** What programs outside obey because it lies in the work directory, under the profile that lets the rest be written. */
export const PROTECTED: readonly Attack[] = [
  attack("write", "write to .git/config", "write", ".git/config", "x"),
  attack("truncate", "truncate(2) of .npmrc", "truncate", ".npmrc"),
  attack("chmod", "chmod(2) of a hook", "chmod", ".git/hooks/pre-commit"),
  attack("hook", "a new hook of git", "create", ".git/hooks/post-commit"),
  attack("commondir", "a .git/commondir, which has git read another config", "create", ".git/commondir"),
  attack("unlink", "unlink(2) of .npmrc", "unlink", ".npmrc"),
  attack("rename", "rename(2) of .git", "rename", ".git", "git"),
  attack("replace", "rename(2) of another file over .npmrc", "rename", "file", ".npmrc"),
  attack(
    "rename-inside",
    "rename(2) within .git, as git writes its config",
    "rename",
    ".git/hooks/pre-commit",
    ".git/config",
  ),
  attack("link", "link(2) of .git/config to a name that can be written", "link", ".git/config", "config"),
];
