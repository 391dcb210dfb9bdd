import { renderAddress } from "../base/address.ts";
import type { HostFacts } from "../host/facts.ts";
import type { Profile } from "../profile/profile.ts";
import type { VirtualNetwork } from "./virtual.ts";

/** How the sandbox looks up names: contents of files of /etc. */
export interface NameFiles {
  readonly hosts: string;
  readonly resolvConf: string;
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");

/** hosts(5). */
function hostsFile({ hostname, network }: Profile): string {
  return lines([
    "127.0.0.1 localhost",
    "::1 localhost ip6-localhost ip6-loopback",
    `127.0.1.1 ${hostname}`,
    ...network.hosts.map(({ name, address }) => `${renderAddress(address)} ${name}`),
  ]);
}

/** resolv.conf(5); the host's only where its network is shared and nothing else is asked for. */
function resolvConf({ network }: Profile, facts: HostFacts, virtual: VirtualNetwork | undefined): string {
  const { mode, dns, search } = network;
  const given = facts.other?.resolvConf ?? facts.resolvConf ?? "# no network\n";
  if (mode === "none") return "# no network\n";
  if (virtual === undefined && dns === undefined && search.length === 0) return given;
  const servers = dns ?? (virtual?.nameserver === undefined ? undefined : [virtual.nameserver]);
  const own = servers?.map((server) => `nameserver ${renderAddress(server)}`);
  const theirs = given.split("\n").filter((line) => /^nameserver\s/.test(line));
  return lines([...(search.length === 0 ? [] : [`search ${search.join(" ")}`]), ...(own ?? theirs)]);
}

export function nameFiles(profile: Profile, facts: HostFacts, virtual: VirtualNetwork | undefined): NameFiles {
  return { hosts: hostsFile(profile), resolvConf: resolvConf(profile, facts, virtual) };
}
