"""A kernel whose console is waited for: the matcher against a plain search."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mksim.engine.records import KERNEL
from mksim.engine.serial import says
from mksim.machine.chips import await_words

FEW = st.text("ab", min_size=1, max_size=8).map(str.encode)


@given(words=FEW, written=st.text("ab", max_size=60).map(str.encode))
def test_it_ends_where_the_text_is_complete_for_the_first_time(words: bytes, written: bytes) -> None:
    kernel = np.zeros(1, KERNEL)[0]
    await_words(kernel, words)
    found = next((at for at, byte in enumerate(written) if says(kernel, byte)), -1)
    assert found == (written.find(words) + len(words) - 1 if words in written else -1)


def test_nothing_is_waited_for_by_default() -> None:
    kernel = np.zeros(1, KERNEL)[0]
    assert not any(says(kernel, byte) for byte in range(256))
