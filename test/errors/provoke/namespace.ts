import { withMounts } from "../../support/odd.ts";
import { type Provocation, run, withProfile } from "../provocation.ts";

/** A /usr/bin of links to the real one, without newuidmap. */
const NO_NEWUIDMAP = `
mkdir bin real; mount --bind /usr/bin real; mount -t tmpfs none bin
ln -s "$PWD"/real/* bin; rm bin/newuidmap; mount --bind bin /usr/bin`;

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
    code: "E_LOW_PORTS",
    when: "low ports of the host's network are asked for",
    told: ["where the command has no capability"],
    attempt: () => run(["--network", "host", "--cap-add", "NET_BIND_SERVICE"]),
  },
  {
    code: "E_NEWUIDMAP",
    when: "there is no newuidmap",
    told: ["newuidmap and newgidmap are not installed", "fix: apt install uidmap, or use --map self"],
    attempt: () => ({ ...run(["--map", "range"]), wrapper: withMounts(NO_NEWUIDMAP) }),
    repaired: () => run(["--map", "self"]),
  },
  {
    code: "E_SUBID",
    when: "the user has no range of ids",
    told: ["/etc/subuid has no entry for ", "usermod --add-subuids 100000-165535 "],
    attempt: () => ({ ...run(["--map", "range"]), wrapper: subids("nobody-at-all") }),
  },
];
