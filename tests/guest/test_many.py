from pathlib import Path

from kernels.many.generate import config
from tests.guest.booting import BUILT, ROOT, boot, boot_scenario


def test_64_kernels_in_a_circle(tmp_path: Path) -> None:
    run = boot_scenario("many", tmp_path)
    assert run.code == 0
    assert set(run.console.values()) == {"my token is home; it has seen all 64 kernels\n"}
    assert run.crossings == {(f"k{n:02}", "ipi", f"k{(n + 1) % 64:02}"): 64 for n in range(64)}
    assert run.violations == 0


def test_the_config_is_what_the_generator_writes() -> None:
    assert (ROOT / "kernels/many/config.toml").read_text() == config(64)


def test_other_circles(tmp_path: Path) -> None:
    file = tmp_path / "five.toml"
    file.write_text(config(5).replace("../../build/kernels", str(BUILT)))
    assert boot(file, tmp_path).code == 0
