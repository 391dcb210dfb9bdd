#!/usr/bin/env bash
# Step 3 of action.yml: the command in a sandbox. Ends as `tsbox run` does.
set -euo pipefail

fail() {
  echo "::error title=tsbox::$1"
  exit 125
}

workspace=$(realpath -e -- "$GITHUB_WORKSPACE")
directory=$(realpath -e -- "$workspace/$TSBOX_DIRECTORY") || fail "working-directory does not exist"
[[ $directory/ == "$workspace"/* ]] || fail "working-directory leads out of the workspace"
# In any repository below too, for checkout's `path`; .git by itself, for a link that leads out is not followed there.
if grep -rqis --include=config extraheader "$directory" "$directory/.git"; then
  fail "actions/checkout has left the job's token in a .git/config, where the command could read it: set its persist-credentials to false"
fi

words=(run "--profile=$TSBOX_PROFILE" --env CI)
[[ -z $TSBOX_NETWORK ]] || words+=("--network=$TSBOX_NETWORK")
while IFS= read -r word; do
  [[ -z $word ]] || words+=("$word")
done <<<"$TSBOX_OPTIONS"

# What the command prints is not for the runner to obey. It cannot guess the word that ends this.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$token"
status=0
cd -- "$directory"
"$RUNNER_TEMP/tsbox/bin/tsbox" "${words[@]}" -- bash -eo pipefail -c "$TSBOX_COMMAND" </dev/null || status=$?
printf '\n::%s::\n' "$token"
exit "$status"
