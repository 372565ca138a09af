"""Devices act for their owners: DMA and messages of one kernel's device to what is another's."""

from pathlib import Path

from tests.guest.booting import Run, boot_scenario

BY_HAND = {("mallory", act, "victim"): 1 for act in ("device_read", "config_read", "config_write")}
BY_MESSAGE = {("mallory", "ipi", "victim"): 1}
ATTEMPTS = (
    BY_HAND | BY_MESSAGE | {("mallory", "dma_read", "victim"): 1, ("mallory", "dma_write", "victim"): 2}
)
MEMORY_FAULTS = [
    ("0001:00:01.0", "read", "0x1300000", "page not readable"),
    ("0001:00:01.0", "write", "0x1301000", "page not writable"),
]


def faults(run: Run) -> list[tuple[str, ...]]:
    return [tuple(fault[key] for key in ("device", "kind", "where", "reason")) for fault in run.faults]


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
    assert "my page tables have an entry" in run.console["victim"]


def test_an_iommu_keeps_a_device_from_memory(tmp_path: Path) -> None:
    run = boot_scenario("dma", tmp_path, config="iommu.toml")
    assert run.code == 0, run.console
    assert run.crossings == BY_HAND | BY_MESSAGE
    assert faults(run)[:2] == MEMORY_FAULTS
    assert faults(run)[2][1::2] == ("write", "page not writable")
    assert "0 words changed, 1 uninvited" in run.console["victim"]


def test_remapping_keeps_it_from_interrupts_too(tmp_path: Path) -> None:
    run = boot_scenario("dma", tmp_path, config="remapping.toml")
    assert run.code == 0, run.console
    assert run.crossings == BY_HAND
    assert faults(run)[3:] == [("0001:00:01.0", "interrupt", "0x0", "compatibility format blocked")]
    assert "0 words changed, 0 uninvited" in run.console["victim"]
