"""16550A UART: National Semiconductor PC16550D, June 1995; § is a section of it.

On a wire a character takes the time that divisor and format say. Without one (`rate` 0) it takes none: the
transmitter is always empty, and a character below the trigger level interrupts at once.

Left out: parity, and that the far end might be set to another rate or format: what is sent is received. The
transmitter interrupts as soon as its FIFO is empty, not up to a character time later (§ 8.11, transmitter B).

All arguments are int64; `now` is in cycles. What the chip does by itself happens at `deadline`: see `expire`.
"""

import numpy as np

from mksim.clock.time import NEVER, scale
from mksim.compiled import native
from mksim.spec import uart as spec

# fmt: off
UART = np.dtype([
    ("rate",    np.int64),                   # cycles per second; 0: characters take no time
    ("deadline", np.int64),                  # cycle of the earliest of the next three
    ("sent",    np.int64),                   #   the character in `shift` has left, or NEVER
    ("silent",  np.int64),                   #   the receiver's character timeout, or NEVER
    ("broken",  np.int64),                   #   the far end sees the break, or NEVER
    ("shift",   np.int64),                   # character in the transmitter's shift register, or -1
    ("out",     np.int64, spec.FIFO_DEPTH),  # characters to be sent, a ring; without FCR.ENABLE one deep
    ("first",   np.int64),                   # index of the oldest
    ("queued",  np.int64),                   # characters in `out`
    ("fifo",    np.int64, spec.FIFO_DEPTH),  # received, a ring likewise; the LSR bits of each above bit 8
    ("head",    np.int64),                   # index of the oldest
    ("count",   np.int64),                   # characters held
    ("timeout", np.int64),                   # 1 while the character timeout interrupts
    ("divisor", np.int64),
    ("ier",     np.int64),
    ("fcr",     np.int64),                   # ENABLE and TRIGGER, as last programmed
    ("lcr",     np.int64),
    ("mcr",     np.int64),
    ("scr",     np.int64),
    ("overrun", np.int64),                   # LSR_OE until it is read
    ("deltas",  np.int64),                   # MSR bits that reading clears
    ("modem",   np.int64),                   # MSR lines as the far end drives them
    ("thre",    np.int64),                   # 1 while the THRE interrupt is pending
])
# fmt: on

TERMINAL = spec.MSR_CTS | spec.MSR_DSR | spec.MSR_DCD
"""The lines of a terminal that is always ready."""
BREAK = 0x100
"""Leaves the chip like a character when it has sent a break for as long as one."""
_ERRORS_SHIFT = 8


@native
def reset(u: np.void, rate: int = 0, modem: int = TERMINAL) -> None:
    """Put the chip into its state after the MR pin, § 8.0 table I; `modem` is what the far end drives."""
    u["rate"] = rate
    u["deadline"] = u["sent"] = u["silent"] = u["broken"] = NEVER
    u["shift"] = -1
    u["first"] = u["queued"] = 0
    u["head"] = u["count"] = u["timeout"] = 0
    u["ier"] = u["fcr"] = u["lcr"] = u["mcr"] = u["scr"] = 0
    u["overrun"] = u["deltas"] = u["thre"] = 0
    u["divisor"] = spec.DIVISOR_AT_RESET
    u["modem"] = modem


@native
def read(u: np.void, offset: int, now: int) -> int:
    """Return the register at `offset` 0..7, with the side effects of reading it."""
    if offset <= 1 and u["lcr"] & spec.LCR_DLAB:
        return (u["divisor"] >> (8 * offset)) & 0xFF
    if offset == spec.RBR:
        return _pop(u, now)
    if offset == spec.IIR:
        return _read_iir(u)
    if offset == spec.LSR:
        return _read_lsr(u)
    if offset == spec.MSR:
        return _read_msr(u)
    return _stored(u, offset)


