/** Reads a plan's bytes by src/launcher/plan.h alone: nothing of src/plan/encode.ts is used. */
export interface Entry {
  readonly op: number;
  readonly flags: number;
  readonly step: number;
  readonly call: string;
  readonly nr: number;
  readonly save: number;
  readonly args: readonly { readonly kind: number; readonly value: bigint }[];
  readonly tolerated: readonly number[];
}

export interface StepText {
  readonly what: string;
  readonly code: string;
  readonly from: string;
  readonly fix: string;
  readonly exit: number;
  readonly alternatives: readonly { readonly error: number; readonly why: string; readonly fix: string }[];
}

/** struct plan_header: where each field lies, and its size in bytes. */
export const HEADER = {
  magic: [0, 8],
  size: [8, 4],
  arch: [12, 4],
  entry: [16, 4],
  entry_n: [20, 4],
  step: [24, 4],
  step_n: [28, 4],
  alternative: [32, 4],
  alternative_n: [36, 4],
  relocation: [40, 4],
  relocation_n: [44, 4],
  data: [48, 4],
  data_n: [52, 4],
  script0: [56, 4],
  script0_n: [60, 4],
  script1: [64, 4],
  script1_n: [68, 4],
  script2: [72, 4],
  script2_n: [76, 4],
  script3: [80, 4],
  script3_n: [84, 4],
  outcome0: [88, 4],
  outcome11: [132, 4],
  flags: [136, 4],
  keep: [140, 4],
  keep_n: [144, 4],
  report: [148, 4],
  in_force: [152, 4],
  terminal: [156, 4],
  freeze: [160, 4],
  kill: [164, 4],
  cpu_stat: [168, 4],
  printed0: [172, 4],
  printed1: [176, 4],
  timeout_ms: [184, 8],
  cpu_us: [192, 8],
  printed_max: [200, 8],
  forwarded: [208, 8],
  to_group: [216, 8],
} as const;
export const HEADER_SIZE = 224;
export const SIZES = { entry: 88, step: 28, alternative: 12, relocation: 8, data: 1 } as const;

export const OP = {
  call: 1,
  spawn: 2,
  helper: 3,
  exec: 4,
  store: 5,
  tell: 6,
  service: 7,
  check: 8,
  figure: 9,
  prune: 10,
  share: 11,
} as const;
export const ARG = { int: 1, data: 2, slot: 3, load: 4 } as const;
export const NO_SLOT = 0xffff_ffff;

type Table = keyof typeof SIZES;

/** A plan taken apart. */
export class Decoded {
  readonly #view: DataView;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #entries: readonly Entry[] | undefined;

  constructor(bytes: Uint8Array) {
    // A copy, which is no Buffer: slices of one share its memory.
    this.#bytes = Uint8Array.from(bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  field(name: keyof typeof HEADER): number {
    return this.#view.getUint32(HEADER[name][0], true);
  }

  wide(name: "timeout_ms" | "forwarded" | "to_group"): bigint {
    return this.#view.getBigUint64(HEADER[name][0], true);
  }

  get magic(): string {
    return Buffer.from(this.#bytes.subarray(0, 8)).toString("latin1");
  }

  count(table: Table): number {
    return this.field(`${table}_n`);
  }

  /** First byte of a table and the byte after its last record. */
  extent(table: Table): [number, number] {
    return [this.field(table), this.field(table) + SIZES[table] * this.count(table)];
  }

  /** The text at an offset of the data. */
  text(offset: number): string {
    const [from, to] = this.extent("data");
    const end = this.#bytes.indexOf(0, from + offset);
    if (end < 0 || end >= to) throw new RangeError(`the text at ${offset} has no end`);
    return Buffer.from(this.#bytes.subarray(from + offset, end)).toString("utf8");
  }

  /** Bytes of the data, copied. */
  data(offset: number, length: number): Uint8Array {
    const [from] = this.extent("data");
    return this.#bytes.slice(from + offset, from + offset + length);
  }

  get entries(): readonly Entry[] {
    this.#entries ??= Array.from({ length: this.count("entry") }, (_, i) =>
      this.#entry(this.field("entry") + SIZES.entry * i),
    );
    return this.#entries;
  }

  #entry(at: number): Entry {
    const view = this.#view;
    return {
      op: view.getUint8(at),
      flags: view.getUint8(at + 1),
      step: view.getUint32(at + 4, true),
      call: this.#call(view.getUint32(at + 8, true), view.getUint32(at + 36, true)),
      nr: view.getUint32(at + 12, true),
      save: view.getUint32(at + 16, true),
      args: Array.from({ length: view.getUint8(at + 2) }, (_, i) => ({
        kind: view.getUint8(at + 20 + i),
        value: view.getBigUint64(at + 40 + 8 * i, true),
      })),
      tolerated: Array.from({ length: view.getUint8(at + 3) }, (_, i) => view.getUint8(at + 28 + i)),
    };
  }

  /** As the launcher tells it. */
  #call(name: number, of: number): string {
    return this.text(of) === "" ? this.text(name) : `${this.text(name)} of ${this.text(of)}`;
  }

  get steps(): StepText[] {
    return Array.from({ length: this.count("step") }, (_, i) => {
      const at = this.field("step") + SIZES.step * i;
      const word = (n: number) => this.#view.getUint32(at + 4 * n, true);
      return {
        what: this.text(word(0)),
        code: this.text(word(1)),
        from: this.text(word(2)),
        fix: this.text(word(3)),
        exit: word(6),
        alternatives: Array.from({ length: word(5) }, (_, j) => this.#alternative(word(4) + j)),
      };
    });
  }

  #alternative(i: number) {
    const at = this.field("alternative") + SIZES.alternative * i;
    const word = (n: number) => this.#view.getUint32(at + 4 * n, true);
    return { error: word(0), why: this.text(word(1)), fix: this.text(word(2)) };
  }

  get relocations(): { readonly at: number; readonly to: number }[] {
    return Array.from({ length: this.count("relocation") }, (_, i) => {
      const at = this.field("relocation") + SIZES.relocation * i;
      return { at: this.#view.getUint32(at, true), to: this.#view.getUint32(at + 4, true) };
    });
  }

  /** First entry and number of each script: host, init, payload, after. */
  get scripts(): [number, number][] {
    return (["script0", "script1", "script2", "script3"] as const).map((name) => [
      this.field(name),
      this.field(`${name}_n`),
    ]);
  }

  /** Numbers of the steps that tell how a run ended. */
  get outcomes(): number[] {
    return Array.from({ length: 12 }, (_, i) => this.#view.getUint32(HEADER.outcome0[0] + 4 * i, true));
  }

  /** The texts that a null-terminated array of addresses leads to. */
  vector(offset: number): string[] {
    const to = new Map(this.relocations.map((relocation) => [relocation.at, relocation.to]));
    const texts: string[] = [];
    for (let at = offset; to.has(at); at += 8) texts.push(this.text(to.get(at) ?? 0));
    return texts;
  }
}
