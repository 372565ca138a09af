"""`mksim.Machine`: run to a condition, look, disturb, put back."""

import json

import pytest

import mksim
from mksim.errors import ConfigError
from tests.guest.booting import ROOT, scenario_layout
from tests.machine.guests import HALT, layout, leave, store32

PINGPONG = ROOT / "kernels/pingpong/config.toml"
TABLES = {
    "machine": {"memory": "32M"},
    "kernel": {"alice": {"image": "build/kernels/hello/hello.elf", "cores": 1, "memory": "4M"}},
}


def pingpong(**more) -> mksim.Machine:
    return mksim.Machine(scenario_layout("pingpong"), **more)


def test_a_machine_comes_from_a_file_or_from_tables():
    machine = mksim.Machine(TABLES, folder=ROOT, seed=3)
    assert machine.run() is mksim.Stop.ENDED
    assert "hello from alice" in machine.console("alice")
    assert machine.life("alice").exit_code == 0
    assert mksim.Machine(str(PINGPONG)).layout == mksim.Machine(PINGPONG).layout
    with pytest.raises(ConfigError, match="cores"):
        mksim.Machine({"kernel": {"alice": {"cores": "many"}}})


def test_who_stops_at_conditions_and_looks_has_the_same_run():
    plain, looked_at = pingpong(), pingpong(events=100)
    plain.run()
    assert looked_at.run(lambda machine: machine.ledger.granted >= 500) is mksim.Stop.REACHED
    assert 500 <= looked_at.ledger.granted < 600
    assert looked_at.value("ping", "rung") in (0, 1)
    assert looked_at.registers(0)["rip"]
    looked_at.snapshot()
    assert looked_at.run() is mksim.Stop.ENDED
    assert looked_at.digest() == plain.digest()


def test_limits_are_of_the_clock_since_power_on_or_from_now():
    machine = pingpong()
    assert machine.run("50us") is mksim.Stop.LIMIT
    assert 50_000 <= machine.nanoseconds < 51_000
    assert machine.run(within="50us") is mksim.Stop.LIMIT
    assert 100_000 <= machine.nanoseconds < 101_000
    assert machine.run("100Kinsn") is mksim.Stop.LIMIT
    assert 100_000 <= machine.instructions < 110_000
    assert mksim.Machine(layout(HALT)).run("50us") is mksim.Stop.ENDED
    with pytest.raises(ValueError, match="not a time"):
        machine.run("soon")


def test_expected_texts_come_one_behind_the_other():
    machine = mksim.Machine(scenario_layout("showcase"))
    first = machine.expect(r"machine check", kernel="mallory", within="10ms")
    second = machine.expect(r"(machine) check", within="10ms")
    assert first.kernel == second.kernel == "mallory"
    assert first.nanoseconds < second.nanoseconds <= machine.nanoseconds
    assert second.match[1] == "machine"


def test_what_is_not_said_in_time_is_told_with_the_console():
    with pytest.raises(mksim.NotSeen, match=r"(?s)within 10us.*limit of time"):
        pingpong().expect("round trips", within="10us")
    with pytest.raises(mksim.NotSeen, match=r"(?s)pong does not show.*every kernel.*answered 1000"):
        pingpong().expect("round trips", kernel="pong")
    with pytest.raises(KeyError):
        pingpong().expect("round trips", kernel="pang")


def test_conditions_of_ends_and_violations():
    machine = mksim.Machine(scenario_layout("showcase"))
    assert machine.run(mksim.violated(2), within="10ms", grain=1) is mksim.Stop.REACHED
    assert machine.ledger.violations == 2
    assert machine.life("mallory").exit_code is None
    assert machine.run(mksim.ended("mallory")) is mksim.Stop.REACHED
    assert machine.life("mallory").exit_code == 0
    assert machine.run(mksim.said("nobody says this")) is mksim.Stop.ENDED


def test_a_dropped_message_leaves_both_asleep():
    machine = pingpong()
    machine.drop("ping", "pong", spared=10)
    assert machine.run() is mksim.Stop.ENDED
    assert machine.life("ping").reason == machine.life("pong").reason == "halt"
    assert machine.ledger.granted == 11 + 10


