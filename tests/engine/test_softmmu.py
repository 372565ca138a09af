"""Translated code is dropped when its bytes change, whoever changes them, and by whichever mapping."""

from mksim.engine.softmmu import code_pages
from mksim.machine.config import Ending, Protection
from mksim.machine.machine import Outcome
from mksim.spec.memmap import PAGE
from tests.machine.guests import base, leave, machine, store32

SPIN = b"\xeb\xfe"
OUT_F4 = 0x90F4E7  # out 0xf4, eax


def test_every_engine_knows_its_own_pages_of_code():
    one = machine(SPIN, SPIN, SPIN)
    one.run(instructions=100_000)
    marked = [code_pages(record).nonzero()[0].tolist() for record in one.board.engines]
    assert marked == [[base(0) // PAGE], [base(1) // PAGE], [base(2) // PAGE], []]


def test_code_that_another_kernel_overwrites_runs_as_written():
    wait = b"\xb9\x00\x00\x01\x00\xe2\xfe"  # mov ecx, 0x10000; loop
    one = machine(wait + store32(base(1), OUT_F4) + leave(7), SPIN, protection=Protection.TRUST)
    assert one.run(instructions=10_000_000) is Outcome.ENDED
    assert [(life.ending, life.exit_code) for life in one.lives] == [(Ending.EXIT, 7), (Ending.EXIT, 0)]
