"""What came of a run, as pandas DataFrames; pandas is imported when the first one is asked for."""

from typing import Any

import numpy as np

from mksim.engine.tracing import CROSSED, INTERRUPTED, SENT, SLEPT, WOKE
from mksim.fabric.ledger import Act
from mksim.machine.machine import Machine
from mksim.machine.names import MODES, owner_name

Frame = Any
"""A pandas.DataFrame: pandas is an extra, and may not be there when types are checked."""

_EVENTS = {WOKE: "woke", SLEPT: "slept", INTERRUPTED: "interrupt", SENT: "message", CROSSED: "crossing"}
_ACTS = {int(act): act.name.lower() for act in Act}


def _frame(columns: dict[str, Any]) -> Frame:
    try:
        import pandas  # noqa: PLC0415 - an extra: mksim runs without it
    except ImportError as error:
        raise ImportError("DataFrames need pandas: pip install mksim[frames]") from error
    return pandas.DataFrame(columns)


def _named(codes: np.ndarray, name: Any) -> np.ndarray:
    """Return a name for each code, every one looked up once."""
    known, places = np.unique(codes, return_inverse=True)
    names = np.empty(len(known), object)
    names[:] = [name(int(code)) for code in known]
    return names[places]


def _owners(machine: Machine, codes: np.ndarray) -> np.ndarray:
    return _named(codes, lambda code: owner_name(machine, code))


def _nanoseconds(machine: Machine, cycles: np.ndarray) -> np.ndarray:
    if machine.layout.rate == 1_000_000_000:
        return cycles.copy()
    return _named(cycles, machine.layout.nanoseconds).astype(np.int64)


def kernels(machine: Machine) -> Frame:
    """A row per kernel."""
    lives = machine.lives
    return _frame(
        {
            "kernel": [life.kernel.name for life in lives],
            "cores": [len(life.kernel.cores) for life in lives],
            "state": [life.state.value for life in lives],
            "reason": [life.reason for life in lives],
            "exit": [life.exit_code for life in lives],
            "restarts": [life.restarts for life in lives],
            "instructions": [
                int(machine.board.cores[list(life.kernel.cores)]["instructions"].sum()) for life in lives
            ],
        }
    )


def crossings(machine: Machine, records: np.ndarray) -> Frame:
    """A row per record of the ledger; `core` is -1 where a device did it, and `rip` its place on PCI."""
    return _frame(
        {
            "when_ns": _nanoseconds(machine, records["when"]),
            "kernel": _owners(machine, records["kernel"]),
            "core": records["core"],
            "rip": records["rip"],
            "act": _named(records["act"], _ACTS.__getitem__),
            "where": records["where"],
            "size": records["size"],
            "target": _owners(machine, records["target"]),
            "granted": records["granted"],
        }
    )


def _homes(machine: Machine, cores: np.ndarray) -> np.ndarray:
    return _owners(machine, machine.board.cores["home"][cores])


def events(machine: Machine, records: np.ndarray) -> Frame:
    """A row per event: what each column means depends on the event (docs/traces.md)."""
    return _frame(
        {
            "when_ns": _nanoseconds(machine, records["when"]),
            "event": _named(records["kind"], _EVENTS.__getitem__),
            "kernel": _homes(machine, records["core"]),
            "core": records["core"],
            "value": records["value"],
        }
    )


def messages(machine: Machine, records: np.ndarray) -> Frame:
    """A row per interrupt message, within a kernel or between two."""
    sent = records[records["kind"] == SENT]
    return _frame(
        {
            "when_ns": _nanoseconds(machine, sent["when"]),
            "arrives_ns": _nanoseconds(machine, sent["until"]),
            "kernel": _homes(machine, sent["core"]),
            "core": sent["core"],
            "to_kernel": _homes(machine, sent["other"]),
            "to_core": sent["other"],
            "mode": _named(sent["mode"], MODES.__getitem__),
            "vector": sent["value"],
            "sender": np.where(sent["flag"] != 0, "core", "chip"),
        }
    )
