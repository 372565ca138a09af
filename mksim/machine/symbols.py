"""A kernel's symbols: of its image; where that has none, those that a Linux has in its memory."""

from mksim.boot.kallsyms import read_kallsyms
from mksim.boot.symbols import Symbols, read_symbols
from mksim.machine.config import Kernel
from mksim.machine.machine import Machine


def symbols_of(machine: Machine, kernel: Kernel) -> Symbols:
    """Return what is known by now: a Linux must have unpacked itself. None is an empty table."""
    symbols = read_symbols(kernel.image.raw)
    memory = machine.board.memory.data
    for span in kernel.owned:
        if len(symbols):
            break
        symbols = read_kallsyms(memory[span.base : span.end])
    return symbols
