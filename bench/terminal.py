"""What a terminal of the command's own costs: npm run bench:terminal [-- ROUNDS [MIB]]

Start-up with and without it, the throughput of 64 (MIB) MiB through it, beside a bare pseudoterminal and script(1), and the
memory of tsbox's processes, which only root can read. All in turn, in one go; medians, ± the median distance from them.
"""

import os
import pty
import re
import select
import statistics
import sys
import tempfile
import time
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUN = ["node", f"{ROOT}/bin/tsbox.js", "run"]


class Run(NamedTuple):
    seconds: float
    cpu: float
    printed: int


def at_terminal(words):
    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(words[0], words)
    printed = 0
    while chunk := read(terminal):
        printed += len(chunk)
    _, status, usage = os.wait4(pid, 0)
    os.close(terminal)
    if status != 0:
        sys.exit(f"{words}: wait status {status}")
    return Run(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, printed)


def read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def tell(name, values, unit):
    middle = statistics.median(values)
    spread = statistics.median(abs(value - middle) for value in values)
    print(f"  {name:<44}{middle:8.1f} {unit} ± {spread:.1f} (n = {len(values)})")


def compare(variants, rounds, measure):
    found = {name: [] for name in variants}
    for _ in range(rounds):
        for name, words in variants.items():
            found[name].append(measure(words))
    return found


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return int(re.search(r"^Pss: +(\d+) kB", rollup.read(), re.M).group(1))


def children(parent):
    with open(f"/proc/{parent}/task/{parent}/children") as ids:
        return [int(pid) for pid in ids.read().split()]


def memory():
    """KiB of the supervisor and of each of its children, the guardian and init."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("node", [*RUN, "--", "sh", "-c", "echo ready; cat"])
    while b"ready" not in read(terminal):
        select.select([terminal], [], [], 1)
    kib = [pss(each) for each in [pid, *children(pid)]]
    os.write(terminal, b"\x04")
    os.waitpid(pid, 0)
    return kib


rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
mib = int(sys.argv[2]) if len(sys.argv) > 2 else 64
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("big", "wb") as file:
        file.write((b"x" * 63 + b"\n") * (mib << 14))
    print("start-up of `true`, at a pseudoterminal:")
    starts = {"its own": [*RUN, "-t", "true"], "shared": [*RUN, "--terminal", "shared", "true"]}
    found = compare(starts, rounds, at_terminal)
    for name, runs in found.items():
        tell(name, [run.seconds * 1e3 for run in runs], "ms")
    pairs = list(zip(*found.values()))
    tell("what its own adds, in pairs", [1e3 * (own.seconds - shared.seconds) for own, shared in pairs], "ms")
    # On a busy machine only this says something.
    tell("the same in processor time", [1e3 * (own.cpu - shared.cpu) for own, shared in pairs], "ms")
    print(f"throughput of {mib} MiB of lines:")
    prints = {
        "cat": ["cat", "big"],
        "script -c cat": ["script", "-qec", "cat big", "/dev/null"],
        "tsbox run cat, shared": [*RUN, "--terminal", "shared", "cat", "big"],
        "tsbox run cat, its own": [*RUN, "-t", "cat", "big"],
    }

    def rate(words):
        run = at_terminal(words)
        return run.printed / run.seconds / (1 << 20)

    for name, rates in compare(prints, max(3, rounds // 8), rate).items():
        tell(name, rates, "MiB/s")
    try:
        kib = memory()
        print(f"memory of supervisor, guardian and init: {sum(kib)} KiB Pss ({' + '.join(map(str, kib))})")
    except PermissionError:
        print("memory: only root can read it")
