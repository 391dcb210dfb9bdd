import { BPF, type Instruction, SECCOMP_DATA } from "./bpf.ts";
import { Decider, type Decision, TooManySteps } from "./decision.ts";
import { Emitter } from "./emit.ts";

/*
 * A shorter program of the same answers: theory of operation.
 *
 * The kernel checks and compiles a filter when it is installed, and then runs it once for each number (since Linux 5.11):
 * its length is start-up time. libseccomp compares with every number that a rule names, and tsbox joins three of its
 * programs, each of which asks for the architecture again.
 *
 * 1. decision.ts follows the program for each number and says what it comes to: an answer, or tests of arguments.
 * 2. Numbers that follow each other and come to the same are one range; a single one that interrupts a range is an
 *    exception in it.
 * 3. emit.ts writes a binary search over the ranges, then the tests.
 *
 * Nothing is decided here: what the program says is libseccomp's, and src/sys/same.ts compares the two.
 */

interface Range {
  readonly from: number;
  readonly decision: Decision;
}

/** A range with single numbers in it that come to something else. */
interface Cluster extends Range {
  readonly exceptions: readonly Range[];
}

/** They are asked one by one. */
const MAX_EXCEPTIONS = 4;

/** Ascending; each up to the next one's begin. A program changes its mind only at values that it compares with. */
function rangesOf(program: readonly Instruction[], decider: Decider): Range[] {
  const begins = new Set([0]);
  for (const { k } of program) for (const begin of [k, k + 1]) if (begin <= 0xffff_ffff) begins.add(begin);
  const ranges: Range[] = [];
  for (const from of [...begins].sort((a, b) => a - b)) {
    const decision = decider.decide(from);
    if (ranges.at(-1)?.decision !== decision) ranges.push({ from, decision });
  }
  return ranges;
}

function clustersOf(ranges: readonly Range[]): Cluster[] {
  const clusters: Cluster[] = [];
  for (let i = 0; i < ranges.length; i++) {
    const base = ranges[i];
    if (base === undefined) break;
    const exceptions: Range[] = [];
    for (;;) {
      const [single, next] = [ranges[i + 1], ranges[i + 2]];
      const interrupts = single !== undefined && next?.decision === base.decision && next.from === single.from + 1;
      if (!interrupts || exceptions.length === MAX_EXCEPTIONS) break;
      exceptions.push(single);
      i += 2;
    }
    clusters.push({ ...base, exceptions });
  }
  return clusters;
}

/** Each time the later half first, since a program is written from its end. */
function search(emitter: Emitter, clusters: readonly Cluster[]): number {
  const [first, second] = clusters;
  if (first === undefined) throw new RangeError("a program of no numbers");
  if (second === undefined) {
    const base = emitter.decision(first.decision);
    return first.exceptions.reduceRight(
      (no, { from, decision }) => emitter.jump(BPF.JMP_JEQ_K, from, emitter.decision(decision), no),
      base,
    );
  }
  const middle = clusters.length >> 1;
  const later = clusters.slice(middle);
  const yes = search(emitter, later);
  return emitter.jump(BPF.JMP_JGE_K, later[0]?.from ?? 0, yes, search(emitter, clusters.slice(0, middle)));
}

/**
 * A program that answers as `program` does, or that one where none is shorter.
 *
 * @param arch AUDIT_ARCH_* of the table that it is for: all others must get one answer.
 * @throws RangeError when it is no program as libseccomp and prelude.ts make them.
 */
export function shorten(program: readonly Instruction[], arch: number): readonly Instruction[] {
  const decider = new Decider(program, arch);
  try {
    const emitter = new Emitter();
    const foreign = decider.decide(undefined);
    const own = search(emitter, clustersOf(rangesOf(program, decider)));
    const begin = emitter.load(SECCOMP_DATA.nr, own);
    emitter.load(SECCOMP_DATA.arch, emitter.jump(BPF.JMP_JEQ_K, arch, begin, emitter.decision(foreign)));
    const shorter = emitter.program();
    return shorter.length < program.length ? shorter : program;
  } catch (error) {
    if (error instanceof TooManySteps) return program;
    throw error;
  }
}
