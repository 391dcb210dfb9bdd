import type { Attack } from "../attack.ts";
import {
  FENCE,
  IPC_NAMESPACE,
  LANDLOCK,
  LANDLOCK_SCOPES,
  NET_NAMESPACE,
  NO_HOST_LOOPBACK,
  OWN_SHM,
  ROUTES,
  setting,
  VISIBLE_ROOT,
} from "../walls.ts";

const ipc = (id: string, title: string, args: readonly string[], walls = [IPC_NAMESPACE]): Attack => ({
  id,
  line: 22,
  title,
  program: "ipc",
  args,
  host: "ipc",
  walls,
  control: "bare",
});

const share = (path: string) => setting(`${path} not shared`, { overrides: { volume: [path] } });

/** `address` is of this machine or of the other one, whose server's log tells. */
const connected = (id: string, title: string, args: readonly string[], walls = [FENCE]): Attack => ({
  id: `connected-${id}`,
  line: 23,
  title: `${title}, with --network user`,
  program: "sockets",
  args: ["machine", ...args],
  host: "machines",
  overrides: { network: "user" },
  walls,
});

/** The same with IPv6; scene.ts has the profile. */
const connected6 = (...attack: Parameters<typeof connected>): Attack => {
  const { overrides: _, ...rest } = connected(...attack);
  return { ...rest, title: `${attack[1]}, with network.ipv6`, profile: "./six.toml" };
};

const OWN = "198.51.100.1";
const OWN6 = "2001:db8::1";
const METADATA = "169.254.169.254";

export const NETWORK: readonly Attack[] = [
  connected("own", "connect(2) to this machine's own address", ["tcp", OWN, "7000", "host.log"], [ROUTES]),
  connected("own-mapped", "connect(2) to it as ::ffff:", ["tcp", `::ffff:${OWN}`, "7000", "host.log"], [ROUTES]),
  connected("own-device", "the same by SO_BINDTODEVICE, past the routes", ["tcp", OWN, "7000", "host.log", "tap0"]),
  connected("own-datagram", "sendto(2) to it by SO_BINDTODEVICE", ["udp", OWN, "7000", "host.log", "tap0"]),
  connected(
    "own-idle",
    "connect(2) to this machine's address on an interface without a carrier",
    ["tcp", "172.31.0.1", "7000", "host.log"],
    [ROUTES],
  ),
  connected6("own6", "connect(2) to this machine's own IPv6 address", ["tcp", OWN6, "7000", "host.log"]),
  connected6("own6-device", "sendto(2) to it by SO_BINDTODEVICE, past the routes", [
    ...["udp", OWN6, "7000", "host.log", "tap0"],
  ]),
  connected("loopback-device", "connect(2) to 127.0.0.1 by SO_BINDTODEVICE", [
    ...["tcp", "127.0.0.1", "7000", "host.log", "tap0"],
  ]),
  connected("loopback-datagram", "sendto(2) to 127.0.0.1 by SO_BINDTODEVICE", [
    ...["udp", "127.0.0.1", "7000", "host.log", "tap0"],
  ]),
  connected("metadata", "connect(2) to a cloud's 169.254.169.254", ["tcp", METADATA, "7000", "peer.log"], [ROUTES]),
  connected("metadata-device", "the same by SO_BINDTODEVICE, past the routes", [
    ...["tcp", METADATA, "7000", "peer.log", "tap0"],
  ]),
  connected(
    "gateway",
    "connect(2) to the way out, which slirp4netns takes for the host's 127.0.0.1",
    [...["tcp", "10.0.2.2", "7000", "host.log"]],
    [NO_HOST_LOOPBACK],
  ),
  {
    id: "abstract",
    line: 20,
    title: "connect(2) to an abstract socket of the host",
    program: "sockets",
    args: ["abstract", "$NAME"],
    host: "abstract",
    walls: [NET_NAMESPACE, LANDLOCK_SCOPES],
    control: "bare",
  },
  {
    id: "abstract-host-network",
    line: 20,
    title: "connect(2) to an abstract socket of the host with --network host",
    program: "sockets",
    args: ["abstract", "$NAME"],
    host: "abstract",
    overrides: { network: "host" },
    walls: [LANDLOCK_SCOPES],
  },
  {
    id: "loopback",
    line: 20,
    title: "connect(2) to a server on the host's 127.0.0.1",
    program: "sockets",
    args: ["tcp", "$PORT"],
    host: "tcp",
    walls: [NET_NAMESPACE],
    control: "bare",
  },
  {
    id: "socket",
    line: 21,
    title: "connect(2) to a socket in a directory of the user's, as of ssh-agent, a bus or docker",
    program: "sockets",
    args: ["path", "$SOCKET"],
    host: "socket",
    walls: [share("$HOME/.ssh")],
    control: "bare",
  },
  {
    id: "socket-visible",
    line: 21,
    title: "connect(2) to such a socket if the host's root were still there",
    program: "sockets",
    args: ["path", "$SOCKET"],
    host: "socket",
    walls: [VISIBLE_ROOT],
  },
  ipc("shm", "shmget(2) of a segment of the host", ["shm", "$KEY"]),
  ipc("msg", "msgget(2) of a queue of the host", ["msg", "$KEY"]),
  ipc("sem", "semget(2) of a semaphore of the host", ["sem", "$KEY"]),
  ipc("mqueue", "mq_open(3) of a queue of the host", ["mqueue", "$QUEUE"], [IPC_NAMESPACE, LANDLOCK]),
  {
    id: "dev-shm",
    line: 22,
    title: "read of a file in the host's /dev/shm",
    program: "files",
    args: ["read", "$PATH"],
    host: "shm",
    walls: [OWN_SHM],
    control: "bare",
  },
];
