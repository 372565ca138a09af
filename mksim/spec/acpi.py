"""ACPI tables as the firmware writes them. ACPI 6.4; SPCR: Microsoft, Serial Port Console Redirection, 1.02.

Left out: everything a kernel on this board has no use for, or finds by other means (SRAT: not yet).
"""

import numpy as np

from mksim.spec.cheader import Structs
from mksim.spec.hpet import CAPABILITIES as HPET_BLOCK_ID  # noqa: F401  # for the firmware
from mksim.spec.vtd import IOAPIC_SOURCE
from mksim.spec.vtd_tables import WIDTH

ACPI_RSDP_REVISION = 2
ACPI_FADT_REVISION = 6
ACPI_MADT_REVISION = 5
ACPI_SPCR_REVISION = 2
ACPI_DSDT_REVISION = 2

# Generic Address Structure, 5.2.3.2
ACPI_SYSTEM_MEMORY = 0
ACPI_SYSTEM_IO = 1
ACPI_ACCESS_BYTE = 1
ACPI_ACCESS_WORD = 2
ACPI_ACCESS_DWORD = 3

# FADT flags, table 5.10
FADT_WBINVD = 1 << 0
FADT_PROC_C1 = 1 << 2
FADT_PWR_BUTTON = 1 << 4  # set: no fixed power button
FADT_SLP_BUTTON = 1 << 5  # set: no fixed sleep button
FADT_FIX_RTC = 1 << 6  # set: the RTC wakes nobody
FADT_RESET_REG_SUP = 1 << 10
FADT_APIC_PHYSICAL = 1 << 19  # logical destinations would reach the cores of other kernels
FADT_HW_REDUCED = 1 << 20  # no 8259, 8254, RTC or fixed hardware

# FADT IA-PC boot architecture flags, table 5.11
IAPC_LEGACY_DEVICES = 1 << 0
IAPC_NO_VGA = 1 << 2
IAPC_NO_CMOS_RTC = 1 << 5

FADT_NO_C2 = 101  # microseconds; "a value > 100 indicates the system does not support a C2 state"
FADT_NO_C3 = 1001
FADT_PM1_EVENT_LENGTH = 4
FADT_PM1_CONTROL_LENGTH = 2
FADT_PM_TIMER_LENGTH = 4
ACPI_SCI_IRQ = 9
ACPI_RTC_CENTURY = 0x32  # register of the RTC
ACPI_RESET_VALUE = 6  # full reset, in the reset control register at 0xcf9

# MADT, 5.2.12
MADT_PCAT_COMPAT = 1 << 0
MADT_TYPE_LAPIC = 0
MADT_TYPE_IOAPIC = 1
MADT_TYPE_OVERRIDE = 2
MADT_TYPE_LAPIC_NMI = 4
MADT_TYPE_X2APIC = 9
MADT_TYPE_X2APIC_NMI = 10
MADT_ENABLED = 1 << 0
MADT_ALL_LAPICS = 0xFF
MADT_ALL_X2APICS = 0xFFFFFFFF
MADT_FIRST_X2APIC = 255
"""Local APIC IDs from here on need an x2APIC entry (5.2.12.12)."""
MADT_LEVEL_HIGH = 0xD  # MPS INTI flags, table 5.26: active high, level
MADT_PIT_PIN = 2  # the 8254's output is wired to pin 2, since pin 0 was the 8259's

HPET_MINIMUM_TICK = 1000  # 10 microseconds

SPCR_FULL_16550 = 0
SPCR_INTERRUPT_8259 = 1 << 0
SPCR_INTERRUPT_IOAPIC = 1 << 1
SPCR_BAUD_115200 = 7
SPCR_NO_PCI = 0xFFFF

# DMAR: Intel VT-d 3.3, § 8
DMAR_WIDTH = WIDTH - 1
DMAR_REMAPS = 1 << 0
DRHD_ALL = 1 << 0  # INCLUDE_PCI_ALL: every function of the segment
SCOPE_IOAPIC = 3
IOAPIC_BUS = IOAPIC_SOURCE >> 8  # where the I/O APIC is for a unit, on no bus that has functions
IOAPIC_DEVICE = IOAPIC_SOURCE >> 3 & 0x1F

# fmt: off
GAS = np.dtype([                        # 5.2.3.2
    ("space",               "u1"),
    ("bit_width",           "u1"),
    ("bit_offset",          "u1"),
    ("access_size",         "u1"),
    ("address",             "<u8"),
])

RSDP = np.dtype([                       # 5.2.5.3
    ("signature",           "S8"),
    ("checksum",            "u1"),      # of the first 20 bytes
    ("oem_id",              "S6"),
    ("revision",            "u1"),
    ("rsdt",                "<u4"),
    ("length",              "<u4"),
    ("xsdt",                "<u8"),
    ("extended_checksum",   "u1"),      # of all 36
    ("reserved",            "u1", 3),
])
ACPI_RSDP_CHECKED = 20

