import type { GroupSource } from "../profile/group-source.ts";
import type { Arch } from "../sys/syscalls.ts";
import type { SeccompFact } from "./filter.ts";

/** A filter that the build made and proved, with everything that it was made of. */
export interface KnownFilter {
  readonly arch: Arch;
  /** `seccomp.allow` of a shipped profile. */
  readonly allow: readonly string[];
  /** All groups that there were: a name stands for a group only while there is one of that name. */
  readonly names: readonly string[];
  /** The groups that `allow` stands for, with their whole text. */
  readonly texts: Readonly<Record<string, string>>;
  /** In base64. */
  readonly programs: readonly string[];
  readonly libseccomp: string;
}

/** Of the shipped profiles; node alone, without the build, has none. */
declare const KNOWN_FILTERS: readonly KnownFilter[] | undefined;
const KNOWN = typeof KNOWN_FILTERS === "undefined" ? [] : KNOWN_FILTERS;

const isSame = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((s, i) => s === b[i]);

/**
 * The filter that `buildFilter` makes of these groups, when the build made one of the same names and texts: to read
 * the groups, to have libseccomp compile them and to prove the program takes 20 ms in a new process.
 */
export function knownFilter(arch: Arch, allow: readonly string[], source: GroupSource): SeccompFact | undefined {
  const found = KNOWN.find(
    (known) =>
      known.arch === arch &&
      isSame(known.allow, allow) &&
      isSame(known.names, source.names) &&
      Object.entries(known.texts).every(([name, text]) => source.read(name).text === text),
  );
  if (found === undefined) return undefined;
  return { programs: found.programs.map((text) => Buffer.from(text, "base64")), libseccomp: found.libseccomp };
}
