"""Compile all that is not compiled, on all processors, before a start that would do it piece by piece.

A worker is this module run as a program: it reads names of functions, and writes each back once compiled.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from mksim.engine import engine, panel, schedule
from mksim.engine.entry import ENTRIES, NOWHERE, link

ROOTS = (engine, panel, schedule)
"""Whoever imports these has imported every function with an address."""
_WORKERS_MAX = 4
"""Each takes some 300 MiB."""


def missing() -> list[str]:
    """Return the names of the functions that have no fresh code."""
    return [name for name, function in ENTRIES.items() if not function.fresh]


def compile_all(names: Sequence[str], tell: Callable[[int, int], None]) -> None:
    """Compile functions; `tell` hears how many of how many are done. What fails is left for the start."""
    todo, done, lock = SimpleQueue[str](), [0], Lock()
    for name in names:
        todo.put(name)

    def one_more() -> None:
        with lock:
            done[0] += 1
            tell(done[0], len(names))

    workers = [_worker() for _ in range(min(_WORKERS_MAX, len(os.sched_getaffinity(0)), len(names)))]
    threads = [Thread(target=_feed, args=(worker, todo, one_more), daemon=True) for worker in workers]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _worker() -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", __name__]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)


def _feed(worker: subprocess.Popen[str], todo: SimpleQueue[str], one_more: Callable[[], None]) -> None:
    assert worker.stdin
    assert worker.stdout
    try:
        while True:
            print(todo.get_nowait(), file=worker.stdin, flush=True)
            if not worker.stdout.readline():
                return
            one_more()
    except (Empty, OSError):
        return


def work(names: Iterator[str]) -> None:
    """Compile functions one by one. Nothing runs here, so that it does not matter where callees are."""
    for symbol in ENTRIES:
        link(symbol, NOWHERE)
    for name in names:
        ENTRIES[name.strip()].compile()
        print(name.strip(), flush=True)


if __name__ == "__main__":
    work(iter(sys.stdin.readline, ""))
