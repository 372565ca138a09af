from pathlib import Path

from tests.guest.booting import boot_scenario


def test_the_dead_comes_back_and_nobody_else_noticed(tmp_path: Path) -> None:
    run = boot_scenario("panic", tmp_path)
    assert run.code == 0, run.console
    assert run.console["fragile"].splitlines() == [
        "life 1 begins at link 0 of 200",
        "link 100: no IDT from here on. Goodbye",
        "life 2 begins at link 100 of 200",
        "done, in life 2",
    ]
    for name in ("left", "right"):
        assert run.console[name].splitlines()[-1] == "now it is done as well, in life 2"
    assert run.exits == {"fragile": 0, "left": 0, "right": 0}
