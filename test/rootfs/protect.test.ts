import { describe, expect, it } from "vitest";
import { hostPath, sandboxPath } from "../../src/base/brand.ts";
import { plan } from "../../src/plan/plan.ts";
import { renderCalls } from "../../src/plan/render.ts";
import type { Profile, ProfileMount } from "../../src/profile/profile.ts";
import { describeRootfs, type RootfsStep } from "../../src/rootfs/step.ts";
import { DEBIAN, makeProfile } from "../plan/facts.ts";
import { catchError } from "../profile/scratch.ts";
import { hostFacts, type Tree } from "../support/host.ts";

const WORK = "/home/u/project";
const TREE: Tree = {
  ...DEBIAN.tree,
  [`${WORK}/a/b/file`]: "file",
  [`${WORK}/a/c/d`]: "directory",
  [`${WORK}/link`]: "-> a",
  [`${WORK}/socket`]: "other",
  "/home/u/elsewhere": `-> ${WORK}`,
};

const volume = (source: string, target: string, mode: "ro" | "rw" = "rw"): ProfileMount => ({
  type: "bind",
  source: hostPath(source),
  target: sandboxPath(target),
  mode,
  optional: false,
});

function planned(protect: readonly string[], settings: Partial<Profile> = {}) {
  const profile = makeProfile({ work: "rw", protect, ...settings });
  return plan(profile, hostFacts({ ...DEBIAN, tree: TREE }, profile));
}

const steps = (protect: readonly string[], settings?: Partial<Profile>): RootfsStep[] =>
  planned(protect, settings).steps.flatMap(({ section, step }) => (section === "rootfs" ? [step] : []));

/** What is mounted of the work directory, as "mode target". */
const held = (protect: readonly string[], settings?: Partial<Profile>): string[] =>
  steps(protect, settings).flatMap((step) =>
    step.op === "bind" && step.source.startsWith("/home/u") ? [`${step.mode} ${step.target}`] : [],
  );

const watched = (protect: readonly string[], settings?: Partial<Profile>): string[] =>
  steps(protect, settings).flatMap((step) =>
    step.op === "move-aside" ? [`${step.folder} ${step.name}`] : step.op === "open-watched" ? [step.folder] : [],
  );

describe("a protected path that exists", () => {
  it("is mounted on itself after the work directory, and each directory on the way before it", () => {
    expect(held(["a/b/file", ".git"])).toEqual([
      `rw ${WORK}`,
      `rw ${WORK}/a`,
      `rw ${WORK}/a/b`,
      `ro ${WORK}/a/b/file`,
      `ro ${WORK}/.git`,
    ]);
  });

  it("covers what is below it, and is there once", () => {
    expect(held([".git/hooks", ".git", ".git", ".git/commondir"])).toEqual([`rw ${WORK}`, `ro ${WORK}/.git`]);
    expect(watched([".git", ".git/commondir"])).toEqual([]);
  });

  it("is a file in the place of a directory as well", () => {
    expect(held([".npmrc/x/y"])).toEqual([`rw ${WORK}`, `ro ${WORK}/.npmrc`]);
  });

  it("is found through links, and walked without any", () => {
    for (const step of steps([".git"]))
      if (step.op === "bind" && step.source.startsWith("/home/u/project/"))
        expect(step).toMatchObject({ way: "inside", system: false });
  });

  it("is held in every mount that shows it writable, whatever its name outside, before what lies in that mount", () => {
    const mounts = [
      volume(WORK, "/x"),
      volume("/home/u/elsewhere", "/y"),
      volume("/srv/data", "/x/cache", "ro"),
      volume(WORK, "/z", "ro"),
    ];
    expect(held([".npmrc"], { mounts, work: "ro" })).toEqual([
      ...["rw /x", "ro /x/.npmrc", "rw /y", "ro /y/.npmrc", "ro /z", `ro ${WORK}`],
    ]);
  });

  it("is held with the work directory itself where the one above is writable", () => {
    expect(held([".npmrc"], { mounts: [volume("/home/u", "/x")], work: "none" })).toEqual([
      ...["rw /x", "rw /x/project", "ro /x/project/.npmrc"],
    ]);
  });

  it("needs nothing where nothing shows it writable", () => {
    expect(held([".git", "missing"], { work: "ro" })).toEqual([`ro ${WORK}`]);
    expect(watched([".git", "missing"], { work: "ro" })).toEqual([]);
  });

  it.each([
    ["link", "/home/u/project/link is a symbolic link, which cannot be held"],
    ["link/b", "/home/u/project/link is a symbolic link, which cannot be held"],
    ["socket", "/home/u/project/socket is neither a file nor a directory"],
  ])("is refused: %s", (path, reason) => {
    const error = catchError(() => planned([path]));
    expect([error.code, error.why]).toEqual(["E_PROTECT", reason]);
  });

  it.each([".git", ".git/hooks", ".npmrc"])("cannot be shared writable itself: %s", (path) => {
    const mounts = [volume(`${WORK}/${path}`, "/x")];
    const error = catchError(() => planned([".git", ".npmrc"], { mounts }));
    expect([error.code, error.why]).toEqual(["E_PROTECT", `${WORK}/${path} is to be shared writable`]);
  });
});

describe("a protected path that is missing", () => {
  it("is watched from the directory that exists, by its first missing name, which nobody can rename", () => {
    expect(watched(["a/c/x/y", ".envrc"])).toEqual([...[`${WORK}/a/c`, WORK, `${WORK}/a/c x`, `${WORK} .envrc`]]);
    expect(held(["a/c/x/y", ".envrc"])).toEqual([`rw ${WORK}`, `rw ${WORK}/a`, `rw ${WORK}/a/c`]);
  });

  it("is watched once", () => {
    expect(watched(["x/1", "x/2", "x"])).toEqual([WORK, `${WORK} x`]);
  });

  it("is moved by the fd from before the run, never over what is there, and told", () => {
    const text = renderCalls(planned([".envrc"]));
    const [, after = ""] = text.split("after:\n");
    expect(text).toMatch(
      /^host:\n +1 {2}openat2\(AT_FDCWD, "\/home\/u\/project", \{O_PATH\|O_CLOEXEC, NO_SYMLINKS\}, 24\) = <watched/m,
    );
    expect(after.trim().split("\n")).toEqual([
      `2  renameat2(<watched ${WORK}>, ".envrc", <watched ${WORK}>, ".envrc.untrusted", NOREPLACE) = <moved>`,
      `    2  if <moved> tell "moved ${WORK}/.envrc aside to .envrc.untrusted: the command has made it, and the profile protects that name"`,
    ]);
  });

  it("cannot be in more directories than can be held open", () => {
    const tree = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`${WORK}/${i}`, "directory" as const]));
    const profile = makeProfile({
      work: "rw",
      protect: Object.keys(tree).map((path) => `${path.slice(WORK.length + 1)}/x`),
    });
    const facts = hostFacts({ ...DEBIAN, tree: { ...TREE, ...tree } }, profile);
    expect(catchError(() => plan(profile, facts)).why).toContain("names are missing in 33 directories");
  });
});

it("says what will be done in words", () => {
  const said = steps(["a/x", ".git"]).map(describeRootfs);
  expect(said).toContain(`open ${WORK}/a, to see after the run what was made in it`);
  expect(said).toContain(`move aside what the command makes as ${WORK}/a/x`);
  expect(said).toContain(`bind ${WORK}/.git read-only on ${WORK}/.git`);
});
