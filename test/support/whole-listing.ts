import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readlinkSync } from "node:fs";

/** Extended attributes of all below a directory, as text; "" where python3 finds none. */
const ATTRIBUTES = `import os, sys
for folder, folders, files in os.walk(sys.argv[1].encode()):
    for path in [folder] + [os.path.join(folder, name) for name in folders + files]:
        for name in sorted(os.listxattr(path, follow_symlinks=False)):
            print(path, name, os.getxattr(path, name, follow_symlinks=False))
`;

/** Names, kinds, inodes, owners, sizes and times of all below a directory, itself included. Access times are not changes. */
export function wholeListing(directory: string): string[] {
  const names = ["", ...readdirSync(directory, { recursive: true, encoding: "utf8" })].sort();
  const files = names.map((name) => {
    const path = `${directory}/${name}`;
    const { ino, mode, uid, gid, nlink, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
    const link = (Number(mode) & 0o170000) === 0o120000 ? readlinkSync(path) : "";
    return [name, ino, mode.toString(8), uid, gid, nlink, size, mtimeNs, ctimeNs, link].join(" ");
  });
  const attributes = execFileSync("python3", ["-c", ATTRIBUTES, directory], { encoding: "utf8" });
  return [...files, ...attributes.split("\n").sort()];
}
