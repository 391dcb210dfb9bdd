import { type Command, Option } from "commander";
import type { Overrides } from "../profile/override.ts";

const FOOTER = `
What is not given is as the profile says; tsbox-profile(5) has its keys.
--uidmap, --gidmap, --cap-add, --cap-drop, --volume, --tmpfs, --mask, --secret,
--secret-file, --env, --env-file,
--publish, --dns, --dns-search, --add-host, --ulimit, --device-read-bps,
--device-write-bps, --device-read-iops and --device-write-iops may be given
several times. --init and --rm are always on: the command has an init process
above it, and nothing of a sandbox stays.`;

/** What the options of {@link addProfileOptions} say. */
export interface ProfileOptions {
  /** A name or a file. */
  readonly profile: string;
  /** A project file. */
  readonly config?: string;
  readonly overrides: Overrides;
  /** Changes in the work directory are kept in a copy. */
  readonly cow?: { readonly name?: string };
}

const collect = (text: string, earlier: readonly string[] | undefined): readonly string[] => [...(earlier ?? []), text];

/** Heading, then flags and description of each option; "+" means that it may be given several times. */
const GROUPS: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    "Profile:",
    [
      ["--config <file>", "a project's file, which may only narrow it"],
      ["--map <how>", "user id inside: self, root, nobody, range"],
      ["--userns <how>", "podman's words: keep-id, auto, nomap"],
      ["--uidmap <in:out:count> +", "user ids inside, and of the host"],
      ["--gidmap <in:out:count> +", "group ids, the same"],
      ["--cap-add <name> +", "keep a capability, as NET_BIND_SERVICE"],
      ["--cap-drop <name|ALL> +", "keep it no longer"],
    ],
  ],
  [
    "Files:",
    [
      ["--rootfs <dir[:mode]>", "the root: a directory, ro (the default), rw or overlay"],
      ["--read-only", "no shared file can be written to"],
      ["-v, --volume <src[:dst][:mode]> +", "share a path: rw (the default), ro or overlay"],
      ["--tmpfs <dst[:options]> +", "mount memory, as /cache:size=64M,mode=0755"],
      ["--cow [name]", "keep what is changed in the current directory in a copy: --cow=NAME"],
      ["--mask <path> +", "hide what is at a path"],
      ["--secret <name[=variable]> +", "a variable's value as /run/secrets/NAME, in memory"],
      ["--secret-file <name=file> +", "a file's content, the same"],
      ["--work <mode>", "the current directory: ro, rw, overlay or none"],
      ["-w, --workdir <path>", "start in this directory of the sandbox"],
    ],
  ],
  [
    "Environment and network:",
    [
      ["-e, --env <name[=value]> +", "set a variable, or copy it from yours"],
      ["--env-file <file> +", "variables, a NAME=VALUE or NAME a line"],
      ["--hostname <name>", "host name inside"],
      ["--network <mode>", "none, user, host or container:NAME"],
      ["--name <name>", "by which others may join its network"],
      ["-p, --publish <port:inner[/udp]> +", "a port of the host that leads inside"],
      ["--dns <address|none> +", "name server, not the host's"],
      ["--dns-search <domain> +", "where short names are looked up"],
      ["--add-host <name:address> +", "a line of /etc/hosts"],
    ],
  ],
  [
    "Terminal:",
    [
      ["-t, --tty", "give the command a terminal of its own, or fail"],
      ["-i, --interactive", "taken for habit's sake: standard input is always passed"],
      ["--terminal <mode>", "auto, private or shared; auto: its own when yours is all"],
    ],
  ],
  [
    "Limits:",
    [
      ["--timeout <duration>", "end it after, as 500ms, 10s, 5m; or none"],
      ["--cpu-time <duration>", "end it when it has used so much processor time"],
      ["--output-limit <size>", "end it when it has printed more"],
      ["-m, --memory <size>", "memory of all processes, as 512M"],
      ["--memory-swap <size>", "memory and swap together; -1 for no limit"],
      ["--pids-limit <number>", "processes and threads; -1 for no limit"],
      ["--cpus <number>", "time of so many processors, as 0.5"],
      ["--cpu-shares <weight>", "share of busy processors, 2 to 262144"],
      ["--cpuset-cpus <list>", "only these processors, as 0-1,3"],
      ["--blkio-weight <weight>", "share of busy disks, 10 to 1000"],
      ["--device-read-bps <dev:size> +", "read from it at most, in a second"],
      ["--device-write-bps <dev:size> +", "write to it at most, in a second"],
      ["--device-read-iops <dev:n> +", "as often at most, in a second"],
      ["--device-write-iops <dev:n> +", "as often at most, in a second"],
      ["--ulimit <name=soft[:hard]> +", "resource limit, as nofile=1024"],
    ],
  ],
];

