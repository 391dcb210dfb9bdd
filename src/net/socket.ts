import { type Address, renderAddress } from "../base/address.ts";
import { type Call, call, data, type Flags, flags, join, slot, type Value } from "../sys/call.ts";
import { SOCKET } from "../sys/uapi.ts";
import { unixAddress } from "../sys/unix-address.ts";

/** A socket that no program started from here inherits. */
export function openSocket(family: Flags, type: Flags, save: string): Call {
  return call("socket", [family, join(type, flags(SOCKET, "SOCK_CLOEXEC")), 0], { save, of: family.show });
}

/** struct sockaddr_in, 16 bytes, or sockaddr_in6, 28; ip(7), ipv6(7). */
function socketAddress({ family, bytes }: Address, port: number): Uint8Array {
  const head = Buffer.alloc(family === 4 ? 4 : 8);
  head.writeUInt16LE(family === 4 ? SOCKET.AF_INET : SOCKET.AF_INET6, 0);
  head.writeUInt16BE(port, 2);
  return new Uint8Array(Buffer.concat([head, Buffer.from(bytes), Buffer.alloc(family === 4 ? 8 : 4)]));
}

const ON = data(new Uint8Array(Int32Array.of(1).buffer), "[1]");

const setOption = (socket: Value, level: keyof typeof SOCKET, name: keyof typeof SOCKET): Call =>
  call("setsockopt", [socket, flags(SOCKET, level), flags(SOCKET, name), ON, 4], { of: name });

/** Takes a port and gives it back: whether it can be had is known then, and if not, why. */
export function tryPort(protocol: "tcp" | "udp", address: Address, port: number): Call[] {
  const at = slot("port");
  const shown = address.family === 6 ? `[${renderAddress(address)}]:${port}` : `${renderAddress(address)}:${port}`;
  const bytes = socketAddress(address, port);
  return [
    openSocket(
      flags(SOCKET, address.family === 4 ? "AF_INET" : "AF_INET6"),
      flags(SOCKET, protocol === "tcp" ? "SOCK_STREAM" : "SOCK_DGRAM"),
      "port",
    ),
    // As the back ends do: connections of an earlier server that are still being closed are no obstacle.
    ...(protocol === "tcp" ? [setOption(at, "SOL_SOCKET", "SO_REUSEADDR")] : []),
    ...(address.family === 6 ? [setOption(at, "IPPROTO_IPV6", "IPV6_V6ONLY")] : []),
    call("bind", [at, data(bytes, shown), bytes.length], { of: shown }),
    call("close", [at]),
  ];
}

/** struct sockaddr_un of a path, maybe from the current directory; unix(7). */
export function pathAddress(path: string): { readonly value: Value; readonly length: number } {
  const bytes = unixAddress(path);
  return { value: data(bytes, `{AF_UNIX, "${path}"}`), length: bytes.length };
}
