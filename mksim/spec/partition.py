"""The partition table: what the machine tells the firmware, and MKPT, what the firmware tells each kernel.

Both are our own formats, because no standard describes several kernels on one board. Everything here is
little-endian and naturally aligned; `python -m mksim.spec.partition` prints the C header.

The **partition table** lies at `memmap.PARTITION_TABLE` in firmware RAM. It begins with `HEADER`, which says
where each array begins (offset from the table's start) and how many entries it has. A kernel is named by its
index in the kernel array, a core by its index in the core array, a string by its offset in the string pool:
strings end with NUL, and so does the pool. The 32-bit words of the whole table, up to `size`, sum to zero.

**MKPT** is an ACPI table (a vendor's; ACPI 6.4, 5.2.6) in each kernel's own tables area. It begins with
`MKPT`, which says where its arrays begin (offset from the start of MKPT).
"""

import numpy as np

from mksim.spec.cheader import Structs

PARTITION_MAGIC = int.from_bytes(b"mkpt", "little")
PARTITION_VERSION = 2
NAME_SIZE = 32
"""Bytes of a name in MKPT, its final NUL included."""
CORES_MAX = 256
"""Each core has its own stack in firmware RAM, 512 bytes at least."""
TABLES_SIZE = 0x10000
"""Default size of a kernel's tables area."""
NOBODY = 0xFFFFFFFF
"""No kernel. At the hand-off port: this core starts nobody, let it wait for the SIPI of its owner."""

PROTOCOL_PVH = 1
PROTOCOL_MULTIBOOT = 2
PROTOCOL_LINUX = 3

KERNEL_LEGACY = 1 << 0
"""The kernel owns the 8259s, the 8254, the RTC, the HPET and port 61h."""
KERNEL_VGA = 1 << 1
"""The kernel owns the text screen."""

IOMMU_REMAPS = 1 << 0
"""The unit remaps interrupts too."""

RIGHT_READ = 1 << 0
RIGHT_WRITE = 1 << 1
RIGHT_EXECUTE = 1 << 2

# A doorbell's delivery is the ICR's delivery mode (SDM vol. 3A, 12.6.1).
DELIVERY_FIXED = 0
DELIVERY_NMI = 4
DELIVERY_INIT = 5
DELIVERY_SIPI = 6

# fmt: off
ARRAY = np.dtype([
    ("offset",        "<u4"),       # bytes from the start of the table
    ("count",         "<u4"),       # entries (of the string pool: bytes)
])

HEADER = np.dtype([
    ("magic",         "<u4"),
    ("version",       "<u4"),
    ("size",          "<u4"),       # bytes of the whole table, a multiple of 4
    ("checksum",      "<u4"),       # makes all 32-bit words sum to 0
    ("rate",          "<u8"),       # instruction slots per second = TSC frequency in Hz
    ("ioapics",       "<u4"),       # I/O APICs on the board, at memmap.IOAPIC
    ("dram_pages",    "<u4"),       # where DRAM ends
    ("kernels",       ARRAY),
    ("cores",         ARRAY),
    ("spans",         ARRAY),
    ("windows",       ARRAY),
    ("grants",        ARRAY),
    ("doorbells",     ARRAY),
    ("modules",       ARRAY),
    ("uarts",         ARRAY),
    ("iommus",        ARRAY),
    ("strings",       ARRAY),
])

KERNEL = np.dtype([
    ("name",          "<u4"),       # string
    ("cmdline",       "<u4"),       # string
    ("flags",         "<u4"),       # KERNEL_*
    ("protocol",      "<u4"),       # PROTOCOL_*
    ("entry",         "<u8"),       # physical
    ("parameters_base", "<u8"),     # Linux: boot_params, with the setup header in it. Multiboot: where its
    ("parameters_size", "<u8"),     # information goes. Size 0: nowhere but in the tables area
    ("tables_base",   "<u8"),       # the area the firmware writes this kernel's tables to: inside its spans
    ("tables_size",   "<u8"),
    ("low_base",      "<u8"),       # its pages below 1 MiB, for SIPI; size 0: none
    ("low_size",      "<u8"),
    ("boot_core",     "<u4"),       # core
    ("first_span",    "<u4"),       # its spans are neighbours in the span array
    ("span_count",    "<u4"),
    ("first_module",  "<u4"),       # its modules are neighbours in the module array
    ("module_count",  "<u4"),
    ("uart_port",     "<u4"),       # its console; 0: none
    ("uart_irq",      "<u4"),       # 0: none
    ("first_uart",    "<u4"),       # its UARTs, the console first, are neighbours in the UART array
    ("uart_count",    "<u4"),
    ("ioapic",        "<u4"),       # index of its I/O APIC; NOBODY: it has none
    ("pci_segment",   "<u4"),       # NOBODY: it has none
])

CORE = np.dtype([
    ("apic_id",       "<u4"),
    ("kernel",        "<u4"),       # owner; NOBODY: nobody
])

SPAN = np.dtype([
    ("base",          "<u8"),
    ("size",          "<u8"),
])

WINDOW = np.dtype([
    ("base",          "<u8"),
    ("size",          "<u8"),
    ("name",          "<u4"),       # string
    ("reserved",      "<u4"),
])

GRANT = np.dtype([
    ("window",        "<u4"),       # index in the window array
    ("kernel",        "<u4"),
    ("rights",        "<u4"),       # RIGHT_*
])

