import type { GroupSource } from "./group-source.ts";
import { type Group, readGroups } from "./groups.ts";
import { subset } from "./relation.ts";

/** Calls that these names let through, with some arguments at least. */
function allowedCalls(names: readonly string[], groups: ReadonlyMap<string, Group>): Set<string> {
  const plain = names.filter((name) => !groups.has(name));
  const ofGroups = [...groups.values()].flatMap(({ allow, rules }) => [
    ...allow,
    ...rules.flatMap(({ action, syscall }) => (action === "allow" ? [syscall] : [])),
  ]);
  return new Set([...plain, ...ofGroups]);
}

/**
 * A shorter list allows less, but for one thing: a rule that refuses a call by its arguments stands above all that allow it,
 * and goes with the group that has it. Such a group may be left out only with all that else allows the call.
 */
export function narrowAllowed(
  before: readonly string[],
  after: readonly string[],
  source: GroupSource,
): readonly string[] {
  const added = subset(before, after);
  if (added.length > 0 || before.length === after.length) return added;
  const left = readGroups(after, source);
  const calls = allowedCalls(after, left);
  const gone = [...readGroups(before, source)].filter(([name]) => !left.has(name));
  return gone.flatMap(([name, { rules }]) => {
    const refused = rules.find(
      ({ action, args, syscall }) => action !== "allow" && args.length > 0 && calls.has(syscall),
    );
    return refused === undefined ? [] : [`without ${name}, which refuses some of ${refused.syscall}(2)`];
  });
}
