import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { TsboxError } from "../../src/errors/error.ts";
import type { ProfilePlaces } from "../../src/profile/find.ts";

export const PACKAGE = join(import.meta.dirname, "../..");

/** A folder of its own for one test, with these files; the configuration lies in its config/. */
export function makeScratch(files: Readonly<Record<string, string | Uint8Array>> = {}): ProfilePlaces {
  const cwd = mkdtempSync(join(tmpdir(), "tsbox-profile-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), content);
  }
  return { configHome: join(cwd, "config"), packageDir: PACKAGE, cwd, user: { uid: 1000, home: "/home/user" } };
}

/** The TsboxError that `act` must end with. */
export function catchError(act: () => unknown): TsboxError {
  try {
    act();
  } catch (error) {
    if (error instanceof TsboxError) return error;
    throw error;
  }
  throw new Error("no error");
}
