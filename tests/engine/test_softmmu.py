"""Translated code is dropped when its bytes change, whoever changes them, and by whichever mapping."""

import pytest

from mksim.engine.softmmu import code_pages
from mksim.fabric.ownership import Rights
from mksim.machine.config import Ending, Protection, Window
from mksim.machine.machine import Outcome
from mksim.spec.memmap import PAGE
from mksim.spec.span import Span
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


READ_ONLY = Span(0x300000, PAGE)
LOAD = b"\xa1" + READ_ONLY.base.to_bytes(4, "little")  # mov eax, [window]
STORES = {
    "add": b"\x80\x07\x01",
    "mov": b"\xc6\x07\x01",
    "lock inc": b"\xf0\xff\x07",
    "xchg": b"\x87\x0f",
    "cmpxchg": b"\xf0\x0f\xb1\x0f",
    "movs": b"\x89\xfe\x46\xa4",  # mov esi, edi; inc esi
    "stos": b"\xf3\xaa",
    "fst": b"\xd9\xe8\xd9\x1f",  # fld1; fstp dword [edi]
    "push": b"\x8d\x67\x04\x51",  # lea esp, [edi + 4]
    "call": b"\x8d\x67\x04\xe8\0\0\0\0",
    "sgdt": b"\x0f\x01\x07",
}


@pytest.mark.parametrize("store", STORES)
def test_what_was_loaded_is_not_yet_to_be_stored_to(store):
    to = b"\xb9\x01\0\0\0\xbf" + READ_ONLY.base.to_bytes(4, "little")  # mov ecx, 1; mov edi, window
    window = Window(name="sign", span=READ_ONLY, rights={"k0": Rights.R, "k1": Rights.R | Rights.W})
    one = machine(LOAD + to + STORES[store] + leave(1), leave(0), windows=(window,))
    one.run()
    assert not one.board.memory[READ_ONLY.base :][:PAGE].any()
    assert one.lives[0].ending is not Ending.EXIT
    assert one.ledger.violations == 1
