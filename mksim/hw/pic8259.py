"""8259A pair, cascaded as in a PC: Intel 8259A, order 231468-003, December 1988.

Left out: MCS-80/85 mode (vectors are always those of 8086 mode), buffered mode (it only moves a pin), and
the slave's address compare: the slave answers whatever identity ICW3 gave it.
Until software initialises them both chips are masked; the datasheet leaves that state open.

All arguments are int64; `chip` is MASTER or SLAVE, `irq` 0..15, `a0` 0 or 1.
"""

import numpy as np

from mksim.compiled import native
from mksim.spec import pic as spec
from mksim.spec.pic import CASCADE, MASTER, SLAVE

# fmt: off
PIC = np.dtype([                     # each field for the master and the slave
    ("irr",     np.int64, 2),        # requests
    ("isr",     np.int64, 2),        # in service
    ("imr",     np.int64, 2),        # masked
    ("lines",   np.int64, 2),        # levels of the IR inputs
    ("elcr",    np.int64, 2),        # 1: level triggered
    ("icw1",    np.int64, 2),
    ("base",    np.int64, 2),        # ICW2: vector of IR0
    ("icw3",    np.int64, 2),
    ("icw4",    np.int64, 2),
    ("expect",  np.int64, 2),        # the ICW that the next write to A0=1 is; 0: it is OCW1
    ("lowest",  np.int64, 2),        # IR of lowest priority; the one after it has the highest
    ("rotate",  np.int64, 2),        # 1: rotate in automatic EOI mode
    ("special", np.int64, 2),        # 1: special mask mode
    ("reads",   np.int64, 2),        # OCW3.RIS: reads of A0=0 give ISR
    ("poll",    np.int64, 2),        # 1: the next read is an acknowledge
])
# fmt: on


@native
def reset(p: np.void) -> None:
    """Power on: masked, all inputs low and edge triggered."""
    for chip in range(2):
        p["lines"][chip] = 0
        p["elcr"][chip] = 0
        p["base"][chip] = 0
        _initialise(p, chip, 0)
        p["expect"][chip] = 0
        p["imr"][chip] = 0xFF


@native
def set_line(p: np.void, irq: int, level: int) -> None:
    """Drive an input. IRQ 2 is not one: the slave drives it."""
    if irq != CASCADE:
        _drive(p, irq >> 3, irq & 7, level)
        _cascade(p)


@native
def output(p: np.void) -> bool:
    """Level of INT, the line to the processor."""
    return _request(p, MASTER) >= 0


@native
def acknowledge(p: np.void) -> int:
    """Run the INTA cycles: return the vector and put its level in service.

    Without a request it is that of IR7 of the chip asked, with nothing in service (section "edge and level
    triggered modes"). If it is the slave that has none, the master's IR2 is in service all the same.
    """
    ir = _take(p, MASTER)
    chip = MASTER
    if ir == CASCADE and _slave_at(p, ir):
        chip = SLAVE
        ir = _take(p, SLAVE)
        _drive(p, MASTER, CASCADE, 0)  # INT falls with INTA: what is left makes a new edge
        _cascade(p)
    return p["base"][chip] + (ir if ir >= 0 else spec.SPURIOUS)


@native
def read(p: np.void, chip: int, a0: int) -> int:
    """Return IRR, ISR or IMR, or the poll word."""
    if p["poll"][chip]:
        return _poll(p, chip)
    if a0:
        return p["imr"][chip]
    return p["isr"][chip] if p["reads"][chip] else p["irr"][chip]


@native
def write(p: np.void, chip: int, a0: int, value: int) -> None:
    """Write a command word; which one it is, follows from A0, the value and what came before."""
    if a0:
        _write_high(p, chip, value & 0xFF)
    elif value & spec.ICW1:
        _initialise(p, chip, value & 0xFF)
    elif value & spec.OCW3:
        _write_ocw3(p, chip, value)
    else:
        _write_ocw2(p, chip, value & spec.OCW2_ACTION, value & spec.OCW2_LEVEL)
    _cascade(p)


@native
def read_elcr(p: np.void, chip: int) -> int:
    """Return the edge/level control register."""
    return p["elcr"][chip]


@native
def write_elcr(p: np.void, chip: int, value: int) -> None:
    """Choose edge (0) or level (1) for each input."""
    p["elcr"][chip] = value & spec.ELCR_WRITABLE[chip]
    _sample_levels(p, chip)
    _cascade(p)


# --- inputs and priorities


@native
def _levels(p: np.void, chip: int) -> int:
    """The inputs that are level triggered."""
    return 0xFF if p["icw1"][chip] & spec.ICW1_LTIM else p["elcr"][chip]


@native
def _sample_levels(p: np.void, chip: int) -> None:
    p["irr"][chip] |= p["lines"][chip] & _levels(p, chip)


@native
def _drive(p: np.void, chip: int, ir: int, level: int) -> None:
    """A rising input requests, a falling one withdraws: inputs "must remain high until ... INTA"."""
    bit = 1 << ir
    if not level:
        p["lines"][chip] &= ~bit
        p["irr"][chip] &= ~bit
    elif not p["lines"][chip] & bit:
        p["lines"][chip] |= bit
        p["irr"][chip] |= bit


@native
def _cascade(p: np.void) -> None:
    """Let the slave's INT drive the master's IR2."""
    _drive(p, MASTER, CASCADE, _request(p, SLAVE) >= 0)


