import type { Attack } from "../attack.ts";
import { IPC_NAMESPACE, LANDLOCK, LANDLOCK_SCOPES, NET_NAMESPACE, OWN_SHM, setting, VISIBLE_ROOT } from "../walls.ts";

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

export const NETWORK: readonly Attack[] = [
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
