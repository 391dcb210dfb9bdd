import { text } from "node:stream/consumers";
import type { Launched } from "../../src/launcher/spawn.ts";
import { patient } from "./patience.ts";

/** What a launcher that reads no input comes to. Killed when it takes longer than `limitMs`. */
export async function awaitLaunched({ child, stdin, stdout, stderr, ended }: Launched, limitMs: number) {
  const limit = setTimeout(() => child.kill("SIGKILL"), patient(limitMs));
  stdin.end();
  try {
    const [out, err] = await Promise.all([text(stdout), text(stderr), ended]);
    return { code: child.exitCode, stdout: out, stderr: err };
  } finally {
    clearTimeout(limit);
  }
}
