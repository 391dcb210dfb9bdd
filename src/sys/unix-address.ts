import { SOCKET } from "./uapi.ts";

/** sizeof(struct sockaddr_un) */
const SIZE = 110;

/** struct sockaddr_un of a path; unix(7). @throws RangeError for one that does not fit: 107 bytes do. */
export function unixAddress(path: string): Uint8Array {
  const bytes = Buffer.concat([Buffer.from(Uint16Array.of(SOCKET.AF_UNIX).buffer), Buffer.from(`${path}\0`)]);
  if (bytes.length > SIZE) throw new RangeError(`${path} is too long for a socket`);
  return new Uint8Array(bytes);
}