@native
def _slave_at(p: np.void, ir: int) -> bool:
    """Whether the master was told that there is a slave on this input."""
    return p["icw3"][MASTER] >> ir & 1 and not p["icw1"][MASTER] & spec.ICW1_SNGL


@native
def _highest(p: np.void, chip: int, bits: int) -> int:
    """Return the IR of highest priority among `bits`, -1 if there is none."""
    for step in range(1, 9):
        ir = (p["lowest"][chip] + step) & 7
        if bits >> ir & 1:
            return ir
    return -1


@native
def _rank(p: np.void, chip: int, ir: int) -> int:
    """Priority of an IR, 0 the highest; of -1, lower than all."""
    return (ir - p["lowest"][chip] - 1) & 7 if ir >= 0 else 8


@native
def _request(p: np.void, chip: int) -> int:
    """Return the IR that the priority resolver lets through to INT, -1 if none."""
    if p["irr"][chip] & ~p["imr"][chip] == 0:
        return -1
    asking = _highest(p, chip, p["irr"][chip] & ~p["imr"][chip])
    serving = _highest(p, chip, _inhibiting(p, chip))
    if _rank(p, chip, asking) < _rank(p, chip, serving):
        return asking
    # Special fully nested mode: "this slave is not locked out from the master's priority logic".
    nested = p["icw4"][chip] & spec.ICW4_SFNM and chip == MASTER and _slave_at(p, CASCADE)
    return asking if nested and asking == serving == CASCADE else -1


@native
def _inhibiting(p: np.void, chip: int) -> int:
    """Levels in service that hold off their like and lower ones; not if masked in special mask mode."""
    if p["special"][chip]:
        return p["isr"][chip] & ~p["imr"][chip]
    return p["isr"][chip]


@native
def _take(p: np.void, chip: int) -> int:
    """Acknowledge one chip: move its request into service. Return the IR, -1 if there was none."""
    ir = _request(p, chip)
    if ir < 0:
        return ir
    bit = 1 << ir
    p["irr"][chip] &= ~bit | _levels(p, chip)
    if not p["icw4"][chip] & spec.ICW4_AEOI:
        p["isr"][chip] |= bit
    elif p["rotate"][chip]:
        p["lowest"][chip] = ir
    return ir


@native
def _poll(p: np.void, chip: int) -> int:
    """Acknowledge by reading. Return the poll word."""
    p["poll"][chip] = 0
    ir = _take(p, chip)
    if chip == SLAVE:
        _drive(p, MASTER, CASCADE, 0)
    _cascade(p)
    return spec.POLL_PENDING | ir if ir >= 0 else 0


# --- command words


@native
def _initialise(p: np.void, chip: int, icw1: int) -> None:
    """ICW1, and what "automatically occurs" at it (section "initialization command words 1 and 2")."""
    p["icw1"][chip] = icw1
    p["irr"][chip] = 0  # "the edge sense circuit is reset"
    p["imr"][chip] = 0
    p["isr"][chip] = 0
    p["lowest"][chip] = 7
    p["icw3"][chip] = 0
    p["icw4"][chip] = 0
    p["rotate"][chip] = 0
    p["special"][chip] = 0
    p["reads"][chip] = 0
    p["poll"][chip] = 0
    p["expect"][chip] = 2
    _sample_levels(p, chip)


@native
def _write_high(p: np.void, chip: int, value: int) -> None:
    """A0=1: the ICW that is due, else OCW1."""
    due = p["expect"][chip]
    if due == 2:
        p["base"][chip] = value & spec.ICW2_BASE
    elif due == 3:
        p["icw3"][chip] = value
    elif due == 4:
        p["icw4"][chip] = value
    else:
        p["imr"][chip] = value
    p["expect"][chip] = _next_icw(p["icw1"][chip], due)


@native
def _next_icw(icw1: int, done: int) -> int:
    """The initialization sequence, fig. 6: which ICW follows `done`; 0 for none."""
    if done == 2 and not icw1 & spec.ICW1_SNGL:
        return 3
    if 2 <= done <= 3 and icw1 & spec.ICW1_IC4:
        return 4
    return 0


@native
def _write_ocw2(p: np.void, chip: int, action: int, level: int) -> None:
    """End of interrupt and rotation."""
    if action in (spec.OCW2_EOI, spec.OCW2_ROTATE_EOI):
        level = _highest(p, chip, _inhibiting(p, chip))
    if action & spec.OCW2_EOI and level >= 0:
        p["isr"][chip] &= ~(1 << level)
    if action >= spec.OCW2_ROTATE_EOI and level >= 0:
        p["lowest"][chip] = level
    elif action == spec.OCW2_ROTATE_AEOI_SET:
        p["rotate"][chip] = 1
    elif action == spec.OCW2_ROTATE_AEOI_CLEAR:
        p["rotate"][chip] = 0


@native
def _write_ocw3(p: np.void, chip: int, value: int) -> None:
    """Special mask mode, polling, and what A0=0 reads."""
    if value & spec.OCW3_ESMM:
        p["special"][chip] = 1 if value & spec.OCW3_SMM else 0
    if value & spec.OCW3_RR:
        p["reads"][chip] = value & spec.OCW3_RIS
    p["poll"][chip] = 1 if value & spec.OCW3_POLL else 0
