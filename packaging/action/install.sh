#!/usr/bin/env bash
# Step 1 of action.yml: makes $RUNNER_TEMP/tsbox/bin/tsbox, from npm or from the checkout that this file is in. Neither lies in
# the workspace, where a command could change it.
set -euo pipefail

fail() {
  echo "::error title=tsbox::$1"
  exit 125
}

# Above all this keeps out what npm would take for an address: a file, a repository, another package.
is_release() {
  [[ $1 =~ ^[0-9]+(\.[0-9]+){0,2}(-[0-9A-Za-z.]+)?$ ]]
}

type node npm >/dev/null 2>&1 || fail "Node is missing: put actions/setup-node before this step"
place=$RUNNER_TEMP/tsbox
mkdir -p "$place/bin"
if [[ -n $TSBOX_VERSION ]]; then
  is_release "$TSBOX_VERSION" || fail "version is to be one as 1.2.3"
  npm install --global --no-audit --no-fund --loglevel=error --prefix "$place" "tsbox@$TSBOX_VERSION"
else
  node "$GITHUB_ACTION_PATH/scripts/setup.mjs"
  ln -sfn "$GITHUB_ACTION_PATH/bin/tsbox" "$place/bin/tsbox"
fi
"$place/bin/tsbox" --version
