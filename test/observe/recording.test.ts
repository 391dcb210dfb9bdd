import { mkdirSync, mkdtempSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { linkStatus, linkText, listNames, mayAccess, readText, realPath } from "../../src/observe/file.ts";
import { account, passedVariable, variable } from "../../src/observe/process.ts";
import { type Guard, readPolicy, record, refuseToKeep } from "../../src/observe/recording.ts";

const scratch = (): string => mkdtempSync(join(tmpdir(), "tsbox-observe."));
const told = (guards: readonly Guard[]) => guards.map(({ kind, what, errno }) => `${kind} ${what} ${errno}`);
const guardsOf = (work: () => unknown) => record(work).recording.guards;

describe("what is asked while something is made", () => {
  it("is noted with its answer, and a failure with its errno", () => {
    const folder = scratch();
    symlinkSync("nowhere", `${folder}/link`);
    const guards = guardsOf(() => {
      linkStatus(`${folder}/none`);
      linkText(`${folder}/link`);
      mayAccess(folder, "x");
      expect(() => realPath(`${folder}/link`)).toThrow("ENOENT");
    });
    expect(told(guards)).toEqual([
      `link ${folder}/none 2`,
      `linkText ${folder}/link 0`,
      `access ${folder} 0`,
      `realPath ${folder}/link 2`,
    ]);
    expect(guards[1]?.answer).toBe("nowhere");
  });

  it("is not noted where nobody records", () => {
    variable("HOME");
    expect(guardsOf(() => undefined)).toEqual([]);
  });

  it("is noted once, and as no policy if it was asked for both", () => {
    const guards = guardsOf(() => {
      readPolicy(() => [variable("HOME"), variable("PATH")]);
      variable("HOME");
    });
    expect(guards.map(({ what, isPolicy }) => [what, isPolicy])).toEqual([
      ["HOME", false],
      ["PATH", true],
    ]);
  });

  it("is not to be kept when the answer changed meanwhile", () => {
    const path = `${scratch()}/file`;
    const { recording } = record(() => {
      linkStatus(path);
      writeFileSync(path, "");
      linkStatus(path);
    });
    expect(recording.refusals).toEqual([`${path} changed meanwhile`]);
  });

  it("belongs to the inner recording, and the outer one goes on", () => {
    const { recording } = record(() => {
      record(() => refuseToKeep("inner"));
      refuseToKeep("outer");
    });
    expect(recording.refusals).toEqual(["outer"]);
  });
});

describe("a file that was read", () => {
  it("is held by its content while its times say nothing", () => {
    const path = `${scratch()}/file`;
    writeFileSync(path, "text");
    expect(guardsOf(() => readText(path))).toMatchObject([
      { kind: "content", what: path, answer: Buffer.from("text") },
    ]);
    expect(told(guardsOf(() => readText("/proc/sys/kernel/ostype")))).toEqual(["content /proc/sys/kernel/ostype 0"]);
  });

  it("is held by what it is when it has not changed for a while, whatever its other times say", () => {
    const path = realPath("/bin/sh");
    expect(told(guardsOf(() => listNames("/etc")))).toEqual(["file /etc 0"]);
    expect(told(guardsOf(() => readText(path)))).toEqual([`file ${path} 0`]);
  });

  it("that is long and has just changed is no ground for keeping anything, with a time in the past either", () => {
    const folder = scratch();
    writeFileSync(`${folder}/file`, "x".repeat(100_000));
    utimesSync(`${folder}/file`, 0, 0);
    mkdirSync(`${folder}/new`);
    for (const read of [() => void readText(`${folder}/file`), () => void listNames(`${folder}/new`)]) {
      expect(record(read).recording.refusals).toEqual([expect.stringMatching(/ changed a moment ago$/)]);
    }
  });
});

describe("who asks", () => {
  it("is known by the line of /etc/passwd", () => {
    const { result, recording } = record(account);
    const guard = recording.guards.find(({ kind }) => kind === "account");
    expect(Buffer.from(guard?.answer ?? "").toString()).toContain(`${result.name}:`);
    expect(recording.refusals).toEqual([]);
  });

  it("has variables whose values are no guard when they are only passed on", () => {
    const guards = guardsOf(() => passedVariable("HOME"));
    expect(guards).toMatchObject([{ kind: "isSet", what: "HOME", errno: 0, answer: "" }]);
  });
});
