"""Devices act for their owners: DMA and messages of one kernel's device to what is another's."""

from pathlib import Path

from tests.guest.booting import boot_scenario

ATTEMPTS = {
    ("mallory", act, "victim"): 1
    for act in ("dma_read", "dma_write", "ipi", "device_read", "config_read", "config_write")
}


def test_guard_refuses_what_a_device_may_not(tmp_path: Path) -> None:
    run = boot_scenario("dma", tmp_path)
    assert run.code == 0, run.console
    assert run.crossings == ATTEMPTS
    assert "0 words changed, 0 uninvited" in run.console["victim"]
    device = {record.get("device") for record in run.summary["violations"] if record["act"].startswith("dma")}
    assert device == {"0001:00:01.0"}


def test_without_protection_it_happens_and_is_on_record(tmp_path: Path) -> None:
    run = boot_scenario("dma", tmp_path, config="trust.toml")
    assert run.code == 0, run.console
    assert run.crossings == ATTEMPTS
    assert "16 words changed, 1 uninvited" in run.console["victim"]
