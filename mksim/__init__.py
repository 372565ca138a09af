"""mksim: one emulated x86-64 machine that boots several real kernels at once, no hypervisor between them.

       kernel A           kernel B           kernel C          real binaries, each on its own cores and memory
    ┌────────────┐     ┌────────────┐     ┌────────────┐
    │ core  core │     │    core    │     │ core  core │         engine/   the CPUs: one Unicorn per kernel
    │ lapic lapic│     │   lapic    │     │ lapic lapic│         hw/       the chips, native
    └─────┬──────┘     └─────┬──────┘     └─────┬──────┘
    ══════╪══════════════════╪══════════════════╪══════ fabric   fabric/   DRAM, owners, messages, the ledger
          │                  │                  │
     ┌────┴───┐  ┌───────────┴──┐  ┌─────┐  ┌───┴───┐
     │  DRAM  │  │ I/O APICs    │  │ ROM │  │ UARTs │            firmware/ the ROM that starts all kernels
     └────────┘  └──────────────┘  └─────┘  └───────┘

A layout (`machine.config`) says who owns what; `machine.build` assembles the parts; `machine.machine.Machine`
runs them in virtual time (`clock`), deterministic to the bit; whatever one kernel does to what another owns
is a crossing in the ledger. `mksim.Machine` is all of it for a Python program (`library`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mksim.nativecache import prepare

prepare()

if TYPE_CHECKING:
    from mksim.library.conditions import ended, said, violated
    from mksim.library.machine import Machine, NotSeen, Stop

__all__ = ["Machine", "NotSeen", "Stop", "ended", "said", "violated"]
_WHERE = dict.fromkeys(("ended", "said", "violated"), "conditions")


def __getattr__(name: str) -> Any:
    """Import the library when it is asked for: Numba takes half a second."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"mksim.library.{_WHERE.get(name, 'machine')}"), name)
