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
is a crossing in the ledger.
"""

from mksim.nativecache import prepare

prepare()
