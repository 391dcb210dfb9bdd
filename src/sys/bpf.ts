import { errnoOf, type FilterAction } from "./filter.ts";

/** Bytes of one struct sock_filter: u16 code, u8 jt, u8 jf, u32 k, little-endian on both architectures; linux/filter.h. */
export const INSTRUCTION_SIZE = 8;

/** The kernel takes no longer program; BPF_MAXINSNS of linux/bpf_common.h. */
export const MAX_INSTRUCTIONS = 4096;

/** The instructions that seccomp filters use, as code of struct sock_filter; linux/bpf_common.h. */
export const BPF = {
  LD_W_ABS: 0x20,
  ALU_AND_K: 0x54,
  JMP_JA: 0x05,
  JMP_JEQ_K: 0x15,
  JMP_JGT_K: 0x25,
  JMP_JGE_K: 0x35,
  JMP_JSET_K: 0x45,
  RET_K: 0x06,
} as const;

/** Offsets in struct seccomp_data; linux/seccomp.h. Argument i is at `args + 8 * i`, its low half first. */
export const SECCOMP_DATA = { nr: 0, arch: 4, instructionPointer: 8, args: 16, size: 64 } as const;

/** SECCOMP_RET_* of linux/seccomp.h. */
export const RET = { KILL_PROCESS: 0x8000_0000, ERRNO: 0x0005_0000, ALLOW: 0x7fff_0000 } as const;

/** One instruction; jumps are relative to the one that follows. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** The value that a filter returns for an action; seccomp(2). */
export function returnValue(action: FilterAction): number {
  if (action === "allow") return RET.ALLOW;
  if (action === "kill") return RET.KILL_PROCESS;
  return RET.ERRNO + errnoOf(action);
}

/** @throws RangeError when `program` is no whole number of instructions. */
export function decodeProgram(program: Uint8Array): Instruction[] {
  if (program.length % INSTRUCTION_SIZE !== 0) throw new RangeError(`${program.length} bytes are no BPF program`);
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  return Array.from({ length: program.length / INSTRUCTION_SIZE }, (_, i) => {
    const at = i * INSTRUCTION_SIZE;
    return {
      code: view.getUint16(at, true),
      jt: view.getUint8(at + 2),
      jf: view.getUint8(at + 3),
      k: view.getUint32(at + 4, true),
    };
  });
}

/** An array of struct sock_filter. @throws RangeError when it is empty or longer than the kernel takes. */
export function encodeProgram(instructions: readonly Instruction[]): Uint8Array {
  if (instructions.length === 0 || instructions.length > MAX_INSTRUCTIONS) {
    throw new RangeError(`a BPF program has 1 to ${MAX_INSTRUCTIONS} instructions, not ${instructions.length}`);
  }
  const program = new Uint8Array(instructions.length * INSTRUCTION_SIZE);
  const view = new DataView(program.buffer);
  for (const [i, { code, jt, jf, k }] of instructions.entries()) {
    const at = i * INSTRUCTION_SIZE;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k, true);
  }
  return program;
}

/** A program and the return value that means "ask the next one". */
export interface Stage {
  readonly instructions: readonly Instruction[];
  readonly passes: number | undefined;
}

/**
 * Joins programs to one: where a stage would return what it `passes` on, it jumps to the next stage instead.
 *
 * Each stage loads what it reads, so nothing of the accumulator is carried over. One joined program rather than stacked
 * filters: each filter of a process costs a system call at start and a run at each call that the kernel cannot cache.
 */
export function joinStages(stages: readonly Stage[]): Instruction[] {
  const total = stages.reduce((sum, { instructions }) => sum + instructions.length, 0);
  const joined: Instruction[] = [];
  for (const { instructions, passes } of stages) {
    const next = joined.length + instructions.length;
    for (const instruction of instructions) {
      const leaves = instruction.code === BPF.RET_K && instruction.k === passes;
      if (leaves && next === total) throw new RangeError("the last stage has none to pass to");
      joined.push(leaves ? { code: BPF.JMP_JA, jt: 0, jf: 0, k: next - joined.length - 1 } : instruction);
    }
  }
  return joined;
}
