import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { onTestFinished } from "vitest";

export interface Project {
  /** A home directory with keys in it, which HOME may be set to. */
  readonly home: string;
  /** A directory below it, to start tsbox from. */
  readonly cwd: string;
  /** Makes a file of the project; its path. */
  write(name: string, text: string, mode?: number): string;
  /** Copies a file into the project, mode and all; its path inside. */
  copy(file: string): string;
}

/** Also directories that may not be read, as overlayfs and some commands leave them. */
function removeAll(top: string): void {
  try {
    rmSync(top, { recursive: true, force: true });
  } catch {
    execFileSync("chmod", ["-R", "u+rwX", top]);
    rmSync(top, { recursive: true, force: true });
  }
}

/** A directory of its own for the running test, removed at its end. */
export function makeProject(folder = tmpdir()): Project {
  const top = mkdtempSync(join(folder, "tsbox-project."));
  onTestFinished(() => removeAll(top));
  const home = join(top, "home");
  const cwd = join(home, "project");
  mkdirSync(join(home, ".ssh"), { recursive: true, mode: 0o700 });
  mkdirSync(cwd);
  writeFileSync(join(home, ".ssh/id_ed25519"), "PRIVATE KEY\n", { mode: 0o600 });
  return {
    home,
    cwd,
    write(name, text, mode = 0o644) {
      const path = join(cwd, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      chmodSync(path, mode);
      return path;
    },
    copy(file) {
      const path = join(cwd, basename(file));
      copyFileSync(file, path);
      return path;
    },
  };
}