TABLE = np.dtype([                      # 5.2.6
    ("signature",           "S4"),
    ("length",              "<u4"),
    ("revision",            "u1"),
    ("checksum",            "u1"),
    ("oem_id",              "S6"),
    ("oem_table_id",        "S8"),
    ("oem_revision",        "<u4"),
    ("creator_id",          "S4"),
    ("creator_revision",    "<u4"),
])

FADT = np.dtype([                       # 5.2.9
    ("header",              TABLE),
    ("firmware_ctrl",       "<u4"),
    ("dsdt",                "<u4"),
    ("reserved0",           "u1"),
    ("preferred_pm_profile", "u1"),
    ("sci_int",             "<u2"),
    ("smi_cmd",             "<u4"),     # 0: always in ACPI mode
    ("acpi_enable",         "u1"),
    ("acpi_disable",        "u1"),
    ("s4bios_req",          "u1"),
    ("pstate_cnt",          "u1"),
    ("pm1a_evt_blk",        "<u4"),
    ("pm1b_evt_blk",        "<u4"),
    ("pm1a_cnt_blk",        "<u4"),
    ("pm1b_cnt_blk",        "<u4"),
    ("pm2_cnt_blk",         "<u4"),
    ("pm_tmr_blk",          "<u4"),
    ("gpe0_blk",            "<u4"),
    ("gpe1_blk",            "<u4"),
    ("pm1_evt_len",         "u1"),
    ("pm1_cnt_len",         "u1"),
    ("pm2_cnt_len",         "u1"),
    ("pm_tmr_len",          "u1"),
    ("gpe0_blk_len",        "u1"),
    ("gpe1_blk_len",        "u1"),
    ("gpe1_base",           "u1"),
    ("cst_cnt",             "u1"),
    ("p_lvl2_lat",          "<u2"),
    ("p_lvl3_lat",          "<u2"),
    ("flush_size",          "<u2"),
    ("flush_stride",        "<u2"),
    ("duty_offset",         "u1"),
    ("duty_width",          "u1"),
    ("day_alrm",            "u1"),
    ("mon_alrm",            "u1"),
    ("century",             "u1"),
    ("iapc_boot_arch",      "<u2"),
    ("reserved1",           "u1"),
    ("flags",               "<u4"),
    ("reset_reg",           GAS),
    ("reset_value",         "u1"),
    ("arm_boot_arch",       "<u2"),
    ("minor_version",       "u1"),
    ("x_firmware_ctrl",     "<u8"),     # 0, since firmware_ctrl is used
    ("x_dsdt",              "<u8"),
    ("x_pm1a_evt_blk",      GAS),
    ("x_pm1b_evt_blk",      GAS),
    ("x_pm1a_cnt_blk",      GAS),
    ("x_pm1b_cnt_blk",      GAS),
    ("x_pm2_cnt_blk",       GAS),
    ("x_pm_tmr_blk",        GAS),
    ("x_gpe0_blk",          GAS),
    ("x_gpe1_blk",          GAS),
    ("sleep_control_reg",   GAS),
    ("sleep_status_reg",    GAS),
    ("hypervisor",          "<u8"),
])

FACS = np.dtype([                       # 5.2.10; on a 64-byte boundary
    ("signature",           "S4"),
    ("length",              "<u4"),
    ("hardware_signature",  "<u4"),
    ("waking_vector",       "<u4"),
    ("global_lock",         "<u4"),
    ("flags",               "<u4"),
    ("x_waking_vector",     "<u8"),
    ("version",             "u1"),
    ("reserved",            "u1", 31),
])

MADT = np.dtype([                       # 5.2.12
    ("header",              TABLE),
    ("lapic",               "<u4"),
    ("flags",               "<u4"),
])

MADT_ENTRY = np.dtype([                 # begins every entry
    ("type",                "u1"),
    ("length",              "u1"),
])

MADT_LAPIC = np.dtype([                 # 5.2.12.2
    ("type",                "u1"),
    ("length",              "u1"),
    ("uid",                 "u1"),
    ("apic_id",             "u1"),
    ("flags",               "<u4"),
])

MADT_IOAPIC = np.dtype([                # 5.2.12.3
    ("type",                "u1"),
    ("length",              "u1"),
    ("id",                  "u1"),
    ("reserved",            "u1"),
    ("address",             "<u4"),
    ("gsi_base",            "<u4"),
])

MADT_OVERRIDE = np.dtype([              # 5.2.12.5
    ("type",                "u1"),
    ("length",              "u1"),
    ("bus",                 "u1"),      # 0: ISA
    ("source",              "u1"),
    ("gsi",                 "<u4"),
    ("flags",               "<u2"),
])

MADT_LAPIC_NMI = np.dtype([             # 5.2.12.7
    ("type",                "u1"),
    ("length",              "u1"),
    ("uid",                 "u1"),
    ("flags",               "<u2"),
    ("lint",                "u1"),
])

