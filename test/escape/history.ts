/** How programs of this kind have been broken. */
export interface Line {
  readonly what: string;
  /** Where it is tested, or why it is not, when no attack of this suite has its number. */
  readonly elsewhere?: string;
}

/** By number; the attacks name them. (What concerns images, proxies and user-mode networks comes with these.) */
export const LINES: Readonly<Record<number, Line>> = {
  1: { what: "typing into the caller's terminal (bubblewrap CVE-2017-5226)" },
  2: { what: "64-bit compare of a 32-bit argument (flatpak CVE-2019-10063, snapd CVE-2019-7303)" },
  3: { what: "pasting on a virtual console (flatpak CVE-2023-28100, snapd CVE-2023-1523)" },
  4: { what: "escape sequences in names (flatpak CVE-2023-28101)" },
  5: { what: "a supervisor held up by output" },
  6: { what: "mount points through links (bubblewrap GHSA-pxhw-h44j-8pfx)" },
  7: { what: "links swapped during set-up (runc CVE-2021-30465, CVE-2019-19921, CVE-2023-27561)" },
  8: { what: "devices and masks replaced (runc CVE-2025-31133, -52565, -52881)" },
  9: { what: "directories made through links of an image (runc CVE-2024-45310, buildah CVE-2024-1753)" },
  10: { what: "copying out of a sandbox by path (docker CVE-2018-15664)" },
  11: {
    what: "what a sandbox leaves is followed or hidden when it is copied out (Nix GHSA-g3g9-5vj6-r3gj, ai-bwrap #8)",
  },
  12: { what: "a shared directory replaced by a link (flatpak CVE-2024-42472)" },
  13: {
    what: "predictable directories in /tmp (bubblewrap CVE-2019-12439)",
    elsewhere: "tsbox makes none: test/sandbox/signals.test.ts",
  },
  14: { what: "setuid helpers, injected arguments (firejail CVE-2021-26910, CVE-2022-31214, CVE-2020-17367)" },
  15: { what: "leaked descriptors and working directories (runc CVE-2024-21626)" },
  16: { what: "overwriting a program that runs outside (runc CVE-2019-5736)" },
  17: { what: "tracing the helper (runc CVE-2016-9962, bubblewrap CVE-2020-5291, CVE-2016-8659)" },
  18: { what: "environment of helpers (CVE-2025-23266)" },
  19: { what: "descriptors and streams of the caller" },
  20: { what: "abstract sockets (containerd CVE-2020-15257, Nix CVE-2024-27297, CVE-2025-46416)" },
  21: { what: "sockets and files of the user (docker.sock, agents, buses, keys)" },
  22: { what: "IPC and keyrings (CVE-2016-0728)" },
  23: { what: "the host through its user-mode network (slirp4netns' 10.0.2.2, pasta's gateway; podman #6912)" },
  29: { what: "kernel surface of user namespaces (CVE-2022-0185, CVE-2023-32233, CVE-2024-1086, CVE-2023-0386)" },
  30: { what: "inheritable capabilities (CVE-2022-27649 to -27652)" },
  31: { what: "io_uring, which no filter sees" },
  32: { what: "other tables of calls, new calls (flatpak CVE-2021-41133)" },
  33: { what: "kernel settings, handlers and other processes (CVE-2022-0811)" },
  34: { what: "cgroup files (CVE-2022-0492, runc CVE-2023-25809)" },
  35: { what: "groups and id maps (CVE-2014-8989, CVE-2018-7169, CVE-2018-18955)" },
  36: {
    what: "maps written to a reused pid (nsjail)",
    elsewhere: "the maps are written by the process itself, or while it waits unreaped",
  },
  38: { what: "setuid programs inside" },
  40: { what: "settings and hooks where the command can write (Codex CVE-2025-59532)" },
  41: { what: "silent weakening", elsewhere: "each call of the set-up made to fail: test/escape/fault.test.ts" },
  42: { what: "what remains, and what takes more than its share" },
};
