import type { HostPath, SandboxPath } from "../base/brand.ts";
import { Secret } from "../base/secret.ts";
import { TsboxError } from "../errors/error.ts";
import { readSecret, secretVariable } from "../observe/secret.ts";
import { because } from "../profile/because.ts";
import type { Profile, ProfileMount } from "../profile/profile.ts";
import { errorCode } from "./path.ts";

type SecretMount = Extract<ProfileMount, { type: "secret" }>;

/** It is in memory several times on its way. */
const LIMIT = 1024 ** 2;

function readFile(path: HostPath): Uint8Array | string {
  try {
    return readSecret(path, LIMIT);
  } catch (error) {
    return `${path} cannot be read (${errorCode(error) ?? "it is too large, or no file"})`;
  }
}

/** @throws TsboxError E_SECRET. */
function readOne({ from, target }: SecretMount, profile: Profile, key: string): Secret {
  const refuse = (reason: string, fix: string) =>
    new TsboxError("E_SECRET", { target, reason, fix }, because(profile, key));
  if ("file" in from) {
    const found = readFile(from.file);
    if (typeof found === "string") throw refuse(found, "name a file of at most 1 MiB that you may read");
    return new Secret(found);
  }
  const value = secretVariable(from.variable);
  if (value === undefined) {
    throw refuse(`the variable ${from.variable} is not set`, `export ${from.variable}, or take the secret out`);
  }
  return new Secret(Buffer.from(value));
}

/** What is in the secrets of a profile, by their targets. @throws TsboxError E_SECRET. */
export const probeSecrets = (profile: Profile): ReadonlyMap<SandboxPath, Secret> =>
  new Map(
    profile.mounts.flatMap((mount, i) =>
      mount.type === "secret" ? [[mount.target, readOne(mount, profile, `mount[${i}]`)] as const] : [],
    ),
  );