MADT_X2APIC = np.dtype([                # 5.2.12.12
    ("type",                "u1"),
    ("length",              "u1"),
    ("reserved",            "<u2"),
    ("apic_id",             "<u4"),
    ("flags",               "<u4"),
    ("uid",                 "<u4"),
])

MADT_X2APIC_NMI = np.dtype([            # 5.2.12.13
    ("type",                "u1"),
    ("length",              "u1"),
    ("flags",               "<u2"),
    ("uid",                 "<u4"),
    ("lint",                "u1"),
    ("reserved",            "u1", 3),
])

SPCR = np.dtype([                       # SPCR 1.02
    ("header",              TABLE),
    ("interface_type",      "u1"),
    ("reserved0",           "u1", 3),
    ("base",                GAS),
    ("interrupt_type",      "u1"),
    ("irq",                 "u1"),      # at the 8259
    ("gsi",                 "<u4"),
    ("baud_rate",           "u1"),
    ("parity",              "u1"),
    ("stop_bits",           "u1"),
    ("flow_control",        "u1"),
    ("terminal_type",       "u1"),
    ("language",            "u1"),
    ("pci_device_id",       "<u2"),
    ("pci_vendor_id",       "<u2"),
    ("pci_bus",             "u1"),
    ("pci_device",          "u1"),
    ("pci_function",        "u1"),
    ("pci_flags",           "<u4"),
    ("pci_segment",         "u1"),
    ("reserved1",           "<u4"),
])

HPET = np.dtype([                       # IA-PC HPET 1.0a, 3.2.4
    ("header",              TABLE),
    ("block_id",            "<u4"),     # as GCAP_ID, bits 31:0
    ("base",                GAS),
    ("number",              "u1"),
    ("minimum_tick",        "<u2"),     # in periodic mode, without losing interrupts
    ("protection",          "u1"),      # 0: nothing said of the rest of the page
])

MCFG = np.dtype([                       # PCI Firmware 3.0, 4.1.2; one segment
    ("header",              TABLE),
    ("reserved0",           "<u8"),
    ("base",                "<u8"),
    ("segment",             "<u2"),
    ("first_bus",           "u1"),
    ("last_bus",            "u1"),
    ("reserved1",           "<u4"),
])

DMAR = np.dtype([                       # Intel VT-d 3.3, § 8.1; a DRHD follows for each unit
    ("header",              TABLE),
    ("address_width",       "u1"),      # one less
    ("flags",               "u1"),      # DMAR_*
    ("reserved",            "u1", 10),
])

DRHD = np.dtype([                       # § 8.3, § 8.3.1: a unit, and the I/O APIC behind it
    ("type",                "<u2"),
    ("length",              "<u2"),
    ("flags",               "u1"),      # DRHD_*
    ("size",                "u1"),
    ("segment",             "<u2"),
    ("base",                "<u8"),
])

DEVICE_SCOPE = np.dtype([
    ("type",                "u1"),
    ("length",              "u1"),
    ("reserved",            "<u2"),
    ("enumeration_id",      "u1"),      # of an I/O APIC, as in the MADT
    ("bus",                 "u1"),
    ("device",              "u1"),
    ("function",            "u1"),
])

STRUCTS: Structs = {
    "acpi_gas":             (GAS,             "A register's address."),
    "acpi_rsdp":            (RSDP,            "Found by a kernel at the start of its tables area."),
    "acpi_table":           (TABLE,           "Begins every table but RSDP and FACS."),
    "acpi_fadt":            (FADT,            "Power-off, reset and the PM timer."),
    "acpi_facs":            (FACS,            "Nobody sleeps here, but ACPICA wants it."),
    "acpi_madt":            (MADT,            "The kernel's own interrupt controllers; entries follow."),
    "acpi_madt_entry":      (MADT_ENTRY,      "Begins every entry."),
    "acpi_madt_lapic":      (MADT_LAPIC,      "A core of the kernel's."),
    "acpi_madt_ioapic":     (MADT_IOAPIC,     "The kernel's I/O APIC."),
    "acpi_madt_override":   (MADT_OVERRIDE,   "An ISA interrupt that is not on the pin of its number."),
    "acpi_madt_lapic_nmi":  (MADT_LAPIC_NMI,  "The pin that NMIs come in by."),
    "acpi_madt_x2apic":     (MADT_X2APIC,     "A core of the kernel's with an APIC ID of 255 or more."),
    "acpi_madt_x2apic_nmi": (MADT_X2APIC_NMI, "The pin that NMIs come in by, on such cores."),
    "acpi_spcr":            (SPCR,            "The kernel's console."),
    "acpi_dmar":            (DMAR,            "The IOMMU, for its owner."),
    "acpi_drhd":            (DRHD,            "One unit of it."),
    "acpi_scope":           (DEVICE_SCOPE,    "A device that is behind it."),
    "acpi_mcfg":            (MCFG,            "PCI configuration by address, for its owner."),
    "acpi_hpet":            (HPET,            "The high precision event timers, for their owner."),
}
# fmt: on
