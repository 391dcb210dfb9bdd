import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { ARG, type Decoded } from "../plan/decode.ts";
import type { Project } from "./project.ts";

/** What a run must not change: the work directory and all beside it, mounts, and where files are put in passing. */
export class Traces {
  readonly #names: ReadonlySet<string>;
  readonly #project: Project;
  readonly #before: readonly string[];

  /** @param plan Tells by which names it makes files; other programs may make others meanwhile. */
  constructor(project: Project, plan: Decoded) {
    const texts = plan.entries.flatMap(({ args }) => args.filter(({ kind }) => kind === ARG.data));
    this.#names = new Set(texts.flatMap(({ value }) => plan.text(Number(value)).split("/")));
    this.#project = project;
    this.#before = this.#list();
  }

  #list(): readonly string[] {
    const { XDG_RUNTIME_DIR } = process.env;
    const shared = ["/", "/tmp", "/var/tmp", "/dev/shm", "/run", process.cwd()];
    const folders = [...shared, ...(XDG_RUNTIME_DIR === undefined ? [] : [XDG_RUNTIME_DIR])].filter(existsSync);
    const planned = (folder: string) => readdirSync(folder).filter((name) => this.#names.has(name));
    const own = readdirSync(this.#project.home, { recursive: true, encoding: "utf8" });
    return [
      ...own.map((name) => `${name}: ${lstatSync(`${this.#project.home}/${name}`).size} bytes`),
      ...folders.flatMap((folder) => planned(folder).map((name) => `${folder}/${name}`)),
      ...readFileSync("/proc/self/mountinfo", "utf8").split("\n"),
    ].sort();
  }

  /** What is there and was not, or the other way round. */
  changes(): string[] {
    const now = this.#list();
    return [
      ...now.filter((line) => !this.#before.includes(line)).map((line) => `new: ${line}`),
      ...this.#before.filter((line) => !now.includes(line)).map((line) => `gone: ${line}`),
    ];
  }
}
