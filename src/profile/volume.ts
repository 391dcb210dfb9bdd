import { dirname } from "node:path";
import { TsboxError } from "../errors/error.ts";
import { escapeText } from "./variable.ts";

/** What stands for a file in the origins of settings that flags wrote. */
export const COMMAND_LINE = "command line";

/** @throws TsboxError E_PROFILE_VALUE for a flag whose parts cannot be told apart. */
export function refuse(flag: string, expected: string, found: string, hint = ""): never {
  refuseUnshown(flag, expected, JSON.stringify(found.slice(0, 80)), hint);
}

/** As {@link refuse}, with what was found in words: it may be a secret. */
export function refuseUnshown(flag: string, expected: string, found: string, hint: string): never {
  const params = { subject: "the command line", key: flag, expected, found, hint };
  throw new TsboxError("E_PROFILE_VALUE", params, { file: COMMAND_LINE, key: flag });
}

/** `cwd` is free of links, as getcwd(2) gives it: only there is ".." the folder above, so only leading ones are taken. */
function resolveSource(source: string, cwd: string): string {
  if (source.startsWith("/") || source === "") return source;
  const parts = source.split("/");
  let base = cwd;
  while (parts[0] === ".." || parts[0] === ".") {
    if (parts.shift() === "..") base = dirname(base);
  }
  return [base, ...parts].join("/");
}

const ACCESS = ["ro", "rw", "overlay"];

/** SRC, SRC:DST, SRC:MODE or SRC:DST:MODE as a `[[mount]]`; rw unless it says ro or overlay, as podman's -v. */
export function parseVolume(flag: string, text: string, cwd: string): Record<string, string> {
  const parts = text.split(":");
  const mode = parts.length > 1 && [...ACCESS, "mask"].includes(parts.at(-1) ?? "") ? parts.pop() : "rw";
  const [source = "", target] = parts;
  if (parts.length === 3) refuse(flag, "ro, rw or overlay as the last part", parts[2] ?? "");
  if (mode === "mask" && parts.length === 1 && source !== "") {
    return { type: "mask", target: resolveSource(source, cwd) };
  }
  if (mode === "mask") refuse(flag, "PATH:mask, the path being one inside", text);
  if (parts.length > 3 || source === "" || target === "") {
    const hint = "; a path with a colon in it needs a [[mount]] in a profile";
    refuse(flag, "SRC, SRC:DST or SRC:DST:ro|rw|overlay", text, hint);
  }
  const from = resolveSource(source, cwd);
  return { type: "bind", source: from, target: target ?? from, mode: mode ?? "rw" };
}

const TMPFS_KEYS: Readonly<Record<string, string>> = { size: "size", mode: "permissions" };

/** DST or DST:size=SIZE,mode=OCTAL as a `[[mount]]`. */
export function parseTmpfs(flag: string, text: string): Record<string, string> {
  const [target = "", options, ...rest] = text.split(":");
  if (rest.length > 0) refuse(flag, "DST or DST:size=64M,mode=1777", text);
  const pairs = (options === undefined ? [] : options.split(",")).map((option): [string, string] => {
    const [name = "", value] = option.split("=");
    const key = Object.hasOwn(TMPFS_KEYS, name) ? TMPFS_KEYS[name] : undefined;
    return key === undefined || value === undefined ? refuse(flag, "size=SIZE or mode=OCTAL", option) : [key, value];
  });
  return { type: "tmpfs", target, ...Object.fromEntries(pairs) };
}

/** DIR or DIR:MODE as the keys of `[root]`. */
export function parseRootfs(flag: string, text: string, cwd: string): Record<string, string> {
  const parts = text.split(":");
  const mode = parts.length > 1 && ACCESS.includes(parts.at(-1) ?? "") ? parts.pop() : undefined;
  const [directory = ""] = parts;
  if (parts.length > 1 || directory === "") {
    refuse(flag, "DIR or DIR:ro|rw|overlay", text, "; a path with a colon in it needs root.source in a profile");
  }
  const source = `dir:${escapeText(resolveSource(directory, cwd))}`;
  return mode === undefined ? { source } : { source, mode };
}

/** NAME or NAME=VARIABLE, NAME=FILE for `--secret-file`, as a `[[mount]]`; a name that is no path lies in /run/secrets. */
export function parseSecret(
  flag: string,
  text: string,
  from: "variable" | "file",
  cwd: string,
): Record<string, string> {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  const value = at < 0 ? undefined : text.slice(at + 1);
  if (name === "" || value === "" || (value === undefined && from === "file")) {
    refuse(flag, from === "file" ? "NAME=FILE" : "NAME or NAME=VARIABLE", text);
  }
  const target = name.startsWith("/") ? name : `/run/secrets/${name}`;
  if (from === "file") return { type: "secret", target, file: resolveSource(value ?? "", cwd) };
  return { type: "secret", target, variable: value ?? name };
}