def test_a_doubled_message_arrives_twice():
    machine = pingpong()
    machine.run(lambda machine: machine.ledger.granted > 100)
    machine.double("pong", "ping")
    machine.expect(r"CHECK|rung == 0", kernel="ping", within="10ms")  # it is woken, and nothing is there
    assert machine.life("ping").exit_code != 0


def test_a_core_that_is_dead_stays_so():
    machine = pingpong()
    machine.run(lambda machine: machine.ledger.granted > 100)
    machine.kill(1)
    machine.interrupt(1, mode="INIT")
    machine.interrupt(1, 0x40)
    granted = machine.ledger.granted
    assert machine.run() is mksim.Stop.ENDED
    assert machine.ledger.granted <= granted + 1
    assert machine.life("ping").reason == "halt"


def test_an_interrupt_from_nobody_is_no_crossing():
    machine = mksim.Machine(layout(b"\xeb\xfe"))
    machine.run("1us")
    machine.interrupt(0, 2, "NMI")  # there is no IDT: a triple fault
    assert machine.run(within="1ms") is mksim.Stop.ENDED
    assert machine.life("k0").reason == "triple fault"
    assert machine.ledger.total == 0
    with pytest.raises(ValueError, match="cannot send"):
        machine.interrupt(0, 2, "loud")


def test_a_flipped_bit_is_memory_and_code():
    machine = mksim.Machine(layout(store32(0x110000, 1) + leave(1), HALT))
    code = 0x100000 + len(store32(0, 0)) + 1
    assert machine.memory[code] == 1
    machine.flip(code, 3)
    machine.run()
    assert machine.life("k0").exit_code == 9
    machine.flip(0x110000, 7)
    assert machine.read(0, 0x110000, 1) == b"\x81"
    with pytest.raises(IndexError):
        machine.flip(len(machine.memory), 0)


def test_memory_is_written_as_a_core_sees_it():
    machine = pingpong()
    machine.run("50us")
    machine.write(0, machine.symbol("ping", "rung"), (77).to_bytes(4, "little"))
    assert machine.value("ping", "rung") == 77
    with pytest.raises(ValueError, match="no memory"):
        machine.write(0, 0x7FFF_FFFF_F000, b"x")


def test_a_machine_is_put_back_with_its_consoles():
    machine = pingpong(events=1000)
    machine.run("100us")
    moment = machine.snapshot()
    events = machine.recent.events()
    machine.expect("round trips")
    after = machine.digest(), machine.consoles
    machine.restore(moment)
    assert machine.consoles["ping"] == ""
    assert (machine.recent.events() == events).all()
    machine.expect("round trips")
    assert (machine.digest(), machine.consoles) == after


def test_a_notebook_shows_kernels_crossings_and_memory():
    machine = mksim.Machine(scenario_layout("showcase"))
    machine.run()
    shown = machine._repr_html_()
    assert "<script" not in shown
    for text in ("mallory", "exit 0", "✕ 3", "page for SIPIs"):
        assert text in shown
    assert 'href="#' not in shown


def test_a_report_of_a_machine_that_was_put_back_is_of_one_run(tmp_path):
    straight, returned = pingpong(evidence=True), pingpong(evidence=True)
    straight.run()
    returned.run(lambda machine: machine.ledger.granted > 300)
    moment = returned.snapshot()
    returned.run()
    returned.restore(moment)
    returned.run()
    pages = []
    for machine in (straight, returned):
        machine.write_report(tmp_path / "run.html")
        pages.append((tmp_path / "run.html").read_text())
    assert pages[0] == pages[1]
    with pytest.raises(ValueError, match="evidence=True"):
        pingpong().write_report(tmp_path / "run.html")


def test_a_trace_is_of_what_happens_meanwhile(tmp_path):
    machine = pingpong()
    machine.run("100us")
    with machine.tracing(tmp_path / "run.jsonl", only=["message"]) as trace:
        machine.run(within="100us")
    times = [json.loads(line)["when_ns"] for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert trace.written == len(times) > 50
    assert 100_000 <= min(times) <= max(times) <= 200_000
