import { closeSync, constants, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import * as v from "valibot";
import { TsboxError } from "../errors/error.ts";
import { type Read, readFileUpTo, type Status, targetStatus } from "../observe/file.ts";
import { userId } from "../observe/process.ts";

/*
 * The project files that the user has said he has read: trusted.json in tsbox's own configuration, which no plan shares
 * writable (facts.own). Whoever can write it decides over the next run, so it must be the user's alone. A file is known by
 * its path and by the SHA-256 of its content: one that has changed, or a copy elsewhere, is another file.
 */

/** A file that is trusted as long as its content is the same. */
export interface TrustedFile {
  /** Without links. */
  readonly path: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

const SIZE_LIMIT = 1024 ** 2;

const STORE = v.strictObject({
  version: v.literal(1),
  files: v.array(v.strictObject({ path: v.string(), sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) })),
});

function storeOf(configHome: string | undefined): string {
  if (configHome !== undefined && isAbsolute(configHome)) return join(configHome, "tsbox/trusted.json");
  const reason = "neither XDG_CONFIG_HOME nor HOME is an absolute path";
  throw new TsboxError("E_TRUST_STORE", { store: "tsbox/trusted.json", reason, fix: "set HOME" });
}

function refuse(store: string, reason: string, fix: string): never {
  throw new TsboxError("E_TRUST_STORE", { store, reason, fix });
}

const isOthers = ({ uid, mode }: Status): boolean => uid !== userId() || (mode & 0o022) !== 0;

function parseStore(store: string, text: string): readonly TrustedFile[] {
  try {
    return v.parse(STORE, JSON.parse(text)).files;
  } catch {
    return refuse(store, "it is not what tsbox writes there", `remove ${store} and trust the files again`);
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;

/** Not through a link: it would be replaced by a file at the next change. */
function openStore(store: string): Read | undefined {
  try {
    return readFileUpTo(store, SIZE_LIMIT, constants.O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    if (codeOf(error) === "ELOOP") return refuse(store, "it is a link", `remove ${store} and trust the files again`);
    return refuse(store, error instanceof Error ? error.message : String(error), "make it readable to you");
  }
}

/** Absent is empty. @throws TsboxError E_TRUST_STORE for one that others could have written, or that is none. */
export function readTrusted(configHome: string | undefined): readonly TrustedFile[] {
  const store = storeOf(configHome);
  const read = openStore(store);
  if (read === undefined) return [];
  const { content, status } = read;
  if (content === undefined) refuse(store, "it is no file of at most 1 MiB", `remove ${store}`);
  if (isOthers(status))
    refuse(store, "it is not yours, or others can write to it", `chmod 600 ${store}, if it is yours`);
  return parseStore(store, content.toString("utf8"));
}

/** Exclusive: of two that write at a time the second is told, and neither takes back what the other has said. */
function openNew(file: string, store: string): number {
  try {
    return openSync(file, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) === "EEXIST")
      refuse(store, `${file} is in the way: another tsbox trust runs, or one was killed`, `remove ${file}`);
    return refuse(store, error instanceof Error ? error.message : String(error), "make its directory writable");
  }
}

function makeFolder(folder: string, store: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    refuse(store, error instanceof Error ? error.message : String(error), "make its directory writable");
  }
  const status = targetStatus(folder);
  if (status === undefined || isOthers(status))
    refuse(store, `others can write to ${folder}`, `chmod go-w ${folder}, if it is yours`);
}

function replaceStore(store: string, made: { fd: number; path: string }, files: readonly TrustedFile[]): void {
  const text = `${JSON.stringify({ version: 1, files }, undefined, 2)}\n`;
  try {
    // All of it, or it throws: on a disk that is almost full write(2) writes a part.
    writeFileSync(made.fd, text);
    fsyncSync(made.fd);
    renameSync(made.path, store);
  } catch (error) {
    refuse(store, error instanceof Error ? error.message : String(error), "make room on its disk");
  }
}

/**
 * Changes the list, whole or not at all.
 * @throws TsboxError E_TRUST_STORE when it cannot be read or written.
 */
export function changeTrusted(
  configHome: string | undefined,
  change: (files: readonly TrustedFile[]) => readonly TrustedFile[],
): void {
  const store = storeOf(configHome);
  makeFolder(dirname(store), store);
  const made = `${store}.new`;
  const fd = openNew(made, store);
  try {
    replaceStore(store, { fd, path: made }, change(readTrusted(configHome)));
  } catch (error) {
    rmSync(made, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}
