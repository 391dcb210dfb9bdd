import { TsboxError } from "../../src/errors/error.ts";
import { type Plan, plan } from "../../src/plan/plan.ts";
import type { Step } from "../../src/plan/step.ts";
import type { Profile } from "../../src/profile/profile.ts";
import { CGROUP, DEBIAN } from "../plan/facts.ts";
import { hostFacts } from "../support/host.ts";

/*
 * What a plan lets a command do, read off its steps and nothing else: the other way round from src/profile/narrow.ts, which
 * compares settings.
 */

/** A host on which everything that the tests' profiles name is there. */
const HOST = {
  ...DEBIAN,
  cgroup: CGROUP,
  disks: { "/dev/sda": "8:0" },
  tree: {
    ...DEBIAN.tree,
    "/home/u/project/src": "directory",
    "/srv/data/deep": "directory",
    "/home/u/deep": "directory",
  },
} as const;

/** Paths inside that mounts of the tests lie at, above or below. */
const PLACES = [
  "/home/u/project",
  "/home/u/project/src",
  "/home/u/project/src/f",
  "/x",
  "/x/deep",
  "/x/deep/f",
  "/t",
  "/etc/services",
];

type Of<Op extends Step["step"]["op"]> = Extract<Step["step"], { op: Op }>;

const ofOp = <Op extends Step["step"]["op"]>({ steps }: Plan, op: Op): Of<Op>[] =>
  steps.flatMap(({ step }) => (step.op === op ? [step as Of<Op>] : []));

/** What of the host is seen at a path, and whether it can be written to; undefined: nothing of it. */
function hostAt({ steps }: Plan, place: string): { readonly source: string; readonly writable: boolean } | undefined {
  const over = steps.findLast(
    ({ step }) =>
      (step.op === "bind" || step.op === "tmpfs") && (place === step.target || place.startsWith(`${step.target}/`)),
  )?.step;
  if (over?.op !== "bind") return undefined;
  return { source: over.source + place.slice(over.target.length), writable: over.mode === "rw" };
}

function weakerMounts(before: Plan, after: Plan): string[] {
  return PLACES.filter((place) => {
    const [a, b] = [hostAt(before, place), hostAt(after, place)];
    return b !== undefined && (a === undefined || a.source !== b.source || (b.writable && !a.writable));
  }).map((place) => `more of the host at ${place}`);
}

const missing = (what: string, before: readonly string[], after: readonly string[]): string[] =>
  before.filter((each) => !after.includes(each)).map((each) => `${what} ${each} is gone`);

function limitsOf(of: Plan): Map<string, readonly [number, number]> {
  const weight = (name: string, n: number | undefined) =>
    name === "core" && n === 1 ? -1 : (n ?? Number.POSITIVE_INFINITY);
  return new Map(ofOp(of, "rlimit").map(({ name, soft, hard }) => [name, [weight(name, soft), weight(name, hard)]]));
}

/** What tsbox was started with; of the stack it is the kernel's default, _STK_LIM. */
const inherited = (name: string): readonly [number, number] => [
  name === "stack" ? 8 * 1024 ** 2 : Number.POSITIVE_INFINITY,
  Number.POSITIVE_INFINITY,
];

function weakerLimits(before: Plan, after: Plan): string[] {
  const [old, limits] = [limitsOf(before), limitsOf(after)];
  return [...new Set([...old.keys(), ...limits.keys()])].flatMap((name) => {
    const [soft, hard] = old.get(name) ?? inherited(name);
    const [newSoft, newHard] = limits.get(name) ?? inherited(name);
    return newSoft > soft || newHard > hard ? [`limit ${name}`] : [];
  });
}

/** Ids of the host that the command can have. */
const idsOf = (of: Plan): number =>
  ofOp(of, "map-ranges").reduce((sum, { uids }) => sum + uids.reduce((n, { count }) => n + count, 0), 0) +
  ofOp(of, "map-id").length;

/** Variables with the host's values. */
const hostVariables = (of: Plan): string[] =>
  ofOp(of, "command").flatMap(({ env }) =>
    env.filter((each) => Object.entries(HOST.environment ?? {}).some(([name, value]) => each === `${name}=${value}`)),
  );

const sum = (of: readonly { readonly size: number }[]): number => of.reduce((all, { size }) => all + size, 0);

function faults(before: Plan, after: Plan): (string | false)[] {
  const masks = (of: Plan) => ofOp(of, "mask").map(({ target }) => target);
  const spaces = (of: Plan) => ofOp(of, "new-namespaces").flatMap(({ namespaces }) => namespaces);
  const keeps = (of: Plan) => ofOp(of, "capabilities").flatMap(({ keep }) => keep);
  const devices = (of: Plan) => ofOp(of, "device").map(({ name }) => name);
  const wholeLimits = (of: Plan) => ofOp(of, "cgroup-limit").map(({ file }) => file);
  const late = (of: Plan) => of.timeout?.after ?? Number.POSITIVE_INFINITY;
  return [
    ...weakerMounts(before, after),
    ...weakerLimits(before, after),
    ...missing("limit of the whole sandbox:", wholeLimits(before), wholeLimits(after)),
    ...missing("mask", masks(before), masks(after)),
    ...missing("namespace", spaces(before), spaces(after)),
    ...missing("capability no longer dropped:", keeps(after), keeps(before)),
    ...missing("device newly there:", devices(after), devices(before)),
    ...missing("variable newly there:", hostVariables(after), hostVariables(before)),
    ofOp(before, "filter").length > ofOp(after, "filter").length && "no filter",
    ofOp(before, "restrict").length > ofOp(after, "restrict").length && "no Landlock",
    ofOp(before, "loopback").length < ofOp(after, "loopback").length && "a loopback",
    sum(ofOp(after, "root")) > sum(ofOp(before, "root")) && "a larger root",
    sum(ofOp(after, "tmpfs")) > sum(ofOp(before, "tmpfs")) && "more memory",
    idsOf(after) > idsOf(before) && "more ids",
    late(after) > late(before) && "a later end",
    before.dieWithParent && !after.dieWithParent && "it outlives its parent",
  ];
}

const planOf = (profile: Profile): Plan => plan(profile, hostFacts(HOST, profile));

/** The walls of `after` that are weaker than those of `before`; undefined where one of them cannot be planned. */
export function weakerWalls(before: Profile, after: Profile): string[] | undefined {
  try {
    return faults(planOf(before), planOf(after)).filter((fault) => fault !== false);
  } catch (error) {
    if (error instanceof TsboxError) return undefined;
    throw error;
  }
}
