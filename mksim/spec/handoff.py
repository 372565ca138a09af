"""What a kernel finds at its entry, by boot protocol.

PVH: Xen, public/arch-x86/hvm/start_info.h, docs/misc/pvh.pandoc. Multiboot: Multiboot Specification 0.6.96.
"""

import numpy as np

from mksim.spec.cheader import Structs

PVH_MAGIC = 0x336EC578
PVH_VERSION = 1

# Types of memory in a memory map: ACPI 6.4, table 15.3; PVH and multiboot use the same numbers.
MEMORY_RAM = 1
MEMORY_RESERVED = 2
MEMORY_ACPI = 3

MULTIBOOT_MAGIC = 0x2BADB002  # in EAX
MULTIBOOT_MEMORY = 1 << 0  # flags
MULTIBOOT_CMDLINE = 1 << 2
MULTIBOOT_MODULES = 1 << 3
MULTIBOOT_MEMORY_MAP = 1 << 6
MULTIBOOT_LOADER_NAME = 1 << 9

# fmt: off
PVH_START = np.dtype([              # struct hvm_start_info
    ("magic",           "<u4"),
    ("version",         "<u4"),
    ("flags",           "<u4"),
    ("module_count",    "<u4"),
    ("modules",         "<u8"),
    ("cmdline",         "<u8"),
    ("rsdp",            "<u8"),
    ("memory_map",      "<u8"),
    ("memory_map_count", "<u4"),
    ("reserved",        "<u4"),
])

PVH_MODULE = np.dtype([             # struct hvm_modlist_entry
    ("base",            "<u8"),
    ("size",            "<u8"),
    ("cmdline",         "<u8"),
    ("reserved",        "<u8"),
])

PVH_MEMORY = np.dtype([             # struct hvm_memmap_table_entry
    ("base",            "<u8"),
    ("size",            "<u8"),
    ("type",            "<u4"),
    ("reserved",        "<u4"),
])

MULTIBOOT_INFO = np.dtype([
    ("flags",           "<u4"),
    ("mem_lower",       "<u4"),     # KiB from 0
    ("mem_upper",       "<u4"),     # KiB from 1 MiB
    ("boot_device",     "<u4"),
    ("cmdline",         "<u4"),
    ("mods_count",      "<u4"),
    ("mods_addr",       "<u4"),
    ("syms",            "<u4", 4),
    ("mmap_length",     "<u4"),     # bytes
    ("mmap_addr",       "<u4"),
    ("drives_length",   "<u4"),
    ("drives_addr",     "<u4"),
    ("config_table",    "<u4"),
    ("boot_loader_name", "<u4"),
    ("apm_table",       "<u4"),
])

MULTIBOOT_MODULE = np.dtype([
    ("start",           "<u4"),
    ("end",             "<u4"),     # one past the last byte
    ("cmdline",         "<u4"),
    ("reserved",        "<u4"),
])

MULTIBOOT_MEMORY_ENTRY = np.dtype([
    ("entry_size",      "<u4"),     # of what follows
    ("base",            "<u8"),
    ("size",            "<u8"),
    ("type",            "<u4"),
])

STRUCTS: Structs = {
    "pvh_start":        (PVH_START,        "EBX points here at a PVH entry."),
    "pvh_module":       (PVH_MODULE,       "A file beside the kernel."),
    "pvh_memory":       (PVH_MEMORY,       "An entry of the memory map."),
    "multiboot_info":   (MULTIBOOT_INFO,   "EBX points here at a multiboot entry."),
    "multiboot_module": (MULTIBOOT_MODULE, "A file beside the kernel."),
    "multiboot_memory": (MULTIBOOT_MEMORY_ENTRY, "An entry of the memory map."),
}
# fmt: on
