from pathlib import Path

from tests.guest.booting import boot_claim


def test_every_row_is_told_once_and_the_last_screen_is_kept(tmp_path: Path) -> None:
    run = boot_claim("screen", tmp_path, until="9s")
    assert run.code == 0, run.console["claim"]
    told = run.console["claim"].splitlines()
    lines = [f"line {n} of the screen" for n in range(1, 41)]
    lines += [f"line {n}, by the start address" for n in range(41, 61)]
    assert told[:60] == lines
    counted = [int(row.removeprefix("counted to ")) for row in told[60:]]
    assert counted == sorted(counted)
    assert 2 <= len(counted) <= 3  # every five seconds, and in the end
    assert run.summary["kernels"]["claim"]["screen"][-1] == told[-1] == "counted to 799"
