import type { HostPath } from "../base/brand.ts";
import { hostPath } from "../base/brand.ts";
import { isAtOrBelow } from "../base/path.ts";
import { mayAccess } from "../observe/file.ts";
import type { ToolFact } from "./facts.ts";
import { canonical, walkPath } from "./path.ts";

/** Where a command is looked for inside, whatever PATH is outside. */
const SYSTEM = ["/usr/local/bin", "/usr/bin", "/bin"];

function findTool(name: string, folders: readonly string[], cwd: HostPath): ToolFact | undefined {
  for (const folder of folders) {
    const place = canonical(folder);
    const walk = mayAccess(`${folder}/${name}`, "x") ? walkPath(`${folder}/${name}`) : undefined;
    if (place === undefined || walk === undefined) continue;
    // What lies in the work directory may have been put there by a command that ran before, to have something else shared.
    if ([place, ...walk.links].some((path) => isAtOrBelow(path, cwd))) continue;
    return { found: hostPath(`${folder}/${name}`), real: walk.real };
  }
  return undefined;
}

/** Where the programs are, along PATH as `search` has it; those that are nowhere are not in the result. */
export function probeTools(names: readonly string[], search: string, cwd: HostPath): ReadonlyMap<string, ToolFact> {
  const folders = [...search.split(":").filter((folder) => folder.startsWith("/")), ...SYSTEM];
  return new Map(
    names.flatMap((name) => {
      const tool = findTool(name, folders, cwd);
      return tool === undefined ? [] : [[name, tool] as const];
    }),
  );
}