DOORBELL = np.dtype([
    ("sender",        "<u2"),       # kernel
    ("receiver",      "<u2"),       # kernel
    ("delivery",      "u1"),        # DELIVERY_*
    ("first_vector",  "u1"),
    ("last_vector",   "u1"),        # included
    ("reserved",      "u1"),
])

MODULE = np.dtype([
    ("base",          "<u8"),
    ("size",          "<u8"),
    ("cmdline",       "<u4"),       # string
    ("reserved",      "<u4"),
])

UART = np.dtype([
    ("number",        "<u4"),       # of the board's: 1 is COM1
    ("port",          "<u4"),
    ("irq",           "<u4"),       # 0: none
    ("peer",          "<u4"),       # kernel at the other end of its wire; NOBODY: no wire
])

IOMMU_UNIT = np.dtype([             # by the number of the PCI segment that it is for
    ("owner",         "<u4"),       # kernel; NOBODY: the firmware sets it up
    ("ioapic",        "<u4"),       # whose interrupts go through it too; NOBODY: none's
    ("flags",         "<u4"),       # IOMMU_*
    ("reserved",      "<u4"),
    ("root",          "<u8"),       # root table that the firmware gives it
    ("interrupts",    "<u8"),       # interrupt remapping table, as IRTA_REG has it; 0: none
])

MKPT = np.dtype([
    ("signature",     "S4"),        # "MKPT"; the ACPI header, ACPI 6.4, table 5.4
    ("length",        "<u4"),
    ("revision",      "u1"),        # PARTITION_VERSION
    ("checksum",      "u1"),
    ("oem_id",        "S6"),
    ("oem_table_id",  "S8"),
    ("oem_revision",  "<u4"),
    ("creator_id",    "S4"),
    ("creator_revision", "<u4"),
    ("kernel",        "<u4"),       # who the reader is
    ("rate",          "<u8"),       # TSC frequency in Hz
    ("low_base",      "<u8"),       # its pages below 1 MiB, for SIPI; size 0: none
    ("low_size",      "<u8"),
    ("uart_port",     "<u4"),       # its console; 0: none
    ("uart_irq",      "<u4"),       # 0: none
    ("windows",       ARRAY),       # of MKPT_WINDOW, in the config's order
    ("outgoing",      ARRAY),       # of MKPT_DOORBELL: whom it may ring, in the config's order
    ("incoming",      ARRAY),       # of MKPT_DOORBELL: who may ring it, in the config's order
    ("serial",        ARRAY),       # of MKPT_SERIAL: all it owns, the console first
    ("name",          f"S{NAME_SIZE}"),
])

MKPT_WINDOW = np.dtype([
    ("base",          "<u8"),
    ("size",          "<u8"),
    ("rights",        "<u4"),       # RIGHT_*, the reader's
    ("reserved",      "<u4"),
    ("name",          f"S{NAME_SIZE}"),
])

MKPT_DOORBELL = np.dtype([
    ("peer",          "<u4"),       # kernel
    ("apic_id",       "<u4"),       # of the peer's boot core
    ("delivery",      "<u4"),       # DELIVERY_*
    ("first_vector",  "<u4"),
    ("last_vector",   "<u4"),       # included
    ("reserved",      "<u4"),
    ("name",          f"S{NAME_SIZE}"),     # the peer's
])

MKPT_SERIAL = np.dtype([
    ("number",        "<u4"),       # of the board's: 1 is COM1
    ("port",          "<u4"),
    ("irq",           "<u4"),       # 0: none
    ("peer",          "<u4"),       # kernel at the other end of its wire; NOBODY: no wire
    ("name",          f"S{NAME_SIZE}"),     # the peer's
])

STRUCTS: Structs = {
    "partition_array":    (ARRAY,         "A reference to an array, in both tables."),
    "partition_header":   (HEADER,        "Read by every core that enters the firmware."),
    "partition_kernel":   (KERNEL,        "Read by the BSP (whom to start) and by the kernel's boot core."),
    "partition_core":     (CORE,          "Read by every core in the firmware (who am I?), and for MADT."),
    "partition_span":     (SPAN,          "A kernel's memory, tables included. Read by its boot core."),
    "partition_window":   (WINDOW,        "Read by boot cores for the memory map (reserved) and MKPT."),
    "partition_grant":    (GRANT,         "Who may do what in a window. Read with it."),
    "partition_doorbell": (DOORBELL,      "Read by the sender's and the receiver's boot core for MKPT."),
    "partition_module":   (MODULE,        "Read by the kernel's boot core for the module list."),
    "partition_uart":     (UART,          "A kernel's serial port. Read by its boot core for DSDT and MKPT."),
    "partition_iommu":    (IOMMU_UNIT,    "A unit of the IOMMU. Read by the BSP to set it up, and for DMAR."),
    "mkpt":               (MKPT,          "Read by kernels that know they are not alone."),
    "mkpt_window":        (MKPT_WINDOW,   "Read by kernels: a window they were granted."),
    "mkpt_doorbell":      (MKPT_DOORBELL, "Read by kernels: whom they may ring, or who may ring them."),
    "mkpt_serial":        (MKPT_SERIAL,   "Read by kernels: a serial port, and who is wired to it."),
}
# fmt: on

if __name__ == "__main__":
    import sys

    from mksim.spec.cheader import header

    print(header(sys.modules[__name__]))
