"""PCI configuration in its socket: the ports and the memory behind which the functions are.

All of it belongs to the owner of the legacy chips; whoever else touches it, crosses.
"""

import numpy as np
from numba import carray, njit

from mksim.engine.native import pointer
from mksim.hw import pci_config
from mksim.hw.pci_config import FUNCTION, PCI
from mksim.spec.pci import ECAM_SHIFT, SPACE


@njit(cache=True, error_model="numpy")
def pci_of(machine: np.void) -> np.void:
    """Return the record of configuration mechanism 1."""
    return carray(pointer(machine["pci"]), 1, PCI)[0]


@njit(cache=True, error_model="numpy")
def functions(machine: np.void) -> np.ndarray:
    """Return the records of all functions."""
    return carray(pointer(machine["functions"]), machine["n_functions"], FUNCTION)


@njit(cache=True, error_model="numpy")
def read_ecam(machine: np.void, offset: int, size: int) -> int:
    """Read configuration by its address in memory, up to the end of a doubleword."""
    register = offset & (SPACE - 1)
    return pci_config.read(functions(machine), offset >> ECAM_SHIFT, register, min(size, 4 - (register & 3)))


@njit(cache=True, error_model="numpy")
def write_ecam(machine: np.void, offset: int, size: int, value: int) -> None:
    """Write configuration by its address in memory, up to the end of a doubleword."""
    register = offset & (SPACE - 1)
    length = min(size, 4 - (register & 3))
    pci_config.write(functions(machine), offset >> ECAM_SHIFT, register, length, value)
