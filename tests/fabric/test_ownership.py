import numpy as np

from mksim.fabric.ownership import FIRMWARE, NOBODY, SHARED, Ownership, Rights, Signal
from mksim.spec.span import Span

PING, PONG = 0, 1


def deeds() -> Ownership:
    return Ownership(memory=0x10000, cores=4, kernels=2)


def test_at_first_nobody_owns_anything():
    ours = deeds()
    assert (ours.pages == NOBODY).all()
    assert (ours.ports == NOBODY).all()
    assert (ours.cores == NOBODY).all()
    assert not ours.rights.any()


def test_an_owner_has_all_rights_and_others_none():
    ours = deeds()
    ours.own(Span(0x1000, 0x2000), PONG)
    assert list(ours.pages[:4]) == [NOBODY, PONG, PONG, NOBODY]
    assert list(ours.rights[PONG, :4]) == [0, 7, 7, 0]
    assert not ours.rights[PING].any()


def test_a_new_owner_ends_the_rights_of_the_old():
    ours = deeds()
    ours.own(Span(0, 0x10000), PING)
    ours.own(Span(0x1000, 0x1000), FIRMWARE)
    assert ours.rights[PING, 1] == Rights.NONE
    assert ours.rights[PING, 2] == Rights.ALL


def test_a_window_gives_each_its_own_rights():
    ours = deeds()
    ours.share(Span(0x3000, 0x1000), {PING: Rights.R | Rights.W, PONG: Rights.R})
    assert ours.pages[3] == SHARED
    assert ours.rights[:, 3].tolist() == [3, 1]


def test_doorbells_grant_vector_by_vector_one_way():
    ours = deeds()
    ours.allow(PING, PONG, range(0x3E, 0x42))
    allowed = [vector for vector in range(256) if ours.may_send(PING, PONG, vector)]
    assert allowed == [0x3E, 0x3F, 0x40, 0x41]
    assert not ours.vectors[PONG, PING].any()
    assert ours.vectors.dtype == np.uint64


def test_signals_are_granted_one_by_one():
    ours = deeds()
    ours.allow(PING, PONG, (), Signal.NMI)
    ours.allow(PING, PONG, (), Signal.SIPI)
    assert ours.may_signal(PING, PONG, Signal.NMI | Signal.SIPI)
    assert not ours.may_signal(PING, PONG, Signal.INIT)


def test_a_kernel_needs_no_grant_for_its_own_cores():
    ours = deeds()
    assert all(ours.may_send(PING, PING, vector) for vector in range(256))
    assert ours.may_signal(PONG, PONG, Signal.ALL)
