import os
import subprocess
import sys
from pathlib import Path

import pytest

from mksim.cli import main, order, parser
from mksim.errors import ConfigError
from mksim.machine.config import Protection
from tests import images
from tests.boot.test_symbols import FUNC, GLOBAL, with_symbols

TABLE = 'image = "ping.elf"\nmemory = "2M"\n'
CONFIG = f"[kernel.ping]\n{TABLE}[kernel.pong]\n{TABLE}"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "ping.elf").write_bytes(images.movable())
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def run(capsys, *arguments) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


def test_check_draws_a_config_that_is_right(capsys, config):
    code, out, err = run(capsys, "check", config)
    assert (code, err) == (0, "")
    assert out.startswith("machine")
    assert "kernel   ping" in out
    assert "0x00200000-0x00200fff" in out


def test_check_tells_what_is_wrong_and_exits_with_2(capsys, config):
    config.write_text(CONFIG + 'memroy = "2M"\n[[window]]\n')
    code, out, err = run(capsys, "check", config)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"{config}: kernel.pong.memroy: is no key here (did you mean memory?)",
        f"{config}: window[0].name: is missing: what kernels know it by",
        f'{config}: window[0].memory: is missing: a size to place ("64K"), or a range',
        f'{config}: window[0].rights: is missing: some of "rwx" by kernel; "*" is every other',
    ]


@pytest.mark.parametrize("path", ["absent.toml", ".", "/dev/null"])
def test_a_config_that_is_no_file_exits_with_2(capsys, config, path):
    code, _, err = run(capsys, "check", config.parent / path)
    assert code == 2
    assert "cannot be read" in err


def test_disasm_shows_a_function_of_an_image(capsys, tmp_path):
    image = tmp_path / "a.elf"
    image.write_bytes(with_symbols([("stop", FUNC | GLOBAL, 1, 0x1000001, 1)]))
    code, out, _ = run(capsys, "disasm", image, "--symbol", "stop")
    assert (code, out.split()) == (0, ["stop:", "1000001", "f4", "hlt"])
    code, _, err = run(capsys, "disasm", image, "--symbol", "sotp")
    assert (code, err) == (2, f"{image}: has no symbol sotp (did you mean stop?)\n")


def test_disasm_starts_at_the_entry_of_a_configs_kernel(capsys, config):
    code, out, _ = run(capsys, "disasm", config, "--kernel", "pong", "--count", "1")
    assert (code, out.split()) == (0, ["1000000", "fa", "cli"])
    code, _, err = run(capsys, "disasm", config, "--kernel", "pogn")
    assert (code, err) == (2, f"{config}: has no kernel pogn (did you mean pong?)\n")


def test_disasm_of_what_is_no_image_exits_with_2(capsys, config):
    code, _, err = run(capsys, "disasm", config.parent / "absent.elf")
    assert (code, "No such file" in err) == (2, True)


def ordered(*arguments):
    return order(parser().parse_args(["boot", *map(str, arguments)]))


def test_boot_takes_the_configs_word_unless_told_otherwise(config):
    layout, options = ordered(config)
    assert (layout.seed, layout.protection, layout.until) == (1, Protection.GUARD, None)
    assert (options.instructions, options.consoles) == (None, {})
    assert (options.summary, options.quiet) == (None, False)


def test_boot_options_change_layout_and_run(config):
    files = ("--console", "ping=a.log", "--console", "pong=b=c.log", "--summary", "s.json")
    layout, options = ordered(config, "--seed", "7", "--until", "10ms", "--trust", "--quiet", *files)
    assert (layout.seed, layout.protection, layout.until) == (7, Protection.TRUST, 10**7)
    assert options.consoles == {"ping": Path("a.log"), "pong": Path("b=c.log")}
    assert (options.summary, options.quiet) == (Path("s.json"), True)


def test_a_trace_is_what_its_file_is_called(config, capsys):
    _, options = ordered(config, "--trace", "a.jsonl", "--trace-only", "message,run", "--trace-most", "5000")
    assert (options.trace, options.trace_only) == (Path("a.jsonl"), {"message", "run"})
    assert options.trace_most == 5000
    for wrong in (["--trace", "a.txt"], ["--trace-only", "messages"], ["--trace-most", "0"]):
        with pytest.raises(SystemExit, match="2"):
            ordered(config, *wrong)
    assert "is 'messages', not one of run, interrupt, message, crossing" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "instructions"), [("5Minsn", 5 * 10**6), ("1234", 1234), ("1.5k", 1500)])
def test_a_limit_may_count_instructions(config, text, instructions):
    layout, options = ordered(config, "--until", text)
    assert (layout.until, options.instructions) == (None, instructions)


def test_a_console_of_no_kernel_is_wrong(config):
    with pytest.raises(ConfigError, match="--console names pign, which is no kernel"):
        ordered(config, "--console", "pign=x")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bott"],
        ["boot"],
        ["boot", "c.toml", "--until", "5x"],
        ["boot", "c.toml", "--seed", "-1"],
        ["boot", "c.toml", "--console", "ping"],
        ["boot", "c.toml", "--trust", "--guard"],
        ["disasm", "a.elf", "--start", "0x1" + "0" * 16],
        ["disasm", "a.elf", "--bits", "8"],
    ],
)
def test_a_wrong_command_line_exits_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: mksim" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["boot", "check", "disasm", "bench"])
def test_help_gives_examples_and_exit_codes(capsys, command):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0
    assert f"mksim {command}" in out.split("examples:")[1]
    assert "exit codes:" in out


def test_check_needs_neither_the_engine_nor_a_compiler(config):
    script = (
        "import sys; from mksim.cli import main; main(sys.argv[1:]);"
        "sys.exit(','.join({'numba', 'unicorn', 'capstone', 'elftools'} & set(sys.modules)) or 0)"
    )
    command = [sys.executable, "-c", script, "check", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_who_leaves_early_is_no_error(config):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "mksim", "check", str(config)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_rom_is_told(tmp_path, monkeypatch, capsys):
    from mksim.machine import build

    rom = tmp_path / "rom.bin"
    monkeypatch.setattr(build.read_rom, "__defaults__", (rom,))
    code, _, error = run(capsys, "boot", "kernels/hello/config.toml")
    assert code == 2
    assert error == f"{rom}: No such file or directory; the firmware is built by: make firmware\n"
