"""The front panel: what the machine's owner asks of native code, besides to run it.

Every switch takes the address of MACHINE first.
"""

import numpy as np
from numba import types

from mksim.compiled import native
from mksim.engine import schedule
from mksim.engine.cpustate import CONDITION_CODES, DF
from mksim.engine.crossings import READ, cross_access
from mksim.engine.devices import functions, rearm_devices, reset_function
from mksim.engine.entry import entry
from mksim.engine.interrupts import io_apic, pic_of
from mksim.engine.interrupts import settle as settle_core
from mksim.engine.pci import pci_of
from mksim.engine.qemu import cpu_cc_compute_all
from mksim.engine.records import RUNNING, core_of, engine_of, env_at, happen, kernel_of, machine_at
from mksim.engine.remapping import reset_units
from mksim.engine.reset import start_core
from mksim.engine.screen import vga_of
from mksim.engine.serial import rearm, send, uart_of, wire_of
from mksim.engine.timers import hpet_of, pit_of, rtc_of
from mksim.engine.tracing import SLEPT, WOKE, trace_core
from mksim.fabric.message import SERIAL_LINES
from mksim.hw import (
    acpi_pm,
    fw_cfg,
    hpet,
    i8042,
    ioapic,
    lapic,
    pci_config,
    pic8259,
    pit8254,
    rtc,
    uart16550,
    vga,
)

_ADDRESS, _INDEX, _TIME = types.int64, types.int64, types.int64
_PM_TIMER_BITS = 24
_SHORT_STRETCH, _LONGEST_STRETCH = 64, 1 << 14


@entry(types.void(_ADDRESS, _TIME))
def power_up(machine_address: int, epoch: int) -> None:
    """Power up the chips that every board has, plugged in as they are. Cycle 0 is Unix time `epoch`."""
    machine = machine_at(machine_address)
    rate = machine["rate"]
    rtc.reset(rtc_of(machine), epoch, rate)
    rtc.set_memory(rtc_of(machine), machine["memory_size"])
    reset_legacy(machine)
    for unit in range(machine["n_ioapics"]):
        ioapic.reset(io_apic(machine, unit), unit)
    for unit in range(machine["n_uarts"]):
        power_up_uart(machine, unit)
    reset_units(machine, np.int64(machine["kernels"]))
    for index in range(machine["kernels"] + 1):
        reset_own(machine, index)
    for index in range(machine["n_functions"]):
        reset_function(machine, index, 0)
    for index in range(machine["n_cores"]):
        power_up_apic(machine, index)


@native
def power_up_uart(machine: np.void, unit: int) -> None:
    """Power up a UART: one on a wire takes its time to send, a terminal does not."""
    wire = wire_of(machine, unit)
    if wire["peer"] >= 0:
        uart16550.reset(uart_of(machine, unit), machine["rate"], 0)
    else:
        uart16550.reset(uart_of(machine, unit), 0, uart16550.TERMINAL if wire["shown"] != 0 else 0)


@native
def power_up_apic(machine: np.void, index: int) -> None:
    """Power up a core's local APIC; core 0 is the BSP."""
    core = core_of(machine, index)
    lapic.power_up(core["lapic"], np.int64(core["apic_id"]), index == 0)


@native
def reset_legacy(machine: np.void) -> None:
    """Reset the chips that a board has one of. The clock goes on: only its interrupts are reset."""
    pic8259.reset(pic_of(machine))
    machine["intr"] = 0
    pit8254.reset(pit_of(machine), machine["rate"])
    rtc.reset_interrupts(rtc_of(machine))
    hpet.reset(hpet_of(machine), machine["rate"])
    pci_config.reset(pci_of(machine))


@native
def reset_own(machine: np.void, index: int) -> None:
    """Reset what every kernel has for itself."""
    kernel = kernel_of(machine, index)
    acpi_pm.reset(kernel["pm"], machine["rate"], _PM_TIMER_BITS)
    i8042.reset(kernel["keyboard"])
    fw_cfg.reset(kernel["fw_cfg"])
    kernel["post"] = 0


@native
def reset_uart(machine: np.void, unit: int, when: int) -> None:
    """Reset a UART: at the other end of its wire that is seen on the modem lines."""
    chip = uart_of(machine, unit)
    outputs = uart16550.outputs(chip)
    uart16550.reset(chip, chip["rate"], chip["modem"])
    if outputs != 0 and wire_of(machine, unit)["peer"] >= 0:
        send(machine, unit, SERIAL_LINES, 0, when)


@entry(types.void(_ADDRESS, _INDEX, _TIME))
def reset_kernel(machine_address: int, index: int, when: int) -> None:
    """Pull the reset line of all chips that a kernel owns."""
    machine = machine_at(machine_address)
    reset_own(machine, index)
    reset_units(machine, index)
    for unit in range(machine["n_uarts"]):
        if wire_of(machine, unit)["owner"] == index:
            reset_uart(machine, unit, when)
    for number in range(machine["n_functions"]):
        if functions(machine)[number]["owner"] == index:
            reset_function(machine, number, when)
    rearm(machine)
    rearm_devices(machine)
    if kernel_of(machine, index)["ioapic"] >= 0:
        own = np.int64(kernel_of(machine, index)["ioapic"])
        ioapic.reset(io_apic(machine, own), own)
    if machine["legacy_kernel"] == index:
        reset_legacy(machine)


