import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { until } from "./process.ts";
import type { Project } from "./project.ts";
import { ROOT, startTsbox } from "./tsbox.ts";

/** A sandbox that runs to the end of the test, and whose network others join. */
export class Neighbour {
  readonly #sandbox: ReturnType<typeof startTsbox>;
  readonly #lines: AsyncIterator<string>;
  #first = "";

  private constructor(project: Project, name: string) {
    const { cwd, home } = project;
    const command = ["python3", project.copy(`${ROOT}/test/fixtures/sweep/neighbour.py`)];
    this.#sandbox = startTsbox(["run", "--name", name, "--", ...command], { cwd, home, keepOutput: false });
    const { stdout } = this.#sandbox.child;
    if (!(stdout instanceof Readable)) throw new Error("no stdout");
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** Resolves when it can be joined. */
  static async start(project: Project, name: string): Promise<Neighbour> {
    const neighbour = new Neighbour(project, name);
    await until("the socket of a sandbox", () => existsSync(`${project.home}/.cache/tsbox/running/${name}`));
    neighbour.#first = await neighbour.#look();
    if (!neighbour.#first.endsWith(" True")) throw new Error(neighbour.#first);
    return neighbour;
  }

  async #look(): Promise<string> {
    this.#sandbox.child.stdin?.write("\n");
    const { value, done } = await this.#lines.next();
    return done === true ? `ended: ${(await this.#sandbox.ended()).stderr}` : value;
  }

  end(): void {
    process.kill(this.#sandbox.pid);
  }

  /** What is other than it was at its start; undefined: nothing, and its network works. */
  async change(): Promise<string | undefined> {
    const now = await this.#look();
    return now === this.#first ? undefined : `${now}, and was ${this.#first}`;
  }
}
