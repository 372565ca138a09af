"""A look at a machine that stands still: registers, and memory as its cores see it. It leaves no trace."""

import numpy as np

from mksim.debug.paging import Physical, Walk, pieces, walk
from mksim.debug.target import Registers
from mksim.engine import panel, schedule
from mksim.engine.cpustate import ENV, ENV_SIZE
from mksim.machine.machine import Machine


class Looking:
    """Registers and memory of one machine, by core."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.memory = Physical(machine)

    def on_engine(self, core: int) -> bool:
        """Tell whether a core's state is in an engine just now, and not in its own record."""
        board = self.machine.board
        return int(board.engines[board.cores[core]["engine"]]["core"]) == core

    def env(self, core: int) -> np.ndarray:
        """Return a core's ENV, of shape (1,), in place."""
        board = self.machine.board
        if self.on_engine(core):
            return self.machine.engines[int(board.cores[core]["engine"])].env
        raw = board.cores[core : core + 1].view(np.uint8)
        return raw[schedule.ENV_OFFSET : schedule.ENV_OFFSET + ENV_SIZE].view(ENV)

    def registers(self, core: int) -> Registers:
        """Return a core's registers."""
        board = self.machine.board
        return Registers(self.env(core), board.cores[core], panel.flags(board.address, core))

    def walk(self, core: int, address: int) -> Walk:
        """Translate a linear address as a core would."""
        return walk(self.memory, self.env(core)[0], address)

    def read(self, core: int, address: int, size: int) -> bytes:
        """Return memory at a linear address; fewer bytes where it ends."""
        env, found = self.env(core)[0], b""
        for physical, part in pieces(self.memory, env, address, size):
            data = self.memory.read(physical, part)
            found += data
            if len(data) < part:
                break
        return found

    def write(self, core: int, address: int, data: bytes) -> bool:
        """Change memory; False, and nothing done, where not all of it is there."""
        places = list(pieces(self.memory, self.env(core)[0], address, len(data)))
        if sum(part for _, part in places) < len(data):
            return False
        if any(len(self.memory.read(physical, part)) < part for physical, part in places):
            return False
        done = True
        for physical, part in places:
            done = self.memory.write(physical, data[:part]) and done
            data = data[part:]
        for engine in self.machine.engines:
            engine.flush()
        return done
