import { printable } from "../base/printable.ts";
import type { Because } from "../errors/error.ts";
import { renderBytes } from "../profile/units.ts";
import { type Call, PROCESSES, type Value } from "../sys/call.ts";
import { CODE } from "./advice.ts";
import type { Plan } from "./plan.ts";
import { scripts } from "./script.ts";
import { describe, lower } from "./step.ts";

const origin = (from: Because): string => `${printable(from.file)} ${printable(from.key)}`;

/** One numbered line a step, with the setting that asks for it. */
export function renderSteps(plan: Plan): string {
  const lines = plan.steps.map((step, i) => {
    const order = `${String(i + 1).padStart(3)}  ${describe(step)}`;
    return `${order}\n       from ${origin(step.because)}`;
  });
  const end = (order: string, from: Because | undefined): string[] =>
    from === undefined ? [] : [`     ${order}\n       from ${origin(from)}`];
  const ends = [
    ...end("nothing of the host is writable", plan.readOnly),
    ...end(`stop it after ${plan.timeout?.after} ms`, plan.timeout?.because),
    ...end(`stop it when all of it has used ${plan.cpuTime?.after} ms of processor time`, plan.cpuTime?.because),
    ...end(`stop it when it prints more than ${renderBytes(plan.output?.most ?? 0)}`, plan.output?.because),
  ];
  return `plan of profile ${printable(plan.profile.name)}, ${plan.steps.length} steps\n${[...lines, ...ends].join("\n")}\n`;
}

function renderValue(value: Value): string {
  if (typeof value === "string") return `"${printable(value).replaceAll('"', '\\"')}"`;
  if (typeof value !== "object") return value === -100 ? "AT_FDCWD" : String(value);
  switch (value.kind) {
    case "flags":
      return value.show;
    case "data":
      return value.data.show;
    case "slot":
      return `<${value.name}>`;
    case "buffer":
      return `&${value.name}`;
    case "field":
      return `${value.data.show}[${value.at / 4}]`;
    case "load":
      return `${value.name}[${value.at / 4}]`;
  }
}

const AWAITED = { init: "init", service: "the service", lock: "the lock" } as const;

/** A call as strace would show it. */
export function renderCall(call: Call): string {
  switch (call.op) {
    case "call": {
      const result = call.save === undefined ? "" : ` = <${call.save}>`;
      const awaited = call.awaits === undefined ? "" : `, awaits ${AWAITED[call.awaits]}`;
      return `${call.name}(${call.args.map(renderValue).join(", ")})${result}${awaited}`;
    }
    case "spawn":
      return call.cgroup === undefined
        ? `clone3({flags=${call.show}|CLONE_PIDFD}) = <${call.pid}>, plays ${call.process}`
        : `clone3({flags=${call.show}|CLONE_PIDFD|CLONE_INTO_CGROUP, cgroup=<${call.cgroup}>}) = <${call.pid}>, plays ${call.process}`;
    case "helper": {
      const argv = call.argv.map((item) => (typeof item === "string" ? printable(item) : `<${item.pid}>`));
      return `run ${argv.join(" ")}`;
    }
    case "store":
      return `{${call.into.show}}[${call.at / 4}] = ${renderValue(call.value)}`;
    case "tell":
      return `if <${call.slot}> tell "${printable(call.note).replaceAll('"', '\\"')}"`;
    case "share":
      return `hand ${call.message.show} to whoever connects to <${call.socket.name}>`;
    case "check":
      return `${renderValue(call.answer)} must be ${call.expected}`;
    case "service":
      return `start ${call.argv.map(printable).join(" ")} with {${call.fds.show}}`;
    case "figure": {
      const key = `${call.line}${call.key}`.trim();
      return `${call.name} = ${key === "" ? "" : `${key} of `}<${call.at}>/${call.path}`;
    }
    case "prune":
      return `remove the cgroup <${call.at}>/${call.path} with all in it`;
    case "exec":
      return `execve(COMMAND in ${printable(call.search.join(":"))}, [${call.env.map((entry) => printable(entry)).join(", ")}])`;
  }
}

/** All calls, by the process that makes them. */
export function renderCalls(plan: Plan): string {
  const lines = scripts(plan.steps);
  const roles = PROCESSES.filter((role) => lines[role].length > 0);
  return roles
    .map((role) => {
      const body = lines[role]
        .map(({ call, step }) => `${String(step + 1).padStart(5)}  ${renderCall(call)}\n`)
        .join("");
      return `${role}:\n${body}`;
    })
    .join("");
}

/** The steps and their calls as JSON, for programs. */
export function renderJson(plan: Plan): string {
  const steps = plan.steps.map((step) => {
    const lowered = lower(step);
    const calls = PROCESSES.flatMap((role) =>
      (lowered[role] ?? []).map((call) => ({ process: role, call: renderCall(call) })),
    );
    return {
      section: step.section,
      op: step.step.op,
      what: describe(step),
      because: step.because,
      error: CODE[step.step.op],
      calls,
    };
  });
  return `${JSON.stringify({ profile: plan.profile, arch: plan.arch, steps, in_force: plan.inForce }, undefined, 2)}\n`;
}
