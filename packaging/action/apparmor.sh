#!/usr/bin/env bash
# Step 2 of action.yml: on Ubuntu 23.10 and newer, where AppArmor keeps user namespaces from ordinary programs, allows them to
# tsbox's programs that play plans; docs/doctor.md says what that gives away. Elsewhere it does nothing.
set -euo pipefail

switch=/proc/sys/kernel/apparmor_restrict_unprivileged_userns
if [[ ! -e $switch || $(<"$switch") != 1 ]]; then
  echo "AppArmor does not restrict user namespaces here"
  exit 0
fi
package=$(dirname -- "$(dirname -- "$(readlink -f -- "$RUNNER_TEMP/tsbox/bin/tsbox")")")
launcher=$package/dist/launcher/$(uname -m)/tsbox-launcher
# To sed and to AppArmor other characters would be more than themselves.
if [[ ! $launcher =~ ^[A-Za-z0-9_./+-]+$ ]]; then
  echo "::error title=tsbox::AppArmor cannot name $launcher: use a runner whose directories have names of letters, digits and ._+-"
  exit 125
fi
sed "s|^@{tsbox_launcher} = .*|@{tsbox_launcher} = $package/{bin/tsbox,${launcher#"$package"/}}|" "$package/packaging/apparmor/tsbox" |
  sudo tee /etc/apparmor.d/tsbox >/dev/null
sudo apparmor_parser -r /etc/apparmor.d/tsbox
