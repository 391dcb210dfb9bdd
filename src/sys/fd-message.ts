import { type Data, field, type Load, type Value } from "./call.ts";
import { SOCKET } from "./uapi.ts";

/** Where the first fd lies in a control message; cmsg(3). */
const FIRST = 16;

/** A message of some bytes with fds, to be sent or to be received; unix(7). */
export interface FdMessage {
  /** struct msghdr, for sendmsg(2) and recvmsg(2). */
  readonly message: Extract<Value, { readonly kind: "data" }>;
  readonly text: Data;
  /** struct cmsghdr. */
  readonly data: Data;
  /** Where the fd lies in `data`. */
  readonly at: (index: number) => number;
  /** The fd itself, when it has been received. */
  readonly fd: (index: number) => Load;
}

const BYTE: Data = { bytes: new Uint8Array(1), show: "[0]" };

/** A message with room for so many fds, each -1 until something is stored there. */
export function fdMessage(count: number, text: Data = BYTE): FdMessage {
  const length = FIRST + 4 * count;
  const fds = Array<number>(count + (count % 2)).fill(-1);
  const header = [length, 0, SOCKET.SOL_SOCKET, SOCKET.SCM_RIGHTS];
  const control: Data = {
    bytes: new Uint8Array(Int32Array.of(...header, ...fds).buffer),
    show: count === 1 ? "{SCM_RIGHTS, [fd]}" : `{SCM_RIGHTS, [${count} fds]}`,
  };
  const shown = text === BYTE ? "1 byte" : text.show;
  const vector: Data = {
    bytes: new Uint8Array(BigInt64Array.of(0n, BigInt(text.bytes.length)).buffer),
    pointers: [{ at: 0, to: text }],
    show: `{${shown}}`,
  };
  const size = BigInt(control.bytes.length);
  const data: Data = {
    bytes: new Uint8Array(BigInt64Array.of(0n, 0n, 0n, 1n, 0n, size, 0n).buffer),
    pointers: [
      { at: 16, to: vector },
      { at: 32, to: control },
    ],
    show: `{${shown}, control=${control.show}}`,
  };
  const at = (index: number): number => FIRST + 4 * index;
  return { message: { kind: "data", data }, text, data: control, at, fd: (index) => field(control, at(index)) };
}
