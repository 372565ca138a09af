"""What the numbers of records are called."""

from mksim.fabric.ownership import OWNER_NAMES
from mksim.machine.machine import Machine

MODES = ("fixed", "lowest priority", "SMI", "reserved", "NMI", "INIT", "SIPI", "ExtINT")
"""Delivery modes (SDM vol. 3A, 12.6.1)."""


def owner_name(machine: Machine, owner: int) -> str:
    """Return the name of an owner code, or of its place at the end of the ledger's counts."""
    kernels = [life.kernel.name for life in machine.lives]
    if 0 <= owner < len(kernels):
        return kernels[owner]
    return OWNER_NAMES[owner if owner < 0 else owner - len(kernels) - len(OWNER_NAMES)]


def device_name(place: int) -> str:
    """Return a PCI function's place as lspci writes it."""
    return f"{place >> 16:04x}:{place >> 8 & 0xFF:02x}:{place >> 3 & 0x1F:02x}.{place & 7}"
