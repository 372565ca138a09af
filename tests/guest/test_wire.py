import re
from pathlib import Path

from tests.guest.booting import boot_scenario, boot_variant


def test_every_byte_comes_back_at_the_baud_rate(tmp_path: Path) -> None:
    run = boot_scenario("wire", tmp_path)
    assert run.code == 0, run.console
    assert run.violations == 0
    assert run.crossings == {}
    match = re.match(r"1000 bytes there and back in (\d+) us, (\d+) interrupts", run.console["caller"])
    assert match, run.console
    assert 86_805 <= int(match[1]) < 90_000
    assert int(match[2]) < 1000


def test_the_wires_timing_follows_the_machines_latency(tmp_path: Path) -> None:
    run = boot_variant("wire", tmp_path, "ioapics = 2", 'ioapics = 2\nlatency = "20ms"')
    assert run.code == 0, run.console
    match = re.match(r"1000 bytes there and back in (\d+) us", run.console["caller"])
    assert match
    assert int(match[1]) >= 86_805 + 2 * 20_000


def test_who_does_not_listen_loses_what_does_not_fit(tmp_path: Path) -> None:
    run = boot_variant("wire", tmp_path, "answerer.elf\"", 'answerer.elf"\ncmdline = "deaf=50"')
    assert run.exits["answerer"] == 0, run.console
    assert run.console["answerer"] == "deaf for 50 characters, heard the first 16\n"
