from pathlib import Path

from tests.guest.booting import boot_scenario


def test_what_a_stranger_sees(tmp_path: Path) -> None:
    run = boot_scenario("showcase", tmp_path)
    assert run.code == 0, run.console
    assert "Five kernels, side by side. No hypervisor." in run.console["alice"]
    assert run.console["alice"].endswith("All have had their turn, and my diary is as I wrote it.\n")
    assert "Together we found the 2262 primes below 20000.\n" in run.console["crowd"]
    assert run.console["mallory"].count("machine check. It did not happen.") == 5
    assert run.console["phoenix"].splitlines()[-1].startswith("Life 2")


def test_the_same_play_on_a_machine_that_trusts(tmp_path: Path) -> None:
    run = boot_scenario("showcase", tmp_path, "--trust")
    assert run.code == 1
    assert run.console["mallory"].count("it happened.") == 5
    assert run.console["alice"].endswith("my diary is not as I wrote it.\n")
    assert run.console["crowd"].splitlines()[-1].startswith("NMI")
    assert run.reasons["bob"] == "halt"
    assert run.exits["phoenix"] == 0


def test_the_same_machine_twice(tmp_path: Path) -> None:
    first = boot_scenario("showcase", tmp_path).summary["digest"]
    assert boot_scenario("showcase", tmp_path).summary["digest"] == first
