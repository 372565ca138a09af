"""16550A UART: National Semiconductor PC16550D, June 1995; § is a section of it.

Left out: baud rate, parity, word length and break. A character takes no time and has 8 bits: the transmitter
is always empty, and a received character is there at once. The receiver's character timeout comes at once
too, instead of after four silent character times, so that characters below the trigger level never wait.

All arguments are int64. The chip has no time of its own: `now` is there so that all chips are called alike.
"""

import numpy as np
from numba import njit

from mksim.spec import uart as spec

# fmt: off
UART = np.dtype([
    ("fifo",    np.int64, spec.FIFO_DEPTH),  # received characters, a ring; without FCR.ENABLE one deep
    ("head",    np.int64),                   # index of the oldest
    ("count",   np.int64),                   # characters held
    ("divisor", np.int64),
    ("ier",     np.int64),
    ("fcr",     np.int64),                   # ENABLE and TRIGGER, as last programmed
    ("lcr",     np.int64),
    ("mcr",     np.int64),
    ("scr",     np.int64),
    ("errors",  np.int64),                   # LSR bits that reading clears
    ("deltas",  np.int64),                   # MSR bits that reading clears
    ("modem",   np.int64),                   # MSR lines as the far end drives them
    ("thre",    np.int64),                   # 1 while the THRE interrupt is pending
])
# fmt: on

TERMINAL = spec.MSR_CTS | spec.MSR_DSR | spec.MSR_DCD
"""The far end is a terminal that is always ready."""



@njit(cache=True, error_model="numpy")
def reset(u: np.void) -> None:
    """Put the chip into its state after the MR pin, § 8.0 table I, with a ready terminal attached."""
    u["ier"] = 0
    u["lcr"] = 0
    u["mcr"] = 0
    u["scr"] = 0
    u["errors"] = 0
    u["deltas"] = 0
    u["thre"] = 0
    u["divisor"] = spec.DIVISOR_AT_RESET
    u["modem"] = TERMINAL
    u["fcr"] = 0
    _clear_receiver(u)


@njit(cache=True, error_model="numpy")
def read(u: np.void, offset: int, now: int) -> int:
    """Return the register at `offset` 0..7, with the side effects of reading it."""
    if offset <= 1 and u["lcr"] & spec.LCR_DLAB:
        return (u["divisor"] >> (8 * offset)) & 0xFF
    if offset == spec.RBR:
        return _pop(u)
    if offset == spec.IIR:
        return _read_iir(u)
    if offset == spec.LSR:
        return _read_lsr(u)
    if offset == spec.MSR:
        return _read_msr(u)
    return _stored(u, offset)


@njit(cache=True, error_model="numpy")
def write(u: np.void, offset: int, value: int, now: int) -> int:
    """Write the register at `offset` 0..7. Return the character that leaves the chip by it, else -1."""
    if offset <= 1 and u["lcr"] & spec.LCR_DLAB:
        kept = u["divisor"] & (0xFF00 >> (8 * offset))
        u["divisor"] = kept | (value & 0xFF) << (8 * offset)
    elif offset == spec.THR:
        return _transmit(u, value & 0xFF)
    elif offset == spec.IER:
        _write_ier(u, value & spec.IER_WRITABLE)
    elif offset == spec.FCR:
        _write_fcr(u, value & 0xFF)
    elif offset == spec.MCR:
        _write_mcr(u, value & spec.MCR_WRITABLE)
    elif offset == spec.LCR:
        u["lcr"] = value & 0xFF
    elif offset == spec.SCR:
        u["scr"] = value & 0xFF
    return -1  # LSR and MSR: "writing is not recommended", factory test; no effect here


@njit(cache=True, error_model="numpy")
def receive(u: np.void, byte: int) -> bool:
    """Take a character from the far end. False when it is lost: no room, or loopback cut the line."""
    if u["mcr"] & spec.MCR_LOOP:
        return False
    return _push(u, byte & 0xFF)


@njit(cache=True, error_model="numpy")
def accepts(u: np.void) -> bool:
    """Whether a character received now would not be lost."""
    return u["count"] < _depth(u) and not u["mcr"] & spec.MCR_LOOP


@njit(cache=True, error_model="numpy")
def line(u: np.void) -> bool:
    """Level of the interrupt line on the bus: INTR through the gate that OUT2 opens on a PC.

    Loopback holds the pin OUT2 inactive whatever MCR says, § 8.8, so the gate is shut then.
    """
    gate = u["mcr"] & (spec.MCR_OUT2 | spec.MCR_LOOP)
    return gate == spec.MCR_OUT2 and _pending(u) != spec.IIR_NONE


# --- interrupts, § 8.6


@njit(cache=True, error_model="numpy")
def _pending(u: np.void) -> int:
    """Return the IIR code of the pending interrupt of highest priority."""
    ier = u["ier"]
    if ier & spec.IER_ELSI and u["errors"]:
        return spec.IIR_LINE
    if ier & spec.IER_ERBFI and u["count"]:
        return spec.IIR_DATA if u["count"] >= _trigger(u) else spec.IIR_TIMEOUT
    if ier & spec.IER_ETBEI and u["thre"]:
        return spec.IIR_THRE
    if ier & spec.IER_EDSSI and u["deltas"]:
        return spec.IIR_MODEM
    return spec.IIR_NONE


