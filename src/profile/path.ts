import { type HostPath, hostPath, pathFault, type SandboxPath, sandboxPath } from "../base/brand.ts";
import type { Parsed } from "./units.ts";

/** An absolute path of the host, normalised. */
export function parseHostPath(input: unknown): Parsed<HostPath> {
  const fault = typeof input === "string" ? pathFault(input) : "";
  if (typeof input === "string" && fault === undefined) return { value: hostPath(input) };
  return { fault: { expected: "an absolute path", hint: fault ?? "" } };
}

/** An absolute path inside, normalised; with `top`, one below that directory. */
export function parseSandboxPath(input: unknown, top = ""): Parsed<SandboxPath> {
  const expected = top === "" ? "an absolute path" : `an absolute path below ${top}`;
  const fault = typeof input === "string" ? pathFault(input) : "";
  if (typeof input !== "string" || fault !== undefined) return { fault: { expected, hint: fault ?? "" } };
  const value = sandboxPath(input);
  return value.startsWith(`${top}/`) ? { value } : { fault: { expected } };
}

/** / and /proc are tsbox's own: a mount there would hide the rest, or the masks. */
export function parseTarget(input: unknown): Parsed<SandboxPath> {
  const parsed = parseSandboxPath(input);
  if ("value" in parsed && !/^\/$|^\/proc(\/|$)/.test(parsed.value)) return parsed;
  const told = "fault" in parsed ? parsed.fault : {};
  return { fault: { ...told, expected: "an absolute path other than / and outside /proc" } };
}
