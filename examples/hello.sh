#!/bin/bash
# What a script sees from inside the sandbox: run it with and without `tsbox run --profile strict`. It harms nothing and
# ends with 0 in both.

section() { printf '\n%s\n' "$1"; }

# What it tries, and how it went.
attempt() {
  local what=$1 why
  shift
  if why=$("$@" 2>&1); then
    printf '  %-34s worked\n' "$what"
  else
    printf '  %-34s refused (%s)\n' "$what" "${why##*: }"
  fi
}

write_here() { : >./written-by-hello && rm -f ./written-by-hello; }
write_tmp() { echo hello >/tmp/written-by-hello && rm -f /tmp/written-by-hello; }
write_usr() { : >/usr/written-by-hello && rm -f /usr/written-by-hello; }
# 192.0.2.1 belongs to nobody (RFC 5737).
connect() { timeout 3 bash -c ': </dev/tcp/192.0.2.1/80' 2>&1 | head -n 1 | grep . && return 1 || return 0; }
read_keys() { ls -A ~/.ssh/; }

section "who and where"
printf '  %s\n' "$(id)" "host $(hostname)" "in $PWD"

section "the home directory, ${HOME:-not set}"
ls -A "${HOME:-/}" | head -n 20 | sed 's/^/  /'

section "what it may do"
attempt "read this directory" ls .
attempt "write to /tmp" write_tmp

section "what it may not"
attempt "write to this directory" write_here
attempt "write to /usr" write_usr
attempt "read ~/.ssh" read_keys
attempt "connect to 192.0.2.1 port 80" connect
attempt "make a namespace of its own" unshare --user true

section "processes"
for comm in /proc/[0-9]*/comm; do
  pid=${comm#/proc/} name=
  read -r name <"$comm" && printf '  %5d %s\n' "${pid%/comm}" "$name"
done 2>/dev/null | head -n 20
exit 0
