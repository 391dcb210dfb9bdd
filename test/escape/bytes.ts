import { SYSCALLS } from "../../src/sys/syscalls.ts";
import { MOUNT_ATTR, O, RESOLVE } from "../../src/sys/uapi.ts";

/*
 * Changes to an encoded plan, for what every plan does and no step can leave out. Offsets are those of src/launcher/plan.h.
 */

const ENTRIES_AT = 16;
const ENTRY_BYTES = 88;
const NUMBER_AT = 12;
const DATA_AT = 16 + 8 * 4;
const ATTRIBUTE_BYTES = 32;

const NUMBERS: Readonly<Record<string, number>> = SYSCALLS[process.arch === "arm64" ? "aarch64" : "x86_64"];

/** Makes another call with the same arguments of every call of that name. */
export function replaceCalls(plan: Buffer, name: string, by: string): void {
  const first = plan.readUInt32LE(ENTRIES_AT);
  for (let i = 0; i < plan.readUInt32LE(ENTRIES_AT + 4); i++) {
    const at = first + i * ENTRY_BYTES;
    if (plan.readUInt8(at) !== 1 || plan.readUInt32LE(at + NUMBER_AT) !== NUMBERS[name]) continue;
    plan.writeUInt32LE(NUMBERS[by] ?? 0, at + NUMBER_AT);
  }
}

/** Puts another text of the same length in the place of a text. */
export function replaceText(plan: Buffer, text: string, by: string): void {
  const at = plan.indexOf(`\0${text}\0`, plan.readUInt32LE(DATA_AT), "latin1");
  if (at < 0 || by.length !== text.length) throw new RangeError(`no ${text} in the plan, or ${by} is not as long`);
  plan.write(by, at + 1, "latin1");
}

/** Makes openat2(2) of a directory follow links of proc too. */
export function allowMagicLinks(plan: Buffer): void {
  const strict = openHow(RESOLVE.NO_MAGICLINKS);
  for (let at = plan.indexOf(strict); at >= 0; at = plan.indexOf(strict, at)) openHow(0).copy(plan, at);
}

/** struct open_how of a path's handle. */
function openHow(resolve: number): Buffer {
  return Buffer.from(BigUint64Array.of(BigInt(O.PATH | O.CLOEXEC), 0n, BigInt(resolve)).buffer);
}

/** Takes NOSUID out of every struct mount_attr: eight bytes of attributes to set, and nothing else. */
export function clearNosuid(plan: Buffer): void {
  const first = plan.readUInt32LE(DATA_AT);
  const others = Buffer.alloc(ATTRIBUTE_BYTES - 8);
  const most = MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;
  for (let at = first; at + ATTRIBUTE_BYTES <= plan.length; at += 8) {
    const set = plan.readBigUInt64LE(at);
    const isAttributes = set <= BigInt(most) && (Number(set) & MOUNT_ATTR.NOSUID) !== 0;
    if (!isAttributes || !plan.subarray(at + 8, at + ATTRIBUTE_BYTES).equals(others)) continue;
    plan.writeBigUInt64LE(BigInt(Number(set) & ~MOUNT_ATTR.NOSUID), at);
  }
}
