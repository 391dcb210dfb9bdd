const clock = new Int32Array(new SharedArrayBuffer(4));

/** Waits without letting anything else run. @param ms Milliseconds. */
export const pause = (ms: number): void => void Atomics.wait(clock, 0, 0, ms);
