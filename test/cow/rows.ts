/*
 * Kinds of change: in each a tree is made on the host, then a shell or Python does something to it. Done directly, and done in a
 * copy and applied, it must leave the same tree. docs/cow.md shows these rows.
 */

export interface Row {
  readonly what: string;
  /** Shell, in the empty work directory: what is there before. */
  readonly before: string;
  /** Shell: the change. */
  readonly change: string;
  /** What `tsbox diff` says of it: letter and path of each line. */
  readonly diff: readonly string[];
  /** The driver whose file system refuses the change inside, and why. */
  readonly except?: { readonly driver: "fuse-overlayfs"; readonly why: string };
}

const row = (what: string, before: string, change: string, ...diff: string[]): Row => ({ what, before, change, diff });
const python = (code: string): string => `python3 -c '${code}'`;

export const ROWS: readonly Row[] = [
  row("a new file", "", "echo a > new", "A new"),
  row("a new empty file", "", ": > new", "A new"),
  row("a file appended to", "echo a > f", "echo b >> f", "M f"),
  row("a file cut short", "seq 1000 > f", "truncate -s 10 f", "M f"),
  row("a file made empty", "echo a > f", ": > f", "M f"),
  row(
    "some bytes in the middle of a large file",
    "seq 200000 > f",
    "printf XYZ | dd of=f bs=1 seek=700000 conv=notrunc status=none",
    "M f",
  ),
  row(
    "written by mmap",
    "seq 5000 > f",
    python(
      'import mmap; f = open("f", "r+b"); m = mmap.mmap(f.fileno(), 0); m[5000:5003] = b"mmm"; m.flush(); m.close()',
    ),
    "M f",
  ),
  row("the same bytes written again", "echo a > f; touch -d 2001-01-01 f", "echo a > f; touch -d 2001-01-01 f"),
  row("a file replaced by another (rename)", "echo a > f", "echo b > .f.tmp; mv .f.tmp f", "M f"),
  row("a file deleted", "echo a > f; echo b > g", "rm f", "D f"),
  row("a file deleted and made again", "echo a > f", "rm f; echo b > f", "M f"),
  row("a file made and deleted", "", "echo a > f; rm f"),
  row("a file renamed", "echo a > old", "mv old new", "A new", "D old"),
  row("a file renamed into another directory", "mkdir d; echo a > f", "mv f d/g", "A d/g", "D f"),
  row("two files exchanged", "echo a > f; echo bb > g", "mv f t; mv g f; mv t g", "M f", "M g"),
  row("permissions of a file", "echo a > f; chmod 644 f", "chmod 751 f", "M f"),
  row("a file nobody may read", "echo a > f", "chmod 000 f; echo b > g; chmod 000 g", "M f", "A g"),
  row("the time of a file", "echo a > f", "touch -d 1999-12-31T23:59:59.123456789Z f", "M f"),
  row(
    "an extended attribute of a file",
    "echo a > f",
    python('import os; os.setxattr("f", "user.note", b"\\x00\\xffx")'),
    "M f",
  ),
  row(
    "an extended attribute changed",
    `echo a > f; ${python('import os; os.setxattr("f", "user.note", b"1")')}`,
    python('import os; os.setxattr("f", "user.note", b"22")'),
    "M f",
  ),
  row(
    "an extended attribute removed",
    `echo a > f; ${python('import os; os.setxattr("f", "user.note", b"1")')}`,
    python('import os; os.removexattr("f", "user.note")'),
    "M f",
  ),
  row(
    "an extended attribute of a directory",
    "mkdir d",
    python('import os; os.setxattr("d", "user.note", b"1")'),
    "M d/",
  ),
  row(
    "a sparse file",
    "",
    "truncate -s 100M f; printf end | dd of=f bs=1 seek=90000000 conv=notrunc status=none",
    "A f",
  ),
  row(
    "a sparse file written to",
    "truncate -s 50M f; echo a | dd of=f conv=notrunc status=none",
    "printf mid | dd of=f bs=1 seek=20000000 conv=notrunc status=none",
    "M f",
  ),
  row("a new directory", "", "mkdir d", "A d/"),
  row(
    "a new tree",
    "",
    "mkdir -p d/e/f; echo a > d/a; echo b > d/e/f/b",
    "A d/",
    "A d/a",
    "A d/e/",
    "A d/e/f/",
    "A d/e/f/b",
  ),
  row(
    "a directory that cannot be written to, with something in it",
    "",
    "mkdir d; echo a > d/a; chmod 555 d",
    "A d/",
    "A d/a",
  ),
  row("an empty directory deleted", "mkdir d", "rmdir d", "D d/"),
  row(
    "a tree deleted",
    "mkdir -p d/e; echo a > d/a; echo b > d/e/b; ln -s a d/l",
    "rm -r d",
    "D d/",
    "D d/a",
    "D d/e/",
    "D d/e/b",
    "D d/l",
  ),
  row("all in a directory deleted", "mkdir d; echo a > d/a; echo b > d/b", "rm d/*", "D d/a", "D d/b"),
  row(
    "a directory deleted and made again",
    "mkdir -p d/e; echo a > d/a; echo b > d/b; echo c > d/e/c",
    "rm -r d; mkdir d; echo new > d/b",
    "D d/a",
    "M d/b",
    "D d/e/",
    "D d/e/c",
  ),
  row(
    "the same, two deep",
    "mkdir -p d/e/f; echo a > d/e/f/a; echo b > d/e/f/b",
    "rm -r d; mkdir -p d/e/f; echo a2 > d/e/f/a",
    "M d/e/f/a",
    "D d/e/f/b",
  ),
  row(
    "a directory renamed",
    "mkdir -p old/s; echo a > old/a; echo b > old/s/b",
    "mv old new",
    "A new/",
    "A new/a",
    "A new/s/",
    "A new/s/b",
    "D old/",
    "D old/a",
    "D old/s/",
    "D old/s/b",
  ),
  row("a new directory renamed", "", "mkdir d; echo a > d/a; mv d e", "A e/", "A e/a"),
  row("permissions of a directory", "mkdir d; echo a > d/a", "chmod 700 d", "M d/"),
  row(
    "a directory no longer writable, changed before",
    "mkdir d; echo a > d/a",
    "echo b > d/b; rm d/a; chmod 500 d",
    "M d/",
    "D d/a",
    "A d/b",
  ),
  {
    ...row(
      "a directory made writable and emptied",
      "mkdir d; echo a > d/a; chmod 555 d",
      "chmod 755 d; rm -r d",
      "D d/",
      "D d/a",
    ),
    except: { driver: "fuse-overlayfs", why: "it copies no directory that may not be written to" },
  },
  row("a file becomes a directory", "echo a > x", "rm x; mkdir x; echo b > x/b", "R x/", "A x/b"),
  row(
    "a directory becomes a file",
    "mkdir -p x/y; echo a > x/a; echo b > x/y/b",
    "rm -r x; echo b > x",
    "R x",
    "D x/a",
    "D x/y/",
    "D x/y/b",
  ),
  row("a file becomes a link", "echo a > x; echo b > y", "ln -sf y x", "R x"),
  row("a link becomes a file", "ln -s y x", "rm x; echo a > x", "R x"),
  row("a directory becomes a link", "mkdir d other; echo a > d/a", "rm -r d; ln -s other d", "R d", "D d/a"),
  row("a link becomes a directory", "mkdir other; ln -s other d", "rm d; mkdir d; echo a > d/a", "R d/", "A d/a"),
  row("a new link", "echo a > f", "ln -s f l", "A l"),
  row(
    "a link that leads nowhere, and one that leads out",
    "",
    "ln -s /nowhere/at/all l; ln -s ../../.. m",
    "A l",
    "A m",
  ),
  row("a link that leads elsewhere now", "ln -s a l", "ln -sfn b l", "M l"),
  row("a link deleted", "echo a > f; ln -s f l", "rm l", "D l"),
  row("written through a link", "echo a > f; ln -s f l", "echo b > l", "M f"),
  row("a new file with two names", "mkdir d", "echo a > f; ln f d/g", "A d/g", "A f"),
  row("one more name for a file", "mkdir d; echo a > f", "ln f d/g", "A d/g"),
  row("a name of a file with two removed", "echo a > f; ln f g", "rm f", "D f"),
  row("a file with two names replaced under one", "echo a > f; ln f g", "echo b > t; mv t f", "M f"),
  row("a new hard link over a file", "echo a > f; echo b > g", "ln -f f g", "M g"),
  row("a name with a newline and escapes", "", python('open("a\\nb\\x1b[31m", "w").write("x")'), "A a\\nb\\x1b[31m"),
  row(
    "a name that is no UTF-8",
    python('open(b"o\\xff", "w").write("x")'),
    python('import os; open(b"n\\xfe\\xff", "w").write("y"); os.unlink(b"o\\xff")'),
    "A n\\xfe\\xff",
    "D o\\xff",
  ),
  row("a name with a dash in front", "", ": > ./-rf", "A -rf"),
  {
    ...row("a name of 255 bytes", "", `: > ${"n".repeat(255)}`, `A ${"n".repeat(255)}`),
    except: { driver: "fuse-overlayfs", why: "its marks are names that are four bytes longer" },
  },
  row("names in another script, and with quotes", "", `echo a > 'ä ö'; echo b > '"q" $x'`, 'A "q" $x', "A ä ö"),
  {
    ...row(
      "a name that one of the drivers uses for its marks",
      "echo a > f; echo b > opq",
      ": > .wh.f; : > .wh..wh..opq",
      "A .wh..wh..opq",
      "A .wh.f",
    ),
    except: { driver: "fuse-overlayfs", why: "it gives no such name to a command" },
  },
  row(
    "300 files in 30 directories",
    "",
    "for i in $(seq 30); do mkdir d$i; for j in $(seq 10); do echo $i.$j > d$i/f$j; done; done",
    ...everyFile(),
  ),
];

function everyFile(): string[] {
  const lines = Array.from({ length: 30 }, (_, i) => {
    const files = Array.from({ length: 10 }, (_, j) => `A d${i + 1}/f${j + 1}`);
    return [`A d${i + 1}/`, ...files];
  });
  return lines.flat();
}
