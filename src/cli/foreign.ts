const ALWAYS = "leave it out: it is always so";
const MOUNT = "use -v SRC:DST, -v SRC:DST:ro or --tmpfs DST; `[[mount]]` in a profile has more";
const FOREGROUND = "tsbox runs in the foreground: put & behind it, or start it as a service";

/** Options of docker, podman, bubblewrap and firejail that tsbox has not, and what to use here. */
export const FOREIGN_OPTIONS: Readonly<Record<string, string>> = {
  "--bind": MOUNT,
  "--chdir": "use --workdir (-w)",
  "--clearenv": ALWAYS,
  "--cpu-period": "use --cpus NUMBER",
  "--cpu-quota": "use --cpus NUMBER",
  "--detach": FOREGROUND,
  "--dev": ALWAYS,
  "--dev-bind": "name devices in root.devices of a profile",
  "--device": "name devices in root.devices of a profile",
  "--die-with-parent": ALWAYS,
  "--entrypoint": "write the command behind the options",
  "--gid": "use --map or --gidmap",
  "--memory-reservation": "name limits.memory_high in a profile, which slows down what goes above",
  "--mount": MOUNT,
  "--net": "use --network none, --network user or --network host",
  "--new-session": ALWAYS,
  "--noprofile": "use --profile; without it the profile is strict",
  "--pid": "leave it out: a sandbox has processes of its own",
  "--private": "leave it out: the home directory inside is always private",
  "--privileged": "name what the command needs: -v PATH, --cap-add NAME, --network user",
  "--proc": ALWAYS,
  "--ro-bind": MOUNT,
  "--seccomp": "name a filter in seccomp.file of a profile",
  "--security-opt": "no_new_privs is always on; name a filter in seccomp.file of a profile",
  "--setenv": "use -e NAME=VALUE",
  "--symlink": "leave it out: the links of a usual system are always there",
  "--uid": "use --map or --uidmap",
  "--unshare-all": ALWAYS,
  "--unshare-net": "use --network none, which most profiles say",
  "--unshare-pid": ALWAYS,
  "--unshare-user": ALWAYS,
  "--user": "use --map root, --map self or --map nobody",
  "-d": FOREGROUND,
  "-u": "use --map root, --map self or --map nobody",
};

/** What to do instead of an option that there is not, from commander's message. */
export function adviseForeign(message: string): string | undefined {
  const option = /unknown option '([^'=]+)/.exec(message)?.[1];
  return option !== undefined && Object.hasOwn(FOREIGN_OPTIONS, option) ? FOREIGN_OPTIONS[option] : undefined;
}
