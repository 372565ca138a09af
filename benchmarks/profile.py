"""Where the time of a Linux boot goes, start-up included: shares by perf, where that is installed.

Translated code and mksim's own native code have no names for perf: they are one class.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks import linux
from benchmarks.rows import Row

FREQUENCY = 499

# By the place of the code and the name of the function, the first that fits
CLASSES = {
    "Python: start-up, images": re.compile(r"libpython|python3|\.cpython-|ld-linux|libffi|_multiarray"),
    "compiled hooks being loaded": re.compile(r"llvmlite"),
    "the host's kernel": re.compile(r"\[kernel|\[vdso"),
    "the guest's code, and mksim's native code": re.compile(r"\[JIT\]|\[anon|perf-\d+\.map|\[unknown\]"),
    "translation of code": re.compile(
        r"libunicorn.*(tcg_|disas_|gen_|liveness|tb_gen_code|optimize|reachable|translator|init_ts|temp_|la_)"
    ),
    "search for translated blocks": re.compile(r"libunicorn.*(lookup_tb|tb_htable|qht_|tb_lookup|tb_tc_cmp)"),
    "memory beyond the TLB": re.compile(
        r"libunicorn.*(tlb|load_helper|store_helper|helper_[lb]e_|flatview|address_space|memory|get_page|mmu|phys)"
    ),
    "other instructions by call": re.compile(r"libunicorn"),
    "the rest": re.compile(""),
}


def rows() -> Iterator[Row]:
    """Yield a row for each class; none without perf or the images."""
    if not linux.KERNEL.exists() or not shutil.which("perf"):
        print("no profile: it needs perf (Debian: linux-perf), and make guests", file=sys.stderr)
        return
    shares: Counter[str] = Counter()
    for share, place in _samples():
        shares[_class_of(place)] += share
    for name in CLASSES:
        yield Row(name=f"Linux's boot: {name}", value=shares[name], unit="%", better="lower")


def _class_of(place: str) -> str:
    return next(name for name, pattern in CLASSES.items() if pattern.search(place))


def _samples() -> Iterator[tuple[float, str]]:
    """Yield shares in percent with the file and function that they are of."""
    with tempfile.TemporaryDirectory() as folder, linux.config(cores=1) as config:
        data = Path(folder) / "perf.data"
        how = ["record", "--event", "cpu-clock", "--freq", str(FREQUENCY), "--output", str(data)]
        run = [sys.executable, "-m", "mksim", "boot", config, "--quiet"]
        subprocess.run(["perf", *how, "--", *run], check=True, capture_output=True)
        report = ["report", "--input", str(data), "--sort", "dso,symbol", "--stdio"]
        told = subprocess.run(["perf", *report], check=True, capture_output=True, text=True).stdout
    for share, place in re.findall(r"^ +([\d.]+)% +(.+)$", told, re.MULTILINE):
        yield float(share), place
