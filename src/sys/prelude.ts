import { BPF, type Instruction, RET, returnValue, SECCOMP_DATA, type Stage } from "./bpf.ts";
import type { Answer } from "./filter.ts";
import { type Arch, AUDIT_ARCH, LAST, SYSCALLS } from "./syscalls.ts";

/** Set in the number of every call by the x32 table; __X32_SYSCALL_BIT of asm/unistd.h. */
const X32_BIT = 0x4000_0000;

/** What syscall(2) is given by programs that only want to be traced; it is no x32 call. */
const NO_CALL = 0xffff_ffff;

const load = (offset: number): Instruction => ({ code: BPF.LD_W_ABS, jt: 0, jf: 0, k: offset });
const jump = (code: number, k: number, jt: number, jf: number): Instruction => ({ code, jt, jf, k });
const ret = (value: number): Instruction => ({ code: BPF.RET_K, jt: 0, jf: 0, k: value });

/** The runs of numbers, both ends included, below the last one that no system call of `arch` has. */
export function unallocatedNumbers(arch: Arch): { readonly from: number; readonly to: number }[] {
  const numbers = Object.values(SYSCALLS[arch]);
  return numbers.flatMap((number, i) => {
    const previous = numbers[i - 1] ?? -1;
    return number - previous > 1 ? [{ from: previous + 1, to: number - 1 }] : [];
  });
}

/**
 * The first stage of every filter: ends the process on another architecture's call or one by the x32 table, gives
 * `answer` to a number that the tables lack, and passes all others on.
 *
 * libseccomp has one answer for all calls without a rule. ENOSYS makes a C library fall back to an older call where EPERM
 * makes the program fail; and for a call that the table has, EPERM says that it is refused rather than missing.
 */
export function unknownCalls(arch: Arch, answer: Answer = "enosys"): Stage {
  const gaps = unallocatedNumbers(arch);
  const unknown = returnValue(answer);
  const instructions = [
    load(SECCOMP_DATA.arch),
    jump(BPF.JMP_JEQ_K, AUDIT_ARCH[arch], 1, 0),
    ret(RET.KILL_PROCESS),
    load(SECCOMP_DATA.nr),
    jump(BPF.JMP_JGT_K, LAST[arch], 0, 4),
    jump(BPF.JMP_JEQ_K, NO_CALL, 2, 0),
    jump(BPF.JMP_JGE_K, arch === "x86_64" ? X32_BIT : NO_CALL, 0, 1),
    ret(RET.KILL_PROCESS),
    ret(unknown),
    // Below the first number of a gap a call is known: the gaps ascend, so that nothing else needs to be asked.
    ...gaps.flatMap(({ from, to }, i) => {
      const pass = 3 * (gaps.length - i) - 1;
      return [jump(BPF.JMP_JGE_K, from, 0, pass), jump(BPF.JMP_JGT_K, to, 1, 0), ret(unknown)];
    }),
    ret(RET.ALLOW),
  ];
  return { instructions, passes: RET.ALLOW };
}
