import { describe, expect, it } from "vitest";
import { checkWork } from "../../src/rootfs/work.ts";
import { DEBIAN, makeProfile } from "../plan/facts.ts";
import { catchError } from "../profile/scratch.ts";
import { hostFacts } from "../support/host.ts";

const profile = makeProfile({ work: "ro" });
const check = (cwd: string, home = "/home/u", work: "ro" | "none" = "ro") => {
  const asked = { ...profile, work };
  checkWork(asked, hostFacts({ ...DEBIAN, cwd, user: { ...DEBIAN.user, home } }, asked));
};

describe("the work directory", () => {
  it.each(["/home/u/project", "/srv", "/srv/build", "/tmp/x", "/var/lib/x", "/usr/src/x", "/data", "/opt/app", "/mnt"])(
    "may be %s",
    (cwd) => expect(() => check(cwd)).not.toThrow(),
  );

  it.each([
    ["/home/u", "your home directory, with your keys"],
    ["/home", "your home directory is in it"],
    ["/", "your home directory is in it"],
    ["/usr", "it belongs to the system"],
    ["/etc", "it belongs to the system"],
    ["/var/tmp", "it belongs to the system"],
    ["/tmp", "it belongs to the system"],
    ["/root", "it belongs to the system"],
    ["/proc/self", "an interface of the system"],
    ["/sys", "an interface of the system"],
    ["/dev/shm/x", "an interface of the system"],
    ["/run/user/1000", "an interface of the system"],
  ])("may not be %s: %s", (cwd, why) => {
    const error = catchError(() => check(cwd));
    expect(error.code).toBe("E_WORK");
    expect(error.message).toContain(why);
    expect(error.from?.key).toBe("work");
  });

  it("may not be everybody's homes, though root's is elsewhere", () =>
    expect(catchError(() => check("/home", "/root")).code).toBe("E_WORK"));

  it("may be a directory whose name only starts as the home's does", () =>
    expect(() => check("/home/user-data", "/home/user")).not.toThrow());

  it("may be anything when it is not shared", () => {
    for (const cwd of ["/", "/home/u", "/proc"]) expect(() => check(cwd, "/home/u", "none")).not.toThrow();
  });
});
