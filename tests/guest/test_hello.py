from pathlib import Path

from tests.guest.booting import boot_scenario


def test_two_kernels_two_consoles(tmp_path: Path) -> None:
    run = boot_scenario("hello", tmp_path)
    assert run.code == 0
    assert run.console["alice"] == "hello from alice: 1 core(s), local APIC 0, loaded at 0x200000\n"
    assert run.console["bob"] == "hello from bob: 1 core(s), local APIC 1, loaded at 0x600000\n"
    assert run.exits == {"alice": 0, "bob": 0}


def test_nothing_crosses(tmp_path: Path) -> None:
    run = boot_scenario("hello", tmp_path)
    assert run.crossings == {}
