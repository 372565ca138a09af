"""From a layout to the ownership that the fabric enforces: the layout's promises as arrays."""

from mksim.fabric.ownership import FIRMWARE, OWN_PORTS, SHARED, Ownership, Rights
from mksim.machine.config import Kernel, Layout
from mksim.spec.memmap import FIRMWARE_RAM, FIRMWARE_STACKS, LOW_DRAM_END, LOW_PAGES, SCREEN, SCREEN_SIZE
from mksim.spec.span import Span

FIRMWARE_SPANS = (Span(0, LOW_PAGES), Span.between(FIRMWARE_RAM, LOW_DRAM_END - 1))
BIOS_DATA = (Span(0, LOW_PAGES), Span.between(FIRMWARE_STACKS, LOW_DRAM_END - 1))
"""Of them, where a PC has its BIOS data area and the extended one: stock kernels look there for tables."""


def ownership(layout: Layout) -> Ownership:
    """Return who owns and may do what in a machine of this layout, from its first cycle on."""
    deeds = Ownership(memory=layout.dram, cores=len(layout.apic_ids), kernels=len(layout.kernels))
    for span in FIRMWARE_SPANS:
        deeds.own(span, FIRMWARE)
    if layout.dram > layout.memory:
        deeds.own(Span.between(layout.memory, layout.dram - 1), FIRMWARE)
    _share_bios_data(deeds, layout)
    for kernel in layout.kernels:
        _own(deeds, kernel)
    for ports in OWN_PORTS:
        deeds.own_ports(ports, SHARED)
    ids = {kernel.name: kernel.id for kernel in layout.kernels}
    for window in layout.windows:
        deeds.share(window.span, {ids[name]: rights for name, rights in window.rights.items()})
    for bell in layout.doorbells:
        deeds.allow(ids[bell.sender], ids[bell.receiver], bell.vectors, bell.signals)
    return deeds


def _share_bios_data(deeds: Ownership, layout: Layout) -> None:
    """Open the areas to kernels that look there; their warm reset vector is in the first page."""
    stock = [kernel.id for kernel in layout.kernels if kernel.image.low.bios_data]
    for span in BIOS_DATA:
        deeds.rights[stock, span.pages] = Rights.R
    deeds.rights[stock, 0] = Rights.R | Rights.W


def _own(deeds: Ownership, kernel: Kernel) -> None:
    for span in kernel.owned:
        deeds.own(span, kernel.id)
    for ports in kernel.owned_ports:
        deeds.own_ports(ports, kernel.id)
    for ports in kernel.shares:
        deeds.share_ports(ports, kernel.id)
    deeds.own_cores(kernel.cores, kernel.id)
    if kernel.vga:
        deeds.own(Span(SCREEN, SCREEN_SIZE), kernel.id)
