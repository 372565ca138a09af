"""Bare Unicorn: no hook, no chip, no time. It goes on from where a kernel of a machine stands.

The measure of what mksim adds to the engine below it.
"""

import ctypes
import mmap

import numpy as np
from unicorn import UC_ARCH_X86, UC_MODE_64, Uc, x86_const

from benchmarks.clocks import Took, now
from mksim.engine import panel
from mksim.engine.cpustate import CPU_ENV, ENV_SIZE, cpu_address, view
from mksim.fabric.ownership import Rights
from mksim.machine.build import runs
from mksim.machine.machine import Machine


class Bare:
    """A copy of a kernel's memory, mapped as the kernel's engine has it, and of its boot core's registers."""

    def __init__(self, machine: Machine, kernel: int) -> None:
        board = machine.board
        panel.unload(board.address, kernel)
        self.uc = Uc(UC_ARCH_X86, UC_MODE_64)
        self.uc.ctl_set_cpu_model(x86_const.UC_CPU_X86_HASWELL)
        self.memory = np.frombuffer(mmap.mmap(-1, len(board.memory)), np.uint8)
        self.memory[:] = board.memory
        for span, rights in runs(board.deeds.rights[kernel]):
            if rights & Rights.R:
                self.uc.mem_map_ptr(span.base, span.size, rights, self.memory.ctypes.data + span.base)
        env = cpu_address(self.uc) + CPU_ENV
        state = board.cores[machine.layout.kernels[kernel].boot_core]["env"].tobytes()
        ctypes.memmove(env, state, ENV_SIZE)
        self.env = view(env)
        self.env[0]["intercept"] = 0  # HLT ends the run here, with nobody to ask

    def finish(self) -> Took:
        """Run to the HLT at the kernel's end."""
        start = now()
        self.uc.emu_start(int(self.env[0]["eip"]), 0)
        return now() - start
