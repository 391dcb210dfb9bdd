import { createHash } from "node:crypto";
import { cpus } from "node:os";
import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { bare, run, startTsbox } from "../support/tsbox.ts";

/** What a command prints in a sandbox that must end with 0 and say nothing on stderr. */
async function output(command: readonly string[], options: { cwd: string; input?: string; words?: readonly string[] }) {
  const result = await run(command, options);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  return result.stdout;
}

const anywhere = () => ({ cwd: makeProject().cwd });

describe("interpreters", () => {
  it("node: files, processors, a worker, a child", async () => {
    const script = `
      const { writeFileSync, readFileSync } = require("node:fs");
      writeFileSync("/tmp/x", "file");
      const parts = [readFileSync("/tmp/x", "utf8"), require("node:os").cpus().length];
      parts.push(require("node:child_process").execSync("echo child", { encoding: "utf8" }).trim());
      const { Worker } = require("node:worker_threads");
      new Worker("require('node:worker_threads').parentPort.postMessage('worker')", { eval: true })
        .on("message", (text) => console.log([...parts, text].join(" ")));`;
    expect(await output([process.execPath, "-e", script], shareNode())).toBe(`file ${cpus().length} child worker\n`);
  });

  it("python3: threads, subprocess, multiprocessing, tempfile", async () => {
    const script = [
      "import subprocess, tempfile, threading, multiprocessing, hashlib",
      "out = []",
      "t = threading.Thread(target=lambda: out.append('thread')); t.start(); t.join()",
      "out.append(subprocess.run(['echo', 'child'], capture_output=True, text=True).stdout.strip())",
      "f = tempfile.TemporaryFile(); f.write(b'x'); out.append(str(f.tell()))",
      "with multiprocessing.Pool(2) as pool: out.append(str(sum(pool.map(abs, [-1, -2, -3]))))",
      "print(*out)",
    ].join("\n");
    expect(await output(["/usr/bin/python3", "-c", script], anywhere())).toBe("thread child 1 6\n");
  });

  it("perl", async () =>
    expect(await output(["perl", "-MPOSIX", "-e", "print join ' ', getpid() > 1, `echo child`"], anywhere())).toBe(
      "1 child\n",
    ));

  it("bash: pipes, process substitution, here documents, job control", async () => {
    const script = `
      set -m
      sleep 60 & sleep 60 &
      jobs | wc -l
      kill %1; wait %1; echo "first $?"
      kill -STOP %2; sleep 0.1; jobs -s | wc -l; kill -KILL %2; while [ "$(jobs -s)" ]; do sleep 0.05; done; wait $!; echo "second $?"
      seq 1000 | sort -rn | head -1 | tr 0 x
      cat <(echo substituted) - <<< here`;
    const result = await run(["bash", "-c", script], anywhere());
    expect(result.code).toBe(0);
    expect(result.stdout).toBe("2\nfirst 143\n1\nsecond 137\n1xxx\nsubstituted\nhere\n");
  });
});

describe("tools", () => {
  it("git log, status and diff of a repository in the work directory", async () => {
    const { cwd } = makeProject();
    const identity = "-c user.name=T -c user.email=t@example.org -c init.defaultBranch=main";
    const made = `git ${identity} init -q && echo a > f && git add f && git ${identity} commit -qm first && echo b >> f`;
    expect(await bare(["sh", "-c", made], { cwd })).toMatchObject({ code: 0 });
    const script = "git log --format=%s && git status --short && git diff --stat";
    expect(await output(["sh", "-c", script], { cwd })).toMatch(/^first\n M f\n f \| 1 \+\n/);
  });

  it("gcc and make, in /tmp", async () => {
    const project = makeProject();
    project.write("hello.c", '#include <stdio.h>\nint main(void) { puts("hello"); return 3; }\n');
    project.write("Makefile", "/tmp/%: %.c\n\t@cc -O2 -pipe -o $@ $<\n");
    const script = "gcc -Wall -o /tmp/a.out hello.c && /tmp/a.out; echo $?; make -j2 /tmp/hello && /tmp/hello; echo $?";
    expect(await output(["sh", "-c", script], project)).toBe("hello\n3\nhello\n3\n");
  });

  it("curl finds its libraries, and no network", async () => {
    expect(await output(["curl", "--version"], anywhere())).toMatch(/^curl \d/);
    const result = await run(["curl", "-sS", "--max-time", "20", "http://example.org/"], anywhere());
    expect(result).toMatchObject({ code: 6, stderr: expect.stringContaining("Could not resolve host") });
  });

  it("tar, gzip, xz, find, sed, awk, date, id", async () => {
    const script = `
      cd /tmp && mkdir d && seq 100 > d/f && ln -s f d/l && tar -czf a.tgz d && tar -tzf a.tgz | wc -l
      find d -type l | sed s/l$/L/; awk '{ s += $1 } END { print s }' d/f; xz -c d/f | xz -dc | tail -1
      TZ=UTC date -d @0 +%Y; id -un; getent hosts localhost | awk '{ print $2 }'; hostname`;
    const user = (await bare(["id", "-un"], anywhere())).stdout.trim();
    expect(await output(["bash", "-c", script], anywhere())).toBe(
      `3\nd/L\n5050\n100\n1970\n${user}\nlocalhost\nsandbox\n`,
    );
  });
});

describe("processes", () => {
  it("fan out to 200", async () => {
    const script = "for i in $(seq 200); do (sleep 0.2; echo $i) & done; wait";
    const lines = (await output(["bash", "-c", script], anywhere())).trim().split("\n");
    expect(lines.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });

  it("that lose their parent are reaped", async () => {
    // Each inner shell ends before its sleep does, which PID 1 inherits.
    const script = `
      for i in 1 2 3 4 5; do (sleep 0.1 & ) ; done
      for i in $(seq 100); do
        sleep 0.05
        if ! grep -qs "^State:.Z" /proc/[0-9]*/status && ! pgrep -x sleep > /dev/null; then echo reaped; exit; fi
      done
      ps -ef`;
    expect(await output(["bash", "-c", script], anywhere())).toBe("reaped\n");
  });

  it("give all of 1 GiB through a pipe", async () => {
    const script = "import sys\nchunk = bytes(range(256)) * 4096\nfor _ in range(1024): sys.stdout.buffer.write(chunk)";
    const hash = createHash("sha1");
    let count = 0;
    const running = startTsbox(["run", "--", "/usr/bin/python3", "-c", script], { ...anywhere(), keepOutput: false });
    running.child.stdout?.on("data", (chunk: Buffer) => {
      count += chunk.length;
      hash.update(chunk);
    });
    expect(await running.ended()).toMatchObject({ code: 0, stderr: "" });
    const expected = createHash("sha1");
    const chunk = Buffer.from(Array.from({ length: 2 ** 20 }, (_, index) => index % 256));
    for (let i = 0; i < 1024; i++) expected.update(chunk);
    expect(count).toBe(2 ** 30);
    expect(hash.digest("hex")).toBe(expected.digest("hex"));
  });

  it("read what tsbox's stdin gets, to its end", async () => {
    const input = "line\n".repeat(200_000);
    expect(await output(["sh", "-c", "wc -c; cat | wc -c"], { ...anywhere(), input })).toBe(`${input.length}\n0\n`);
    expect(await output(["cat"], { ...anywhere(), input })).toBe(input);
  });
});

/** A project, with node shared when it is not one of the system's: the tests may run a copy of it. */
function shareNode() {
  const isOfSystem = process.execPath.startsWith("/usr/");
  return { cwd: makeProject().cwd, words: isOfSystem ? [] : ["-v", `${process.execPath}:ro`] };
}
