import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseReport } from "../../src/cli/report.ts";
import { canonical } from "../../src/host/path.ts";
import { catchError } from "../profile/scratch.ts";

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "tsbox-report-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return canonical(folder) ?? folder;
}

describe("the place of a report", () => {
  it("is a file, its directory without links", () => {
    const folder = scratch();
    mkdirSync(join(folder, "real"));
    symlinkSync("real", join(folder, "link"));
    expect(parseReport(join(folder, "real/r.json"))).toEqual({ file: join(folder, "real/r.json") });
    expect(() => parseReport(join(folder, "link/r.json"))).toThrow("link is a link that root did not make");
    expect(parseReport(`${folder}/./r`)).toEqual({ file: join(folder, "r") });
    expect(parseReport("r.json")).toEqual({ file: join(canonical(".") ?? "", "r.json") });
  });

  it("is an fd that is open", () => {
    const fd = openSync("/dev/null", "w");
    try {
      expect(parseReport(`fd:${fd}`)).toEqual({ fd });
    } finally {
      closeSync(fd);
    }
    expect(parseReport("fd:2")).toEqual({ fd: 2 });
  });

  it.each([
    ["fd:", "takes a decimal number"],
    ["fd:-1", "takes a decimal number"],
    ["fd:1x", "takes a decimal number"],
    ["fd:123456", "takes a decimal number"],
    ["fd:9999", "not open"],
    ["a\0b", "NUL"],
    ["/nonexistent/tsbox/r.json", "its directory does not exist"],
    ["file.json/x/r.json", "its directory does not exist"],
  ])("cannot be %j: %s", (text, why) => {
    const error = catchError(() => parseReport(text));
    expect(error.code).toBe("E_REPORT");
    expect(error.message).toContain(why);
  });

  it.each(["", ".", "..", "/", "x/.."])("cannot be a directory: %j", (text) => {
    const error = catchError(() => parseReport(text));
    expect(error.code).toBe("E_REPORT");
    expect(error.message).toContain("it is a directory");
  });
});
