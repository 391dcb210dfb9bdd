/**
 * A time limit in milliseconds, longer where all takes longer: in an emulator, ten times or more (TSBOX_PATIENCE). No test
 * passes because of it, some fail without.
 */
export const patient = (ms: number): number => ms * Number(process.env["TSBOX_PATIENCE"] ?? 1);