@native
def write(u: np.void, offset: int, value: int, now: int) -> int:
    """Write the register at `offset` 0..7. Return the character that leaves the chip by it, else -1."""
    if offset <= 1 and u["lcr"] & spec.LCR_DLAB:
        kept = u["divisor"] & (0xFF00 >> (8 * offset))
        u["divisor"] = kept | (value & 0xFF) << (8 * offset)
    elif offset == spec.THR:
        return _transmit(u, value & 0xFF, now)
    elif offset == spec.IER:
        _write_ier(u, value & spec.IER_WRITABLE)
    elif offset == spec.FCR:
        _write_fcr(u, value & 0xFF)
    elif offset == spec.MCR:
        before = _lines(u)
        u["mcr"] = value & spec.MCR_WRITABLE
        _note_changes(u, before)
    elif offset == spec.LCR:
        _write_lcr(u, value & 0xFF, now)
    elif offset == spec.SCR:
        u["scr"] = value & 0xFF
    return -1  # LSR and MSR: "writing is not recommended", factory test; no effect here


@native
def receive(u: np.void, character: int, now: int) -> bool:
    """Take a character, or BREAK, from the far end. False when it is lost: no room, or loopback."""
    return not u["mcr"] & spec.MCR_LOOP and _push(u, character, now)


@native
def expire(u: np.void, now: int) -> int:
    """Do what is due, and move `deadline` on. Return the character, or BREAK, that has left, else -1."""
    character = -1
    if u["silent"] <= now:
        u["silent"] = NEVER
        u["timeout"] = 1
    if u["sent"] <= now:
        character = _leave(u, u["shift"], u["sent"])
        _shift(u, u["sent"])
    elif u["broken"] <= now:
        character = _leave(u, BREAK, u["broken"])
        u["broken"] = NEVER
    _arm(u)
    return character


@native
def line(u: np.void) -> bool:
    """Level of the interrupt line on the bus: INTR through the gate that OUT2 opens on a PC.

    In loopback too: interrupts are "fully operational" then, § 8.8. The pin OUT2 is not, but in the parts of
    today, which have the gate inside, it is no pin.
    """
    return u["mcr"] & spec.MCR_OUT2 != 0 and _pending(u) != spec.IIR_NONE


@native
def outputs(u: np.void) -> int:
    """Return MCR's DTR and RTS as the pins show them: loopback forces them inactive, § 8.8."""
    return 0 if u["mcr"] & spec.MCR_LOOP else u["mcr"] & (spec.MCR_DTR | spec.MCR_RTS)


@native
def set_modem(u: np.void, lines: int) -> None:
    """Drive the inputs: MSR's bits 7:4."""
    before = _lines(u)
    u["modem"] = lines & spec.MSR_LINES
    _note_changes(u, before)


# --- interrupts, § 8.6


@native
def _pending(u: np.void) -> int:
    """Return the IIR code of the pending interrupt of highest priority."""
    ier = u["ier"]
    if ier & spec.IER_ELSI and _errors(u):
        return spec.IIR_LINE
    if ier & spec.IER_ERBFI and u["count"] >= _trigger(u):
        return spec.IIR_DATA
    if ier & spec.IER_ERBFI and u["timeout"]:
        return spec.IIR_TIMEOUT
    if ier & spec.IER_ETBEI and u["thre"]:
        return spec.IIR_THRE
    if ier & spec.IER_EDSSI and u["deltas"]:
        return spec.IIR_MODEM
    return spec.IIR_NONE


@native
def _read_iir(u: np.void) -> int:
    """Reading IIR clears the THRE interrupt, if that is what it says."""
    code = _pending(u)
    if code == spec.IIR_THRE:
        u["thre"] = 0
    return code | (spec.IIR_FIFO if u["fcr"] & spec.FCR_ENABLE else 0)


