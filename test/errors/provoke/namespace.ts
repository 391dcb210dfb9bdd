import { besideSandbox, inNamespace, withMounts } from "../../support/odd.ts";
import { type Provocation, run, withProfile } from "../provocation.ts";

/** A /usr/bin of links to the real one, without these. */
const withoutPrograms = (...names: readonly string[]): string => `
mkdir bin real; mount --bind /usr/bin real; mount -t tmpfs none bin
ln -s "$PWD"/real/* bin; cd bin; rm ${names.join(" ")}; cd ..; mount --bind bin /usr/bin`;

const CONNECTED = () => run(["--network", "user"]);

const withRunning = (mode: string): string[] => [
  ...["sh", "-c", 'd="$HOME/.cache/tsbox/running"; mkdir -p "$d"; chmod "$0" "$d"; exec "$@"', mode],
];

const UID = process.getuid?.() ?? 0;

const subids = (owner: string) =>
  withMounts(`echo "${owner}:100000:65536" >ids; for file in /etc/subuid /etc/subgid; do mount --bind ids $file; done`);

/** Errors of ids, network and clocks that are found before anything is made. */
export const NAMESPACE: readonly Provocation[] = [
  {
    code: "E_LOOPBACK",
    when: "the host's network is to have no loopback",
    told: ["with network.mode host it stays"],
    attempt: (project) => withProfile(project, 'network = { mode = "host", loopback = false }'),
    repaired: (project) => withProfile(project, 'network = { mode = "none", loopback = false }'),
  },
  {
    code: "E_NESTING_ROOT",
    when: "root allows sandboxes inside of one",
    told: ["each of them has one", "from: ./p.toml nesting", "fix: start tsbox as an ordinary user"],
    attempt: (project) => ({ ...withProfile(project, "nesting = true"), wrapper: inNamespace("true") }),
    repaired: (project) => withProfile(project, "nesting = true"),
  },
  {
    code: "E_NESTING_LANDLOCK",
    when: "sandboxes inside are allowed, and Landlock is required",
    told: ["forbids all mounts to those whose files it guards", "from: ./p.toml nesting"],
    attempt: (project) => withProfile(project, 'nesting = true\nlandlock = "require"'),
    repaired: (project) => withProfile(project, 'nesting = true\nlandlock = "prefer"'),
  },
  {
    code: "E_LOW_PORTS",
    when: "low ports of the host's network are asked for",
    told: ["in a network that is not its own"],
    attempt: () => run(["--network", "host", "--cap-add", "NET_BIND_SERVICE"]),
    repaired: () => run(["--network", "host"]),
  },
  {
    code: "E_JOIN",
    when: "the sandbox that is to be joined is not there, but one of another name",
    told: ['did you mean "other"?', "fix: use one of: other"],
    attempt: () => ({ ...run(["--network", "container:ohter"]), wrapper: besideSandbox("other") }),
    repaired: () => ({ ...run(["--network", "container:other"]), wrapper: besideSandbox("other") }),
  },
  {
    code: "E_NAME",
    when: "a sandbox that runs has the name",
    told: ["a sandbox of yours that runs is called so"],
    attempt: () => ({ ...run(["--name", "other"]), wrapper: besideSandbox("other") }),
    repaired: () => ({ ...run(["--name", "another"]), wrapper: besideSandbox("other") }),
  },
  {
    code: "E_RUNNING",
    when: "others can see where sandboxes are found",
    told: ["it is no directory of yours alone", "chmod 700"],
    attempt: () => ({ ...run(["--name", "x"]), wrapper: withRunning("755") }),
    repaired: () => ({ ...run(["--name", "x"]), wrapper: withRunning("700") }),
  },
  {
    code: "E_NETWORK_MODE",
    when: "the host's network is to be without private ones",
    told: ["tsbox puts nothing between it and them"],
    attempt: (project) => withProfile(project, 'network = { mode = "host", deny_private = true }'),
    repaired: (project) => withProfile(project, 'network = { mode = "user", deny_private = true }'),
  },
  {
    code: "E_BACKEND",
    when: "there is neither slirp4netns nor pasta",
    told: ["neither slirp4netns nor pasta is installed", "fix: apt install slirp4netns"],
    attempt: () => ({ ...CONNECTED(), wrapper: withMounts(withoutPrograms("slirp4netns", "passt", "pasta")) }),
    repaired: CONNECTED,
  },
  {
    code: "E_TUN",
    when: "/dev/net/tun does not exist",
    told: ["/dev/net/tun does not exist", "modprobe tun"],
    attempt: () => ({ ...CONNECTED(), wrapper: withMounts("mount -t tmpfs none /dev/net") }),
    repaired: CONNECTED,
  },
  {
    code: "E_TUN",
    when: "/dev/net/tun is closed",
    told: ["/dev/net/tun is not open to you", "chmod 0666 /dev/net/tun"],
    attempt: () => ({
      ...CONNECTED(),
      wrapper: withMounts(": >closed; chmod 0 closed; mount --bind closed /dev/net/tun"),
    }),
    repaired: CONNECTED,
  },
  {
    code: "E_PUBLISH",
    when: "a port of a sandbox without a network is published",
    told: ["network.mode is none", "--network user"],
    attempt: () => run(["-p", "18098:80"]),
    repaired: () => run(["-p", "18098:80", "--network", "user"]),
  },
  {
    code: "E_CIDR",
    when: "the sandbox's way out would have the address of a cloud's credentials",
    told: ["169.254.170.2 in it lies in 169.254.0.0/16", "fix: choose another network.cidr"],
    attempt: (project) => withProfile(project, 'network = { mode = "user", cidr = "169.254.170.0/24" }'),
    repaired: (project) => withProfile(project, 'network = { mode = "user", cidr = "10.7.0.0/24" }'),
  },
  {
    code: "E_DENY_PRIVATE",
    when: "pasta is to keep out private networks",
    told: ["with pasta", 'fix: write backend = "slirp4netns"'],
    attempt: (project) => withProfile(project, 'network = { mode = "user", backend = "pasta", deny_private = true }'),
    repaired: (project) =>
      withProfile(project, 'network = { mode = "user", backend = "slirp4netns", deny_private = true }'),
  },
  {
    code: "E_NAMESERVER",
    when: "a name server is this machine",
    told: ["the sandbox does not reach 127.0.0.0/8"],
    attempt: () => run(["--network", "user", "--dns", "127.0.0.1"]),
    repaired: CONNECTED,
  },
  {
    code: "E_NEWUIDMAP",
    when: "there is no newuidmap",
    told: ["newuidmap and newgidmap are not installed", "fix: as root: apt install uidmap, or use --map self"],
    attempt: () => ({ ...run(["--map", "range"]), wrapper: withMounts(withoutPrograms("newuidmap")) }),
    repaired: () => run(["--map", "self"]),
  },
  {
    code: "E_SUBID",
    when: "the user has no range of ids",
    told: ["/etc/subuid has no entry for ", "usermod --add-subuids 100000-165535 "],
    attempt: () => ({ ...run(["--map", "range"]), wrapper: subids("nobody-at-all") }),
    repaired: (project) => ({
      ...withProfile(project, 'ids = { map = "range", range = "prefer" }'),
      wrapper: subids("nobody-at-all"),
    }),
  },
  {
    code: "E_ID_OWN",
    when: "a map leaves out whoever runs it",
    told: [`your own uid, ${UID} on the host, is not in the map`, `fix: add an entry for it, as "0:${UID}:1"`],
    attempt: () => run(["--uidmap", "1:100000:1"]),
    repaired: () => run(["--uidmap", `0:${UID}:1`]),
  },
  {
    code: "E_ID_FOREIGN",
    when: "a map names another user's id",
    told: ["cannot map 1:1:5", "/etc/subuid has no line ", "usermod --add-subuids 1-5 "],
    attempt: () => run(["--uidmap", `0:${UID}:1`, "--uidmap", "1:1:5"]),
    repaired: () => run(["--uidmap", `0:${UID}:1`, "--uidmap", "1:100000:5"]),
  },
];
