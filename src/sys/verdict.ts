import { BPF, type Instruction, RET, SECCOMP_DATA } from "./bpf.ts";
import { answerOf, type FilterAction, MAX_ERRNO } from "./filter.ts";

/** A system call as a filter sees it; struct seccomp_data of linux/seccomp.h. */
export interface Call {
  readonly number: number;
  /** AUDIT_ARCH_* */
  readonly arch: number;
  /** Six values of 64 bits, unsigned. Missing ones are 0. */
  readonly args: readonly bigint[];
}

/** What a program answered, after how many instructions, and whether it has looked at more than number and architecture. */
export interface Verdict {
  readonly returned: number;
  readonly steps: number;
  readonly looked: boolean;
}

/** A call as the sixteen words of struct seccomp_data, little-endian halves of the arguments in order. */
export function seccompData({ number, arch, args }: Call): Uint32Array {
  const data = new Uint32Array(SECCOMP_DATA.size / 4);
  data[SECCOMP_DATA.nr / 4] = number;
  data[SECCOMP_DATA.arch / 4] = arch;
  for (const [i, value] of args.entries()) {
    data[SECCOMP_DATA.args / 4 + 2 * i] = Number(value & 0xffff_ffffn);
    data[SECCOMP_DATA.args / 4 + 2 * i + 1] = Number(value >> 32n);
  }
  return data;
}

function word(data: Uint32Array, offset: number): number {
  const value = data[offset / 4];
  if (value === undefined) throw new RangeError(`a filter reads at offset ${offset} of seccomp_data`);
  return value;
}

/**
 * Runs a filter on a call ({@link seccompData}) as the kernel would; bpf(4)'s classic machine, as far as libseccomp uses it.
 * @throws RangeError on another instruction, or when the program runs past its end.
 */
export function runProgram(program: readonly Instruction[], data: Uint32Array): Verdict {
  let accumulator = 0;
  let at = 0;
  let looked = false;
  for (let steps = 1; ; steps++) {
    const instruction = program[at];
    if (instruction === undefined) throw new RangeError(`a filter runs past its end at ${at}`);
    const { code, jt, jf, k } = instruction;
    at++;
    if (code === BPF.JMP_JEQ_K) at += accumulator === k ? jt : jf;
    else if (code === BPF.JMP_JGT_K) at += accumulator > k ? jt : jf;
    else if (code === BPF.JMP_JGE_K) at += accumulator >= k ? jt : jf;
    else if (code === BPF.LD_W_ABS) {
      accumulator = word(data, k);
      looked ||= k !== SECCOMP_DATA.nr && k !== SECCOMP_DATA.arch;
    } else if (code === BPF.RET_K) return { returned: k, steps, looked };
    else if (code === BPF.JMP_JA) at += k;
    else if (code === BPF.ALU_AND_K) accumulator = (accumulator & k) >>> 0;
    else if (code === BPF.JMP_JSET_K) at += (accumulator & k) !== 0 ? jt : jf;
    else throw new RangeError(`a filter holds the instruction 0x${code.toString(16)}`);
  }
}

/** The action that a return value stands for, or undefined for one that tsbox never asks for. */
export function actionOf(returned: number): FilterAction | undefined {
  if (returned === RET.ALLOW) return "allow";
  if (returned === RET.KILL_PROCESS) return "kill";
  const errno = returned - RET.ERRNO;
  return errno >= 1 && errno <= MAX_ERRNO ? answerOf(errno) : undefined;
}