@native
def _write_ier(u: np.void, value: int) -> None:
    """Enabling THRE while the transmitter is empty raises it.

    The datasheet does not say so, but every part does, and drivers start transmission by it.
    """
    if (value ^ u["ier"]) & spec.IER_ETBEI:
        u["thre"] = 1 if value & spec.IER_ETBEI and u["queued"] == 0 else 0
    u["ier"] = value


# --- time, §§ 8.1, 8.3, 8.11


@native
def character_time(u: np.void) -> int:
    """Return how many cycles a character takes. A divisor of 0 divides by 65536, as a counter does."""
    lcr = u["lcr"]
    length = (lcr & spec.LCR_LENGTH) + 5
    halves = 2 * (1 + length + (1 if lcr & spec.LCR_PARITY else 0)) + 2
    if lcr & spec.LCR_STOP:
        halves += 1 if length == 5 else 2
    divisor = u["divisor"] if u["divisor"] else 1 << 16
    return scale(halves * 8 * divisor, u["rate"], spec.CLOCK)


@native
def _arm(u: np.void) -> None:
    u["deadline"] = min(u["sent"], u["silent"], u["broken"])


@native
def _listen(u: np.void, now: int) -> None:
    """Restart the timer of the character timeout, after a character came or was read, § 8.11."""
    waiting = u["fcr"] & spec.FCR_ENABLE != 0 and u["count"] > 0
    u["silent"] = NEVER
    if u["rate"] == 0:
        u["timeout"] = 1 if waiting else 0
    elif waiting and not u["timeout"]:
        u["silent"] = now + spec.TIMEOUT * character_time(u)
    _arm(u)


# --- transmitter


@native
def _depth(u: np.void) -> int:
    return spec.FIFO_DEPTH if u["fcr"] & spec.FCR_ENABLE else 1


@native
def _transmit(u: np.void, byte: int, now: int) -> int:
    """Take a character to send; return it if it has left by that. A full FIFO takes none."""
    if u["rate"] == 0:  # all eight bits of it: what writes to its console without setting it up, is read
        u["thre"] = 1
        return _leave(u, byte, now)
    byte &= (1 << ((u["lcr"] & spec.LCR_LENGTH) + 5)) - 1
    u["thre"] = 0
    if u["queued"] == _depth(u) and not u["fcr"] & spec.FCR_ENABLE:
        u["queued"] = 0  # the holding register is overwritten
    if u["queued"] < _depth(u):
        u["out"][(u["first"] + u["queued"]) % spec.FIFO_DEPTH] = byte
        u["queued"] += 1
    if u["shift"] < 0:
        _shift(u, now)
        _arm(u)
    return -1


@native
def _shift(u: np.void, now: int) -> None:
    """Move the next character to the shift register; the last one leaves THR empty, and interrupts."""
    u["shift"], u["sent"] = -1, NEVER
    if u["queued"]:
        u["shift"], u["sent"] = u["out"][u["first"]], now + character_time(u)
        u["first"] = (u["first"] + 1) % spec.FIFO_DEPTH
        u["queued"] -= 1
        u["thre"] = 1 if u["queued"] == 0 else u["thre"]


@native
def _leave(u: np.void, character: int, now: int) -> int:
    """A character goes out, or in loopback to the receiver. Return it if it went out, else -1."""
    if u["mcr"] & spec.MCR_LOOP:
        _push(u, character, now)
        return -1
    return character


@native
def _write_lcr(u: np.void, value: int, now: int) -> None:
    """A break is seen at the far end once it has lasted for a character time."""
    began = value & ~u["lcr"] & spec.LCR_BREAK
    u["lcr"] = value
    if began and u["rate"] == 0:
        _leave(u, BREAK, now)
    elif began:
        u["broken"] = now + character_time(u)
    elif not value & spec.LCR_BREAK:
        u["broken"] = NEVER
    _arm(u)


# --- receiver


