import { type Call, call, flags, load } from "../sys/call.ts";
import { F, O } from "../sys/uapi.ts";

/*
 * A limit on what the command prints: theory of operation.
 *
 * The supervisor has to see it pass. At a terminal of the command's own it does anyway; else the command gets the ends of pipes
 * for its standard output and error, and the supervisor carries what comes to where the user's lead (src/launcher/output.c).
 * Where both lead to the same, it is one pipe, so that what is printed stays in order.
 */

/** The slots of the supervisor that hold the ends to read from. */
export const OUTPUT_SLOTS = ["printed-output", "printed-errors"] as const;

const pipe = (slot: string): string => `${slot}-pipe`;

/** `joined`: one for both. */
const slotsOf = (joined: boolean): readonly string[] => OUTPUT_SLOTS.slice(0, joined ? 1 : 2);

/** In the supervisor, before init is made. */
export const makePipes = (joined: boolean): Call[] =>
  slotsOf(joined).flatMap((save) => [
    call("pipe2", [{ kind: "buffer", name: pipe(save), size: 8 }, flags(O, "CLOEXEC")]),
    call("fcntl", [load(pipe(save), 0), flags(F, "DUPFD_CLOEXEC"), 3], { save }),
    call("close", [load(pipe(save), 0)]),
  ]);

/** In the supervisor, once init has been made: with an end to write to of its own it would never see the last one go. */
export const letGoOfPipes = (joined: boolean): Call[] =>
  slotsOf(joined).map((slot) => call("close", [load(pipe(slot), 4)]));

/** In the payload. */
export const printIntoPipes = (joined: boolean): Call[] =>
  OUTPUT_SLOTS.map((slot, i) =>
    call("dup3", [load(pipe(joined ? OUTPUT_SLOTS[0] : slot), 4), i + 1, 0], { of: `fd ${i + 1}` }),
  );