@njit(cache=True, error_model="numpy")
def _read_iir(u: np.void) -> int:
    """Reading IIR clears the THRE interrupt, if that is what it says."""
    code = _pending(u)
    if code == spec.IIR_THRE:
        u["thre"] = 0
    return code | (spec.IIR_FIFO if u["fcr"] & spec.FCR_ENABLE else 0)


@njit(cache=True, error_model="numpy")
def _write_ier(u: np.void, value: int) -> None:
    """Enabling THRE while the transmitter is empty - here, always - raises it.

    The datasheet does not say so, but every part does, and drivers start transmission by it.
    """
    if (value ^ u["ier"]) & spec.IER_ETBEI:
        u["thre"] = 1 if value & spec.IER_ETBEI else 0
    u["ier"] = value


# --- characters


@njit(cache=True, error_model="numpy")
def _depth(u: np.void) -> int:
    return spec.FIFO_DEPTH if u["fcr"] & spec.FCR_ENABLE else 1


@njit(cache=True, error_model="numpy")
def _trigger(u: np.void) -> int:
    return spec.TRIGGER_LEVELS[(u["fcr"] & spec.FCR_TRIGGER) >> spec.TRIGGER_SHIFT]


@njit(cache=True, error_model="numpy")
def _push(u: np.void, byte: int) -> bool:
    """Put a character into the receiver. An overrun destroys the newest: in the shift register where
    there is a FIFO, in the receiver buffer where there is none, § 8.4 bit 1.
    """
    room = u["count"] < _depth(u)
    if room:
        u["count"] += 1
    else:
        u["errors"] |= spec.LSR_OE
    if room or not u["fcr"] & spec.FCR_ENABLE:
        u["fifo"][(u["head"] + u["count"] - 1) % spec.FIFO_DEPTH] = byte
    return room


@njit(cache=True, error_model="numpy")
def _pop(u: np.void) -> int:
    """Take the oldest character; an empty receiver gives what its buffer held last."""
    byte = u["fifo"][u["head"]]
    if u["count"]:
        u["count"] -= 1
        if u["fcr"] & spec.FCR_ENABLE:
            u["head"] = (u["head"] + 1) % spec.FIFO_DEPTH
    return byte


@njit(cache=True, error_model="numpy")
def _transmit(u: np.void, byte: int) -> int:
    """Send at once: THR is empty again before the write ends, so the THRE interrupt is pending again."""
    u["thre"] = 1
    if u["mcr"] & spec.MCR_LOOP:
        _push(u, byte)
        return -1
    return byte


@njit(cache=True, error_model="numpy")
def _write_fcr(u: np.void, value: int) -> None:
    """Other bits are programmed only together with ENABLE; changing ENABLE empties the FIFOs, § 8.5."""
    changed = (value ^ u["fcr"]) & spec.FCR_ENABLE
    if changed or value & spec.FCR_CLEAR_R:
        _clear_receiver(u)
    if value & spec.FCR_ENABLE:
        u["fcr"] = value & (spec.FCR_ENABLE | spec.FCR_TRIGGER)
    else:
        u["fcr"] = 0


@njit(cache=True, error_model="numpy")
def _clear_receiver(u: np.void) -> None:
    u["head"] = 0
    u["count"] = 0


# --- line and modem status, §§ 8.4, 8.8, 8.9


@njit(cache=True, error_model="numpy")
def _read_lsr(u: np.void) -> int:
    status = spec.LSR_THRE | spec.LSR_TEMT | u["errors"]
    u["errors"] = 0
    return status | (spec.LSR_DR if u["count"] else 0)


@njit(cache=True, error_model="numpy")
def _lines(u: np.void) -> int:
    """MSR bits 7:4: the far end, or in loopback our own outputs RTS, DTR, OUT1, OUT2 as CTS, DSR, RI, DCD."""
    mcr = u["mcr"]
    if not mcr & spec.MCR_LOOP:
        return u["modem"]
    return (
        (spec.MSR_CTS if mcr & spec.MCR_RTS else 0)
        | (spec.MSR_DSR if mcr & spec.MCR_DTR else 0)
        | (spec.MSR_RI if mcr & spec.MCR_OUT1 else 0)
        | (spec.MSR_DCD if mcr & spec.MCR_OUT2 else 0)
    )


@njit(cache=True, error_model="numpy")
def _write_mcr(u: np.void, value: int) -> None:
    """Outputs change; in loopback, and on entering or leaving it, that is seen on the inputs."""
    before = _lines(u)
    u["mcr"] = value
    after = _lines(u)
    changed = (before ^ after) & ~spec.MSR_RI
    ring_ended = before & ~after & spec.MSR_RI
    u["deltas"] |= (changed | ring_ended) >> 4


@njit(cache=True, error_model="numpy")
def _read_msr(u: np.void) -> int:
    status = _lines(u) | u["deltas"]
    u["deltas"] = 0
    return status


@njit(cache=True, error_model="numpy")
def _stored(u: np.void, offset: int) -> int:
    """Registers that read back what was written."""
    if offset == spec.IER:
        return u["ier"]
    if offset == spec.LCR:
        return u["lcr"]
    if offset == spec.MCR:
        return u["mcr"]
    return u["scr"]
