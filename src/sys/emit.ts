import { BPF, type Instruction } from "./bpf.ts";
import type { Decision, WordTest } from "./decision.ts";

/** A jump's offsets have eight bits; less what is put in between for the other one. */
const REACH = 254;
const WHOLE = 0xffff_ffff;

const isSameWord = (a: WordTest, b: WordTest): boolean => a.word === b.word && a.mask === b.mask;

/**
 * Writes a program from its end, so that all that is jumped to has its place already. A place is the number of
 * instructions from there to the end.
 */
export class Emitter {
  readonly #backwards: Instruction[] = [];
  /** Where each decision begins, with what it tests still to be loaded and loaded already. */
  readonly #places = new Map<Decision, number>();
  readonly #loaded = new Map<Decision, number>();

  program(): Instruction[] {
    return this.#backwards.toReversed();
  }

  #push(code: number, k: number, jt = 0, jf = 0): number {
    return this.#backwards.push({ code, jt, jf, k });
  }

  /** A place within reach that leads to `place`. */
  #near(place: number): number {
    const distance = this.#backwards.length - place;
    if (distance <= REACH) return place;
    const there = this.#backwards[place - 1];
    return there?.code === BPF.RET_K ? this.#push(BPF.RET_K, there.k) : this.#push(BPF.JMP_JA, distance);
  }

  jump(code: number, k: number, yes: number, no: number): number {
    const [jt, jf] = [this.#near(yes), this.#near(no)];
    const here = this.#backwards.length;
    return this.#push(code, k, here - jt, here - jf);
  }

  /** Loads the word at an offset of struct seccomp_data, then goes on at `next`. */
  load(offset: number, next: number): number {
    const distance = this.#backwards.length - next;
    if (distance > 0) this.#push(BPF.JMP_JA, distance);
    return this.#push(BPF.LD_W_ABS, offset);
  }

  decision(decision: Decision): number {
    const known = this.#places.get(decision);
    if (known !== undefined) return known;
    const place = "answer" in decision ? this.#push(BPF.RET_K, decision.answer) : this.#test(decision);
    this.#places.set(decision, place);
    return place;
  }

  #test(decision: Extract<Decision, { test: WordTest }>): number {
    const { word, mask } = decision.test;
    const jump = this.#compare(decision);
    const masked = mask === WHOLE ? jump : this.#push(BPF.ALU_AND_K, mask);
    return this.load(word, masked);
  }

  /** Only the jump. */
  #compare(decision: Extract<Decision, { test: WordTest }>): number {
    const { test, yes, no } = decision;
    const after = (next: Decision): number =>
      "test" in next && isSameWord(next.test, test)
        ? (this.#loaded.get(next) ?? this.#compare(next))
        : this.decision(next);
    // The other way is written last, so that a chain of comparisons stays together.
    const taken = after(yes);
    const place = this.jump(test.code, test.k, taken, after(no));
    this.#loaded.set(decision, place);
    return place;
  }
}
