/** What is said of a key besides its type, which is the parser's; in Markdown. */
export interface KeyText {
  /** A value as it is written, in backquotes, or words for what no value says. */
  readonly absent: string;
  /** What it does, and its danger. */
  readonly text: string;
}

/**
 * Every key of a profile; one limit stands for all of `rlimits`. docs/profile.md, the manual page and the JSON schema are
 * made from this and src/profile/outline.ts, and neither may have a key that the other lacks.
 */
const KEYS = {
  description: { absent: '`""`', text: "Said by listings." },
  extends: {
    absent: "none",
    text: "[See above](#which-file). Whoever can write the parent decides over this profile.",
  },
  work: {
    absent: '`"none"`',
    text: "Shares the current directory at its own path. `overlay`: what the command writes goes to memory, [see below](#overlays). `rw`: the command can change your sources, and what you later run from there (hooks, build files, editors' settings).",
  },
  protect: {
    absent: "`[]`",
    text: "Paths below the current directory that the command can neither change nor make, wherever they would be writable; [see below](#protected-paths). They stay readable.",
  },
  tools: {
    absent: "`[]`",
    text: "Programs that you have outside of /usr, as version managers install them: the directory that has NAME as `bin/NAME` is shared read-only and `bin` comes first in the PATH inside; [see below](#tools). All that lies beside the program is readable then.",
  },
  workdir: {
    absent: "the current directory if shared, else `/`",
    text: "Directory inside to start in; may start with a [variable](#units).",
  },
  terminal: {
    absent: '`"auto"`',
    text: "`private`: the command gets a terminal of its own, relayed to yours, and no file descriptor of yours; an error where standard input is no terminal. `auto`: the same where standard input, output and error all are terminals. `shared`: it gets your terminal itself, can change its modes and, in the foreground, read what is typed.",
  },
  hostname: { absent: '`"sandbox"`', text: "Host name inside." },
  nesting: {
    absent: "`false`",
    text: "The command may start sandboxes itself, [as tsbox inside of tsbox](#nesting). It then reaches the kernel's code for user namespaces and mounts, where most holes were; what is masked in /proc it can see in a proc of its own; Landlock no longer guards files.",
  },
  "ids.map": {
    absent: '`"self"`',
    text: "Your user id inside: your own, 0, 65534, or 0 with a range from /etc/subuid. `range` needs newuidmap, and files may come to belong to ids of your range.",
  },
  "ids.uid_map": {
    absent: "as `ids.map` says",
    text: "Which user ids inside are which on the host, [entry by entry](#maps-of-your-own). Files may come to belong to ids of your range.",
  },
  "ids.gid_map": { absent: "as `ids.map` says", text: "The same for group ids." },
  "ids.range": {
    absent: '`"require"`',
    text: 'Where there is no newuidmap, or no range for you in /etc/subuid or /etc/subgid, `ids.map = "range"` is an error; with `prefer` it is then `"root"`: one id, and programs cannot give files to others. The report says which it was.',
  },
  "capabilities.keep": {
    absent: "`[]`",
    text: "Kept by the command in its own namespaces; `CAP_` may be left out. Each opens kernel code to it that was closed. [Some are refused](#capabilities).",
  },
  "clock.monotonic": {
    absent: "the host's clock",
    text: "Added to the clock inside, time_namespaces(7). With neither key of `clock` there is no time namespace, and the host's uptime shows.",
  },
  "clock.boottime": { absent: "the host's clock", text: "As `clock.monotonic`, for the clock that counts sleep too." },
  "root.source": {
    absent: '`"host"`',
    text: 'Where programs come from. `host`: the host\'s /usr, read-only. `"dir:/PATH"`: a directory with a whole system in it, [as debootstrap makes one](#roots-of-your-own); may start with a [variable](#units) after `dir:`. `empty`: nothing but what is mounted, for static programs.',
  },
  "root.mode": {
    absent: '`"ro"`',
    text: "Of a root that is a directory. `overlay`: the command can change all of it, and what it writes goes to memory, at most `root.size`. `rw`: it changes the directory.",
  },
  "root.size": {
    absent: '`"1GiB"`',
    text: "Limit of the tmpfs that holds /tmp, /run, the home directory and the like. It is memory of the host.",
  },
  "root.etc": {
    absent: "`[]`",
    text: "Shown read-only if the host has them. The command can read them: no secrets.",
  },
  "root.sys": { absent: "`[]`", text: "Shown read-only if the host has them. Tells of the hardware." },
  "root.devices": {
    absent: '`["null", "zero", "full", "random", "urandom", "tty"]`',
    text: "Nodes of /dev.",
  },
  "proc.masked": { absent: "as `strict`", text: "Hidden. A shorter list tells more of the host." },
  "proc.readonly": {
    absent: '`["/proc"]`',
    text: "Not writable. A shorter list lets the command set what its namespaces own.",
  },
  "storage.driver": {
    absent: '`"auto"`',
    text: "What makes overlays. `overlay`: the kernel. `fuse-overlayfs`: fuse-overlayfs(1), which is slower, and takes directories with mounts in them and older kernels. `auto`: the kernel, or fuse-overlayfs where the kernel cannot, which is tried if fuse-overlayfs is installed.",
  },
  read_only: {
    absent: "`false`",
    text: 'Nothing that is shared of the host can be written to: `work = "rw"` and each mount of mode `rw` count as `ro`, wherever they were asked for, and a cache is empty memory, as large as `root.size`. What is memory (tmpfs mounts, /tmp, /run, the home directory inside) stays writable, and so does what the command gets as its standard streams.',
  },
  "network.mode": {
    absent: '`"none"`',
    text: "`none`: its own network without a way out. `user`: its own network, from which slirp4netns(1) or pasta(1) reaches what you reach, [but not this machine](network.md). `container:NAME`, `container:PID`: [that of another sandbox](network.md#another-sandboxs-network) of yours that runs. `host`: no wall at all between the command and your network, localhost included, and abstract sockets where Landlock is older than ABI 6.",
  },
  "network.loopback": {
    absent: "`true`",
    text: 'Without it the sandbox\'s own network has no interface that is up, and Landlock (ABI 4) refuses TCP altogether. Only with `mode = "none"`.',
  },
  "network.backend": {
    absent: '`"auto"`',
    text: "The program behind `user`. `auto`: slirp4netns, else pasta; pasta where an IPv6 address or UDP on 127.0.0.1 is published, slirp4netns where `deny_private` is asked for.",
  },
  "network.publish": {
    absent: "`[]`",
    text: "Ports of the host that lead into the sandbox, for `user`. On 127.0.0.1 unless an address is written; with `0.0.0.0` everybody who reaches this machine reaches the command.",
  },
  "network.dns": {
    absent: "those of the host",
    text: 'Name servers, for `user` and `host`. `["none"]`: no look-ups of names but those of /etc/hosts. Whoever answers decides where the command connects to, and learns what it looks up.',
  },
  "network.search": { absent: "`[]`", text: "Domains in which short names are looked up, resolv.conf(5)." },
  "network.hosts": { absent: "`[]`", text: "Lines of /etc/hosts besides the sandbox's own." },
  "network.ipv6": {
    absent: "`false`",
    text: "IPv6 as well, for `user`. slirp4netns(1) calls its own experimental.",
  },
  "network.cidr": {
    absent: "the first of `10.0.2.0/24`, `10.0.3.0/24`, … with no address of the host",
    text: "The network that the sandbox sees itself in, for `user`: the second address is the way out, the third the name server, the hundredth the sandbox.",
  },
  "network.outbound_address": {
    absent: "as the host's routes say",
    text: "Address of the host that connections come from, for `user`.",
  },
  "network.deny_private": {
    absent: "`false`",
    text: "Networks that are not of the Internet (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7 and the like) are unreachable, for `user`. Not with `host`, where nothing could keep it, nor with pasta, which would take the addresses of the way out and of the name server for those of machines outside.",
  },
  landlock: {
    absent: '`"prefer"`',
    text: "A second wall behind the mounts (Linux 5.13), made from the same list. `off`: only the mounts hold the command.",
  },
  "seccomp.filter": {
    absent: '`"require"`',
    text: '`off`: the command reaches every system call of the kernel, and your session keyring by keyctl(2). `prefer`: the same, where a filter must be built and libseccomp is missing or older than 2.5.0; the report then says `"off"`. The filters of shipped profiles are built already.',
  },
  "seccomp.allow": {
    absent: '`["base"]`',
    text: "What the filter lets through; `tsbox seccomp` and docs/seccomp.md tell of the groups.",
  },
  "seccomp.file": {
    absent: "none",
    text: "A filter in the format of Docker, podman and the OCI runtime specification, [instead of](seccomp.md#filter-files) `seccomp.allow`; from the folder of the profile. Docker's own default allows more than `base`.",
  },
  "environment.pass": {
    absent: "`[]`",
    text: "Copied from your environment if set there. Names that hold tokens give the tokens away.",
  },
  "environment.set": {
    absent: "`{}`",
    text: "Names and the texts that they are set to, each below 128 KiB with its name; [variables](#units) may stand in them.",
  },
  "limits.timeout": { absent: '`"none"`', text: "Wall-clock limit; the run then ends with 124." },
  "limits.output": {
    absent: '`"none"`',
    text: "What the command prints, standard output and error together; the rest is cut off, and the run ends with 124. Without a terminal of its own the command prints into pipes then, which tsbox carries on, whatever yours are.",
  },
  "limits.cgroup": {
    absent: '`"require"`',
    text: "What the keys of `limits` below need is [a cgroup](#limits-of-a-whole-sandbox) that you may divide. `prefer`: without one the command runs without these limits, and the report says why.",
  },
  "limits.memory": {
    absent: '`"none"`',
    text: "Memory of all processes together, page cache and files in memory included. What needs more is killed, with all others inside. Without `swap` nothing is swapped out.",
  },
  "limits.memory_high": {
    absent: '`"none"`',
    text: "Above it processes are slowed down and memory is taken back, instead of killing.",
  },
  "limits.swap": {
    absent: "none, or 0 with a limit on memory",
    text: "Swap of all processes together, besides `memory`.",
  },
  "limits.pids": {
    absent: '`"none"`',
    text: "Processes and threads, tsbox's own first process included; fork(2) then fails with EAGAIN.",
  },
  "limits.cpus": {
    absent: '`"none"`',
    text: "Processors' time: `0.5` is half of one, `2` is two, however many threads there are.",
  },
  "limits.cpu_weight": {
    absent: '`"none"`',
    text: "Share of the processors where others want them too; what has no weight counts as 100. On one processor it is exact; across several, kernels differ in what a weight comes to.",
  },
  "limits.cpuset": { absent: '`"none"`', text: 'The processors that may be used, as `"0-1,4"`.' },
  "limits.io": {
    absent: "`[]`",
    text: 'Rates of disks: `"DEVICE rbps=SIZE wbps=SIZE riops=NUMBER wiops=NUMBER"`, read and written in a second, in bytes and in operations; one of the four is enough. A partition stands for its disk.',
  },
  "limits.hugetlb": {
    absent: '`"none"`',
    text: "Huge pages of all processes together, of each size by itself; what needs more gets no mapping (ENOMEM) or SIGBUS. systemd delegates no such controller: only where root has made you a cgroup.",
  },
  "limits.cpu_time": {
    absent: '`"none"`',
    text: "Processors' time of all processes together; the run then ends with 124. It is looked at five times a second, so a sandbox may use 0.2 s of each processor more.",
  },
  "limits.io_weight": {
    absent: '`"none"`',
    text: "Share of block devices, as `cpu_weight`; it counts where a disk's I/O scheduler is bfq, or its iocost is switched on (`io.cost.qos`), both by root.",
  },
  "rlimits.NAME": {
    absent: "as `strict`",
    text: "Soft and hard limit of each process, getrlimit(2), [in its unit](#resource-limits).",
  },
  "lifecycle.name": {
    absent: "none",
    text: "What other sandboxes of yours know it by. Whoever joins its network (`network.mode`) shares [its ports, its loopback and its way out](network.md#another-sandboxs-network). Not with `host`.",
  },
  "lifecycle.die_with_parent": {
    absent: "`true`",
    text: "The sandbox ends when the process that started tsbox does.",
  },
  "mount.type": {
    absent: '`"bind"`',
    text: "A part of the host; memory; a directory of tsbox's own that is still there in the next run, [see below](#caches); nothing, over what is to be hidden; or a file in memory, [see below](#masks-and-secrets).",
  },
  "mount.source": {
    absent: "must be written",
    text: "What is shared; may start with a [variable](#units). Sockets in it are doors to those who listen (docker.sock: root of the host).",
  },
  "mount.target": {
    absent: "bind: `source`; else must be written",
    text: "Where it appears; may start with a [variable](#units).",
  },
  "mount.mode": {
    absent: '`"ro"`',
    text: "`rw`: the command writes to the host. `overlay`: it sees the directory and can change it, but what it writes goes to memory and is gone after the run; [see below](#overlays).",
  },
  "mount.optional": {
    absent: "`false`",
    text: "A missing source is then left out instead of being an error.",
  },
  "mount.size": {
    absent: 'tmpfs: `"64MiB"`; overlay: `root.size`',
    text: "Memory that what is written there may take.",
  },
  "mount.name": { absent: "must be written", text: "Of the cache; the same name stands for the same cache." },
  "mount.scope": {
    absent: '`"work"`',
    text: "Which runs share the cache: those from the same work directory, or all of a profile of this name. `profile`: what one project's command puts there, another's uses.",
  },
  "mount.variable": {
    absent: "or `file`",
    text: "The variable of your environment whose value the secret is. Whoever may read your processes' environment can read it anyway.",
  },
  "mount.file": {
    absent: "or `variable`",
    text: "The file whose content the secret is, at most 1 MiB; may start with a [variable](#units). The file itself is not shared.",
  },
  "mount.permissions": {
    absent: '`"0755"`',
    text: 'Of its top directory; the sticky bit may be set (`"1777"`).',
  },
} as const satisfies Readonly<Record<string, KeyText>>;

/** By key. */
export const keyTexts = (): Readonly<Record<string, KeyText>> => KEYS;
