import { TsboxError } from "../errors/error.ts";
import type { StreamFact } from "../host/facts.ts";
import { probeArch } from "../host/probe.ts";
import { findCompiled } from "../launcher/find.ts";
import { readFileUpTo } from "../observe/file.ts";
import { type Guard, type Recording, record } from "../observe/recording.ts";
import { encodePlan } from "../plan/encode.ts";
import { encodeCompiled, encodeKept } from "../plan/kept.ts";
import { hasOverlay } from "../profile/because.ts";
import { type Prepared, prepare, type Request } from "./prepare.ts";

/*
 * A sandbox as a program of its own: theory of operation.
 *
 * It is src/launcher/compiled.c with plans after it, each with guards as a kept plan has them
 * (docs/decisions/0022-cached-plans.md), which hold more loosely: what was read for the profile is compiled in and held no more, a
 * file is the same when its content is, a directory when its owner and mode are. So it runs on other machines too, where the
 * same user works in the same directory and what is shared is there. Anything else ends it with 125.
 *
 * A plan depends on whether the command can have a terminal of its own. So there are two, one for when all three standard streams
 * are a terminal, one for when they are not.
 */

const TERMINALS: readonly StreamFact[] = ([0, 1, 2] as const).map((fd) => ({ fd, access: "both", terminal: true }));
const PROGRAM_LIMIT = 64 * 1024 ** 2;

/** Of a file: mode, uid, gid and rdev, without device and inode. Of a process: its ids, without its groups. */
const PORTABLE_NUMBERS = 4;
/** Argument of a guard that holds when so many numbers do; GUARD_PREFIX of src/launcher/kept.h. */
const PREFIX = 1;
/** Whether this is a sandbox already: that only changes what is told when another one cannot be made. */
const PID_1_NAME = "/proc/1/comm";

function loosen(guard: Guard, needsKernel: boolean): Guard[] {
  const { kind, answer, what } = guard;
  if (kind === "node" || kind === "stream" || what === PID_1_NAME || (kind === "kernel" && !needsKernel)) return [];
  const isList = kind === "link" || kind === "status" || kind === "ids";
  if (!isList || typeof answer === "string" || answer instanceof Uint8Array) return [guard];
  return [{ ...guard, argument: PREFIX, answer: answer.slice(0, PORTABLE_NUMBERS) }];
}

interface Variant {
  readonly prepared: Prepared;
  readonly recording: Recording;
}

function prepareFor(request: Omit<Request, "streams">, streams: readonly StreamFact[]): Variant {
  const { result, recording } = record(() => prepare({ ...request, streams }), { isPortable: true });
  return { prepared: result, recording };
}

/** A plan that does not depend on the current directory holds in any. */
function prepareAnywhere(request: Omit<Request, "streams">, streams: readonly StreamFact[]): Variant {
  const here = prepareFor(request, streams);
  const { profile, plan } = here.prepared;
  if (profile.work !== "none" || profile.tools.length > 0) return here;
  const above = prepareFor({ ...request, cwd: "/" }, streams);
  return Buffer.compare(encodePlan(plan).bytes, encodePlan(above.prepared.plan).bytes) === 0 ? above : here;
}

function encodeVariant({ prepared, recording }: Variant, isTerminal: boolean): Uint8Array {
  const { profile, plan } = prepared;
  const [refusal] = recording.refusals;
  if (refusal !== undefined)
    throw new TsboxError("E_COMPILE", { reason: refusal, fix: "start it by tsbox run, or leave that out" });
  const needsKernel = profile.seccomp.file !== undefined || hasOverlay(profile);
  const guards = recording.guards.flatMap((guard) => loosen(guard, needsKernel));
  const terminals: Guard = {
    kind: "terminals",
    what: "",
    argument: 0,
    errno: 0,
    answer: [isTerminal ? 1 : 0],
    isPolicy: false,
  };
  return encodeKept(new Uint8Array(), [...guards, terminals], encodePlan(plan));
}

/**
 * The bytes of a program that runs any command in the sandbox of this request.
 * @throws TsboxError E_COMPILE for what is made anew for each run; as {@link prepare}.
 */
export function compileSandbox(request: Omit<Request, "streams">): Uint8Array {
  const { content } = readFileUpTo(findCompiled(request.packageDir, probeArch()), PROGRAM_LIMIT);
  if (content === undefined) throw new RangeError("tsbox-compiled is no file of this package");
  const plans = [encodeVariant(prepareAnywhere(request, TERMINALS), true)];
  try {
    plans.push(encodeVariant(prepareAnywhere(request, []), false));
  } catch (error) {
    // Without a terminal it then says that it must have one.
    if (!(error instanceof TsboxError && error.code === "E_NO_TERMINAL")) throw error;
  }
  return encodeCompiled(content, plans);
}
