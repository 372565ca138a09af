"""From a layout to the ownership that the fabric enforces: the layout's promises as arrays."""

from mksim.fabric.ownership import FIRMWARE, OWN_PORTS, SHARED, Ownership
from mksim.machine.config import Kernel, Layout
from mksim.spec.memmap import FIRMWARE_RAM, LOW_DRAM_END, LOW_PAGES
from mksim.spec.span import Span

FIRMWARE_SPANS = (Span(0, LOW_PAGES), Span.between(FIRMWARE_RAM, LOW_DRAM_END - 1))


def ownership(layout: Layout) -> Ownership:
    """Return who owns and may do what in a machine of this layout, from its first cycle on."""
    deeds = Ownership(memory=layout.memory, cores=len(layout.apic_ids), kernels=len(layout.kernels))
    for span in FIRMWARE_SPANS:
        deeds.own(span, FIRMWARE)
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


def _own(deeds: Ownership, kernel: Kernel) -> None:
    for span in kernel.owned:
        deeds.own(span, kernel.id)
    for ports in kernel.owned_ports:
        deeds.own_ports(ports, kernel.id)
    deeds.own_cores(kernel.cores, kernel.id)
