export { type Because, renderError, TsboxError } from "./errors/error.ts";
export type { Overrides } from "./profile/override.ts";
export type { Figures, Report } from "./run/report.ts";
export {
  type Ended,
  type Running,
  type RunOptions,
  type RunResult,
  Sandbox,
  type SandboxOptions,
  type StartOptions,
} from "./run/sandbox.ts";
export type { Input, OnChunk } from "./run/stream.ts";
