/*
 * Two machines in a user namespace: "host" with the addresses 198.51.100.1 and 2001:db8::1, and "peer", which has
 * 198.51.100.2, 2001:db8::2 and, as in a cloud, 169.254.169.254. Peer is host's way to everywhere and its name server. Host
 * has 172.31.0.1 on an interface without a carrier besides, as of a bridge with nothing on it.
 */

/** The servers say "ready" in their logs. They end with the process that goes on from here. */
const script = (folder: string, server: string, more: string): string => `
cd '${folder}'; rm -f peer.pid host.pid peer.log host.log
await() { for try in $(seq 500); do if [ -s $1 ]; then return; fi; sleep 0.02; done; cat *.errors >&2; exit 1; }
ip link set lo up
setpriv --pdeathsig KILL unshare --net sh -c 'echo $$ >peer.pid; until ip link show peer0; do sleep 0.02; done >/dev/null 2>&1
  ip link set lo up; ip address add 198.51.100.2/24 dev peer0; ip -6 address add 2001:db8::2/64 dev peer0 nodad
  ip address add 169.254.169.254/32 dev peer0; ip -6 address add fd00:ec2::254/128 dev peer0 nodad; ip link set peer0 up
  ip neighbour add 2001:db8::1 lladdr 02:00:00:00:00:01 dev peer0
  exec python3 "$0" peer peer.log' '${server}' </dev/null >/dev/null 2>peer.errors &
await peer.pid
ip link add out0 address 02:00:00:00:00:01 type veth peer name peer0 address 02:00:00:00:00:02 netns $(cat peer.pid)
ip address add 198.51.100.1/24 dev out0; ip -6 address add 2001:db8::1/64 dev out0 nodad; ip link set out0 up
# The kernels may need a second to find each other.
ip neighbour add 2001:db8::2 lladdr 02:00:00:00:00:02 dev out0
ip link add idle0 type veth peer name idle1; ip address add 172.31.0.1/16 dev idle0; ip link set idle0 up
ip route add default via 198.51.100.2; ip -6 route add default via 2001:db8::2
setpriv --pdeathsig KILL python3 '${server}' host host.log </dev/null >/dev/null 2>host.errors &
echo $! >host.pid
echo nameserver 198.51.100.2 >resolv.conf; mount --bind resolv.conf /etc/resolv.conf
await peer.log; await host.log
${more}
cd - >/dev/null`;

/** A private network besides: host is 10.0.0.2, and peer the addresses that a sandbox has for its way out and name server. */
export const LAN = `
ip address add 10.0.0.2/8 dev out0; enter() { nsenter --target $(cat peer.pid) --net -- ip "$@"; }
for other in 10.0.2.2 10.0.2.3 10.9.9.9; do enter address add $other/32 dev peer0; done; enter address add fe80::2/64 dev peer0 nodad
enter route add 10.0.0.0/8 dev peer0`;

/**
 * Words before a command that make it run on "host", with your own ids; files of the machines lie in `folder`.
 * @param more Lines of a shell for root of "host", when all is there.
 */
export function onMachine(folder: string, server: string, more = ""): string[] {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const back = `exec unshare --user --map-user=${uid} --map-group=${gid} -- "$@"`;
  const shell = ["sh", "-ec", `${script(folder, server, more)}\n${back}`, "sh"];
  return ["unshare", "--user", "--map-root-user", "--net", "--mount", ...shell];
}