@entry(types.void(_ADDRESS, _INDEX, _TIME))
def reset_device(machine_address: int, index: int, when: int) -> None:
    """Reset what is behind a function of PCI, which has another owner now."""
    machine = machine_at(machine_address)
    happen(machine, (when << 20) ^ functions(machine)[index]["place"])
    reset_function(machine, index, when)
    rearm_devices(machine)


@entry(types.void(_ADDRESS))
def power_up_vga(machine_address: int) -> None:
    """Power up the VGA."""
    machine = machine_at(machine_address)
    vga.reset(vga_of(machine), machine["rate"])


@entry(types.int64(_ADDRESS))
def first_cell(machine_address: int) -> int:
    """Return the character of its memory that the screen begins with."""
    return vga.start(vga_of(machine_at(machine_address)))


@entry(types.void(_ADDRESS, _INDEX))
def reset_apic(machine_address: int, index: int) -> None:
    """Power up the local APIC of one core."""
    power_up_apic(machine_at(machine_address), index)


@entry(types.void(_ADDRESS, _INDEX, types.int64, _TIME))
def start(machine_address: int, index: int, vector: int, when: int) -> None:
    """Start a core that waits for a SIPI."""
    machine = machine_at(machine_address)
    start_core(machine, index, vector, when)
    trace_core(machine, WOKE, core_of(machine, index)["time"], index)
    settle_core(machine, index)


@entry(types.void(_ADDRESS, _INDEX, types.int64))
def rest(machine_address: int, index: int, state: int) -> None:
    """Take a core off its engine and have it sleep, in one of the states in which it does not run."""
    machine = machine_at(machine_address)
    core = core_of(machine, index)
    if engine_of(machine, core["engine"])["core"] == index:
        schedule.unload(machine, core["engine"])
    if core["state"] == RUNNING:
        trace_core(machine, SLEPT, core["time"], index)
    core["state"] = state
    settle_core(machine, index)


@entry(types.void(_ADDRESS, _INDEX))
def settle(machine_address: int, index: int) -> None:
    """Recompute when a core next wants to run."""
    settle_core(machine_at(machine_address), index)


@entry(types.int64(_ADDRESS, _INDEX))
def flags(machine_address: int, index: int) -> int:
    """Return RFLAGS of a core, whose condition codes QEMU sums up only when it must."""
    machine = machine_at(machine_address)
    core = core_of(machine, index)
    where = schedule.address_of_env(machine, index)
    if engine_of(machine, core["engine"])["core"] == index:
        where = engine_of(machine, core["engine"])["env"]
    env = env_at(where)
    codes = np.int64(cpu_cc_compute_all(where, env["cc_op"]))
    direction = DF if env["df"] < 0 else 0
    return (env["eflags"] & ~(CONDITION_CODES | DF)) | (codes & CONDITION_CODES) | direction | 2


@entry(types.void(_ADDRESS, _INDEX))
def unload(machine_address: int, number: int) -> None:
    """Take the core that is on an engine off it, its state into its own record."""
    schedule.unload(machine_at(machine_address), number)


@entry(types.int64(_ADDRESS, _INDEX))
def stretch(machine_address: int, index: int) -> int:
    """Return for how many cycles pages open to a core: a block, then ever more if it stays there."""
    machine = machine_at(machine_address)
    core = core_of(machine, index)
    engine = engine_of(machine, core["engine"])
    stays = core["time"] - engine["stretched"] <= engine["stretch"]
    engine["stretch"] = min(2 * engine["stretch"], _LONGEST_STRETCH) if stays else 1
    return engine["stretch"]


@entry(types.int64(_ADDRESS, _INDEX, types.int64))
def step(machine_address: int, index: int, cycles: int) -> int:
    """Run a core for some cycles, one block at least; return as `schedule.run_slice` does."""
    machine = machine_at(machine_address)
    core = core_of(machine, index)
    engine = engine_of(machine, core["engine"])
    engine["stepping"] = 1 if cycles < _SHORT_STRETCH else 0
    debugger, marks = machine["debugger"], engine["marks"]
    machine["debugger"] = engine["marks"] = 0  # whose stops have no place here
    outcome = schedule.run_slice(machine, index, core["time"] + cycles)
    machine["debugger"], engine["marks"] = debugger, marks
    engine["stepping"] = 0
    engine["stretched"] = core["time"]
    return outcome


@entry(types.void(_ADDRESS, _INDEX))
def refuse_store(machine_address: int, index: int) -> None:
    """Settle a store that a core's block ended with, to memory that it may only read."""
    schedule.refused_store(machine_at(machine_address), index)


@entry(types.void(_ADDRESS, _INDEX, types.int64))
def note_read(machine_address: int, index: int, page: int) -> None:
    """Record that a core read a page that it may only execute."""
    machine = machine_at(machine_address)
    engine = engine_of(machine, core_of(machine, index)["engine"])
    cross_access(engine, machine, READ, page, 1, False)
