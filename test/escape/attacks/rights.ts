import type { Attack } from "../attack.ts";
import { CAPABILITIES, NO_NEW_PRIVS, NOSUID } from "../walls.ts";

const root = { map: "root" } as const;
const range = { map: "range" } as const;

export const RIGHTS: readonly Attack[] = [
  {
    id: "capability-sets",
    line: 30,
    title: "any bit in any of the five capability sets, as root inside",
    program: "ids",
    args: ["sets"],
    overrides: root,
    walls: [CAPABILITIES],
  },
  {
    id: "capset",
    line: 30,
    title: "capset(2) of every capability, as root inside",
    program: "ids",
    args: ["raise"],
    overrides: root,
    walls: [CAPABILITIES],
  },
  {
    id: "setgroups",
    line: 35,
    title: "setgroups(2), to drop a group that is denied access, as root inside",
    program: "ids",
    args: ["setgroups"],
    overrides: root,
    walls: [CAPABILITIES],
    beyond: { wall: "/proc/self/setgroups is deny, as the kernel demands of a map of one group", stands: "always" },
  },
  {
    id: "setgroups-range",
    line: 35,
    title: "setgroups(2) with --map range",
    program: "ids",
    args: ["setgroups"],
    overrides: range,
    walls: [CAPABILITIES],
  },
  {
    id: "setgid-range",
    line: 35,
    title: "setgid(2), to leave the own group, with --map range",
    program: "ids",
    args: ["setgid", "7"],
    overrides: range,
    walls: [CAPABILITIES],
  },
  {
    id: "setuid-range",
    line: 35,
    title: "setuid(2) to a subordinate id with --map range",
    program: "ids",
    args: ["setuid", "7"],
    overrides: range,
    walls: [CAPABILITIES],
  },
  {
    id: "setuid-program",
    line: 38,
    title: "a setuid program of a subordinate id, in the work directory, with --map range",
    program: "ids",
    args: ["effective"],
    host: "setuid",
    overrides: range,
    walls: [NOSUID, NO_NEW_PRIVS],
  },
  {
    id: "su",
    line: 38,
    title: "su(1), a setuid program of root",
    program: "ids",
    args: ["watch", "/usr/bin/su"],
    walls: [NOSUID, NO_NEW_PRIVS],
    beyond: { wall: "root outside has no id inside", stands: "always" },
    control: "bare",
  },
];
