"""What a kernel finds at its entry, by boot protocol.

PVH: Xen, public/arch-x86/hvm/start_info.h, docs/misc/pvh.pandoc. Multiboot: Multiboot Specification 0.6.96.
Linux: Documentation/arch/x86/boot.rst and zero-page.rst.
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

LINUX_HEADER_START = 0x1F1  # of the setup header, in the file as in boot_params
LINUX_MEMORY_MAX = 128  # entries of the memory map
LINUX_LOADER_UNDEFINED = 0xFF  # type_of_loader: one without a number of its own
LINUX_VIDEO_VGA = 1  # orig_video_isVGA: as the real-mode setup code leaves it
LINUX_VIDEO_MODE = 3  # 80 columns, 25 lines, in colour
LINUX_ENTRY_64 = 0x200  # from the start of the protected-mode part

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

SETUP_HEADER = np.dtype([           # boot.rst, "The Real-Mode Kernel Header"
    ("setup_sects",     "u1"),
    ("root_flags",      "<u2"),
    ("syssize",         "<u4"),     # of the protected-mode part, in 16 bytes
    ("ram_size",        "<u2"),
    ("vid_mode",        "<u2"),
    ("root_dev",        "<u2"),
    ("boot_flag",       "<u2"),
    ("jump",            "<u2"),
    ("magic",           "S4"),      # "HdrS"
    ("version",         "<u2"),
    ("realmode_swtch",  "<u4"),
    ("start_sys_seg",   "<u2"),
    ("kernel_version",  "<u2"),
    ("type_of_loader",  "u1"),
    ("loadflags",       "u1"),
    ("setup_move_size", "<u2"),
    ("code32_start",    "<u4"),
    ("ramdisk_image",   "<u4"),
    ("ramdisk_size",    "<u4"),
    ("bootsect_kludge", "<u4"),
    ("heap_end_ptr",    "<u2"),
    ("ext_loader_ver",  "u1"),
    ("ext_loader_type", "u1"),
    ("cmd_line_ptr",    "<u4"),
    ("initrd_addr_max", "<u4"),
    ("kernel_alignment", "<u4"),
    ("relocatable_kernel", "u1"),
    ("min_alignment",   "u1"),
    ("xloadflags",      "<u2"),
    ("cmdline_size",    "<u4"),
    ("hardware_subarch", "<u4"),
    ("hardware_subarch_data", "<u8"),
    ("payload_offset",  "<u4"),
    ("payload_length",  "<u4"),
    ("setup_data",      "<u8"),
    ("pref_address",    "<u8"),
    ("init_size",       "<u4"),
    ("handover_offset", "<u4"),
    ("kernel_info_offset", "<u4"),
])

LINUX_MEMORY = np.dtype([           # struct boot_e820_entry
    ("base",            "<u8"),
    ("size",            "<u8"),
    ("type",            "<u4"),
])

LINUX_SCREEN = np.dtype([           # struct screen_info, up to what a text screen needs
    ("orig_x",          "u1"),      # cursor
    ("orig_y",          "u1"),
    ("ext_mem_k",       "<u2"),
    ("orig_video_page", "<u2"),
    ("orig_video_mode", "u1"),
    ("orig_video_cols", "u1"),
    ("flags",           "u1"),
    ("unused0",         "u1"),
    ("orig_video_ega_bx", "<u2"),
    ("unused1",         "<u2"),
    ("orig_video_lines", "u1"),
    ("orig_video_isvga", "u1"),
    ("orig_video_points", "<u2"),   # of a character's height
])

BOOT_PARAMS = np.dtype([            # zero-page.rst; what is left zero here has no name
    ("screen",          LINUX_SCREEN),
    ("reserved0",       "u1", 0x70 - LINUX_SCREEN.itemsize),
    ("acpi_rsdp_addr",  "<u8"),
    ("reserved1",       "u1", 0x170),
    ("e820_entries",    "u1"),
    ("reserved2",       "u1", 8),
    ("header",          SETUP_HEADER),
    ("reserved3",       "u1", 0x64),
    ("e820_table",      LINUX_MEMORY, LINUX_MEMORY_MAX),
    ("reserved4",       "u1", 0x330),
])

STRUCTS: Structs = {
    "pvh_start":        (PVH_START,        "EBX points here at a PVH entry."),
    "pvh_module":       (PVH_MODULE,       "A file beside the kernel."),
    "pvh_memory":       (PVH_MEMORY,       "An entry of the memory map."),
    "multiboot_info":   (MULTIBOOT_INFO,   "EBX points here at a multiboot entry."),
    "multiboot_module": (MULTIBOOT_MODULE, "A file beside the kernel."),
    "multiboot_memory": (MULTIBOOT_MEMORY_ENTRY, "An entry of the memory map."),
    "linux_header":     (SETUP_HEADER,     "In boot_params: the image's words, the loader's answers."),
    "linux_screen":     (LINUX_SCREEN,     "The text screen, if the kernel owns it."),
    "linux_memory":     (LINUX_MEMORY,     "An entry of the memory map."),
    "linux_params":     (BOOT_PARAMS,      "RSI points here at the 64-bit entry of a bzImage."),
}
# fmt: on