@native
def _trigger(u: np.void) -> int:
    return spec.TRIGGER_LEVELS[(u["fcr"] & spec.FCR_TRIGGER) >> spec.TRIGGER_SHIFT]


@native
def _push(u: np.void, character: int, now: int) -> bool:
    """Put a character into the receiver. An overrun destroys the newest: in the shift register where
    there is a FIFO, in the receiver buffer where there is none, § 8.4 bit 1. A break is one zero character.
    """
    errors = spec.LSR_BI | spec.LSR_FE if character & BREAK else 0
    room = u["count"] < _depth(u)
    u["count"] += 1 if room else 0
    u["overrun"] |= 0 if room else spec.LSR_OE
    if room or not u["fcr"] & spec.FCR_ENABLE:
        last = (u["head"] + u["count"] - 1) % spec.FIFO_DEPTH
        u["fifo"][last] = character & 0xFF | errors << _ERRORS_SHIFT
    _listen(u, now)
    return room


@native
def _pop(u: np.void, now: int) -> int:
    """Take the oldest character; an empty receiver gives what its buffer held last."""
    byte = u["fifo"][u["head"]] & 0xFF
    if u["count"]:
        u["count"] -= 1
        if u["fcr"] & spec.FCR_ENABLE:
            u["head"] = (u["head"] + 1) % spec.FIFO_DEPTH
        u["timeout"] = 0
        _listen(u, now)
    return byte


@native
def _write_fcr(u: np.void, value: int) -> None:
    """Other bits are programmed only together with ENABLE; changing ENABLE empties the FIFOs, § 8.5."""
    changed = (value ^ u["fcr"]) & spec.FCR_ENABLE
    u["fcr"] = value & (spec.FCR_ENABLE | spec.FCR_TRIGGER) if value & spec.FCR_ENABLE else 0
    if changed or value & spec.FCR_CLEAR_R:
        u["head"] = u["count"] = u["timeout"] = 0
        u["silent"] = NEVER
    if (changed or value & spec.FCR_CLEAR_T) and u["queued"]:
        u["first"] = u["queued"] = 0
        u["thre"] = 1
    _arm(u)


# --- line and modem status, §§ 8.4, 8.8, 8.9


@native
def _errors(u: np.void) -> int:
    """LSR bits 4:1: "revealed to the CPU when its associated character is at the top of the FIFO"."""
    return u["overrun"] | (u["fifo"][u["head"]] >> _ERRORS_SHIFT if u["count"] else 0)


@native
def _error_in_fifo(u: np.void) -> bool:
    for at in range(u["count"] if u["fcr"] & spec.FCR_ENABLE else 0):
        if u["fifo"][(u["head"] + at) % spec.FIFO_DEPTH] >> _ERRORS_SHIFT:
            return True
    return False


@native
def _read_lsr(u: np.void) -> int:
    status = _errors(u) | (spec.LSR_FIFO if _error_in_fifo(u) else 0) | (spec.LSR_DR if u["count"] else 0)
    u["overrun"] = 0
    u["fifo"][u["head"]] &= 0xFF
    if u["queued"] == 0:
        status |= spec.LSR_THRE | (spec.LSR_TEMT if u["shift"] < 0 else 0)
    return status


@native
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


@native
def _note_changes(u: np.void, before: int) -> None:
    """Set the deltas: the far end, our own outputs in loopback, or entering and leaving it made them."""
    after = _lines(u)
    changed = (before ^ after) & ~spec.MSR_RI
    ring_ended = before & ~after & spec.MSR_RI
    u["deltas"] |= (changed | ring_ended) >> 4


@native
def _read_msr(u: np.void) -> int:
    status = _lines(u) | u["deltas"]
    u["deltas"] = 0
    return status


@native
def _stored(u: np.void, offset: int) -> int:
    if offset == spec.IER:
        return u["ier"]
    if offset == spec.LCR:
        return u["lcr"]
    return u["mcr"] if offset == spec.MCR else u["scr"]
