"""Local APIC, xAPIC and x2APIC: Intel SDM vol. 3A, chapter 12. This is the chip's one door.

Its rooms: `lapic_core` state, priorities, local vectors · `lapic_timer` · `lapic_message` who is meant by a
message · `lapic_page` the registers · `lapic_msr` the same as MSRs. What is left out is said there.

The chip sees register offsets and time, and answers with what its board must do. Records are LAPIC; times are
int64 cycles, and the caller keeps `now` from running backwards; 64-bit values are the int64 of those bits.
"""

from mksim.hw.lapic_core import (
    EOI,
    LAPIC,
    NOTHING,
    SEND,
    accept,
    acknowledge,
    arbitration_priority,
    enabled,
    eoi,
    expire,
    fire_lvt,
    globally_enabled,
    highest,
    init_reset,
    lint0_extint,
    note_error,
    power_up,
    write_tpr,
    write_tsc_deadline,
    x2apic,
)
from mksim.hw.lapic_message import (
    icr_destination,
    icr_level,
    icr_logical,
    icr_mode,
    icr_shorthand,
    icr_trigger,
    icr_vector,
    logical_id,
    matches,
    widen,
)
from mksim.hw.lapic_msr import GP, read_msr, write_base, write_msr
from mksim.hw.lapic_page import read, write

__all__ = [
    "EOI",
    "GP",
    "LAPIC",
    "NOTHING",
    "SEND",
    "accept",
    "acknowledge",
    "arbitration_priority",
    "enabled",
    "eoi",
    "expire",
    "fire_lvt",
    "globally_enabled",
    "highest",
    "icr_destination",
    "icr_level",
    "icr_logical",
    "icr_mode",
    "icr_shorthand",
    "icr_trigger",
    "icr_vector",
    "init_reset",
    "lint0_extint",
    "logical_id",
    "matches",
    "note_error",
    "power_up",
    "read",
    "read_msr",
    "widen",
    "write",
    "write_base",
    "write_msr",
    "write_tpr",
    "write_tsc_deadline",
    "x2apic",
]