function makeOption([flags, description]: readonly [string, string], heading: string): Option {
  const isRepeated = flags.endsWith(" +");
  const option = new Option(flags.replace(/ \+$/, ""), description).helpGroup(heading);
  if (flags.startsWith("--cow")) option.conflicts("work");
  return isRepeated ? option.argParser(collect) : option;
}

/**
 * Gives a command the options that choose and override a profile, and makes it stop at the first word that is none, so
 * that `tsbox run ls -la` hands -la to ls; `usual` is the profile when none is chosen. The program itself needs `enablePositionalOptions()` for that.
 */
export function addProfileOptions(command: Command, usual = "strict"): Command {
  const profile = new Option("--profile <name|file>", "what the sandbox may do").default(usual).helpGroup("Profile:");
  command.passThroughOptions().addOption(profile);
  for (const [heading, options] of GROUPS) {
    for (const option of options) command.addOption(makeOption(option, heading));
  }
  for (const flag of ALWAYS_ON) command.addOption(new Option(flag).hideHelp());
  leaveNextWord(command);
  return command.addHelpText("after", FOOTER);
}

/** commander takes the next word for the value of an option that may have one; that is the command here. */
function leaveNextWord(command: Command): void {
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (words) => {
    const joined = [...words];
    for (let i = 0; i < joined.length && joined[i]?.startsWith("-") && joined[i] !== "--"; i++) {
      const option = command.options.find((each) => [each.short, each.long].includes(joined[i]));
      // commander, too, asks in this order: what is in brackets within <> is optional by its flags.
      if (option?.required === true) i++;
      else if (option?.optional === true) joined[i] = `${joined[i]}=`;
    }
    return parse(joined);
  };
}

const SINGLE = [
  "work",
  "workdir",
  "hostname",
  "map",
  "userns",
  "network",
  "name",
  "timeout",
  "rootfs",
  "readOnly",
  "terminal",
  "memory",
  "memorySwap",
  "cpuTime",
  "outputLimit",
  "pidsLimit",
  "cpus",
  "cpuShares",
  "cpusetCpus",
  "blkioWeight",
] as const;
const REPEATED = [
  "volume",
  "tmpfs",
  "mask",
  "secret",
  "secretFile",
  "env",
  "envFile",
  "uidmap",
  "gidmap",
  "capAdd",
  "capDrop",
  "ulimit",
  "deviceReadBps",
  "deviceWriteBps",
  "deviceReadIops",
  "deviceWriteIops",
  "publish",
  "dns",
  "dnsSearch",
  "addHost",
] as const;
/** What is always so: accepted for those who are used to say it to docker or podman. */
const ALWAYS_ON = ["--init", "--rm"] as const;

const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value);

/** What a command with {@link addProfileOptions} was given, unchecked. */
export function readProfileOptions(command: Command): ProfileOptions {
  const given: Record<string, unknown> = command.opts();
  const single = SINGLE.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]] as const]));
  const repeated = REPEATED.flatMap((name) => (isTexts(given[name]) ? [[name, given[name]] as const] : []));
  const tty = given["tty"] === true ? [["terminal", "private"] as const] : [];
  const config = typeof given["config"] === "string" ? { config: given["config"] } : {};
  const { cow } = given;
  return {
    profile: String(given["profile"]),
    ...config,
    ...(typeof cow === "string" ? { cow: cow === "" ? {} : { name: cow } } : {}),
    overrides: Object.fromEntries([...single, ...repeated, ...tty]),
  };
}
