import { describe, expect, it } from "vitest";
import { makeProject } from "../support/project.ts";
import { lines, sh } from "../support/shell.ts";
import { run, tsbox } from "../support/tsbox.ts";

describe("fds", () => {
  const wrapped = (script: string) => ({ wrapper: ["bash", "-c", `${script}; exec "$@"`, "bash"] });
  const list = "import os; print(*sorted(os.listdir('/proc/self/fd')))";

  it("that the caller left open are closed", async () => {
    const open = wrapped('for i in $(seq 3 203); do eval "exec $i</etc/passwd"; done');
    expect(await lines(`exec /usr/bin/python3 -c "${list}"`, open)).toEqual(["0 1 2 3"]); // 3 reads the directory
  });

  it("0, 1 and 2 that were closed are /dev/null", async () => {
    const script = "cat; readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2";
    expect((await lines(script, wrapped("exec <&-")))[0]).toBe("/dev/null");
    expect(await sh("echo x", wrapped("exec >&-"))).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(await sh("exit 3", wrapped("exec <&- >&- 2>&-"))).toMatchObject({ code: 3 });
    for (const script of ["exec 2>&-", "exec 2>/dev/full", "exec 2> >(exec true); sleep 0.1"]) {
      expect(await sh("true", { ...wrapped(script), words: ["--workdir", "/no"] })).toMatchObject({ code: 125 });
      expect(await sh("true", { ...wrapped(script), words: ["--no-such"] })).toMatchObject({ code: 125 });
    }
  });

  it("that break tell the command by SIGPIPE", async () => {
    const { cwd } = makeProject();
    const wrapper = ["bash", "-c", '"$@" | head -c 2; echo ${PIPESTATUS[0]}', "bash"];
    expect(await run(["yes"], { cwd, wrapper })).toMatchObject({ code: 0, stdout: "y\n141\n", stderr: "" });
    const plan = await tsbox(["plan"], { cwd, wrapper });
    expect(plan).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^pl\d+\n$/) });
  });
});
