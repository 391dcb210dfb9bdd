import { assertNever } from "../base/assert.ts";
import { printable } from "../base/printable.ts";
import { type Call, call, type Data, data, flags, type Lowered, slot, words } from "../sys/call.ts";
import { AT, LANDLOCK, LANDLOCK_NET, LANDLOCK_SCOPE, O } from "../sys/uapi.ts";
import type { LandlockStep } from "./plan.ts";
import { allRights, type Right, rightBits } from "./right.ts";

/** Size of struct landlock_ruleset_attr that the ABI knows: files; ports since 4; scopes since 6. */
const attributeSize = (abi: number): number => (abi >= 6 ? 24 : abi >= 4 ? 16 : 8);

/** struct landlock_path_beneath_attr: the rights, then the fd; packed. */
function beneath(rights: readonly Right[], fd: number): Data {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(rightBits(rights)), true);
  view.setInt32(8, fd, true);
  return { bytes, show: `{${rights.join("|")}}` };
}

function newRuleset({ abi, files, tcp }: Extract<LandlockStep, { op: "new-ruleset" }>): Call {
  const rights = files ? allRights(abi) : [];
  const net = tcp ? flags(LANDLOCK_NET) : flags(LANDLOCK_NET, "BIND_TCP", "CONNECT_TCP");
  const scoped = abi >= 6 ? flags(LANDLOCK_SCOPE, "ABSTRACT_UNIX_SOCKET", "SIGNAL") : flags(LANDLOCK_SCOPE);
  const attributes = data(
    words(rightBits(rights), net.value, scoped.value),
    `{handled=${rights.join("|") || "0"}, net=${net.show}, scoped=${scoped.show}}`,
  );
  return call("landlock_create_ruleset", [attributes, attributeSize(abi), 0], { save: "ruleset" });
}

function addRule(rule: Data, of: string, tolerate: readonly "EBADFD"[]): Call {
  const kind = flags(LANDLOCK, "RULE_PATH_BENEATH");
  return call("landlock_add_rule", [slot("ruleset"), kind, { kind: "data", data: rule }, 0], { of, tolerate });
}

export function lowerLandlock(step: LandlockStep): Lowered {
  switch (step.op) {
    case "new-ruleset":
      return { payload: [newRuleset(step)] };
    case "allow-beneath": {
      const rule = beneath(step.rights, -1);
      const of = printable(step.path);
      return {
        payload: [
          call("openat", [AT.FDCWD, step.path, O.PATH | O.CLOEXEC], { save: "beneath", of }),
          { op: "store", value: slot("beneath"), into: rule, at: 8 },
          addRule(rule, of, []),
          call("close", [slot("beneath")]),
        ],
      };
    }
    case "allow-stream":
      // EBADFD: a pipe or a socket, to which Landlock does not apply.
      return { payload: [addRule(beneath(step.rights, step.fd), `fd ${step.fd}`, ["EBADFD"])] };
    case "restrict":
      return { payload: [call("landlock_restrict_self", [slot("ruleset"), 0]), call("close", [slot("ruleset")])] };
    default:
      return assertNever(step);
  }
}
