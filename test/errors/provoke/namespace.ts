import { inNamespace, withMounts } from "../../support/odd.ts";
import { type Provocation, run, withProfile } from "../provocation.ts";

/** A /usr/bin of links to the real one, without newuidmap. */
const NO_NEWUIDMAP = `
mkdir bin real; mount --bind /usr/bin real; mount -t tmpfs none bin
ln -s "$PWD"/real/* bin; rm bin/newuidmap; mount --bind bin /usr/bin`;

const UID = process.getuid?.() ?? 0;

const subids = (owner: string) =>
  withMounts(`echo "${owner}:100000:65536" >ids; for file in /etc/subuid /etc/subgid; do mount --bind ids $file; done`);

/** Errors of ids, network and clocks that are found before anything is made. */
export const NAMESPACE: readonly Provocation[] = [
  {
    code: "E_LOOPBACK",
    when: "the host's network is to have no loopback",
    told: ["with network.mode host it is the host's"],
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
    told: ["where the command has no capability"],
    attempt: () => run(["--network", "host", "--cap-add", "NET_BIND_SERVICE"]),
    repaired: () => run(["--network", "host"]),
  },
  {
    code: "E_NEWUIDMAP",
    when: "there is no newuidmap",
    told: ["newuidmap and newgidmap are not installed", "fix: as root: apt install uidmap, or use --map self"],
    attempt: () => ({ ...run(["--map", "range"]), wrapper: withMounts(NO_NEWUIDMAP) }),
    repaired: () => run(["--map", "self"]),
  },
  {
    code: "E_SUBID",
    when: "the user has no range of ids",
    told: ["/etc/subuid has no entry for ", "usermod --add-subuids 100000-165535 "],
    attempt: () => ({ ...run(["--map", "range"]), wrapper: subids("nobody-at-all") }),
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
