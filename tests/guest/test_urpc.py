import re
from pathlib import Path

import pytest

from tests.guest.booting import boot_scenario


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_protocols_lose_nothing(seed: int, tmp_path: Path) -> None:
    run = boot_scenario("urpc", tmp_path, f"--seed={seed}")
    assert run.code == 0, run.console
    assert run.console["server"] == "epoch bit: 2000 questions in order\nused bit: 2000 questions in order\n"
    epoch, used = run.console["client"].splitlines()
    assert re.match(r"epoch bit: 2000 questions answered", epoch)
    assert re.match(r"used bit: 2000 questions answered, \d+ cycles each, 0 bare acknowledgements", used)


def test_nobody_sends_an_interrupt(tmp_path: Path) -> None:
    assert boot_scenario("urpc", tmp_path).crossings == {}
