"""One kernel by its path, without a config: `mksim boot --kernel`, as a script of somebody else's runs it."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests import images
from tests.conftest import needs
from tests.guest.booting import BUILT

TESTS = BUILT / "tests"
BASE = 0x1000000


def boot(image: Path, *options: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "mksim", "boot", "--kernel", str(image), *options]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, timeout=600, check=False)


def test_standard_output_is_the_console_and_nothing_else():
    run = boot(BUILT / "hello/hello.elf")
    assert run.stdout == b"hello from kernel: 1 core(s), local APIC 0, loaded at 0x200000\n"
    assert run.returncode == 1
    assert b"\nkernel   kernel: exit 0\n" in run.stderr


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"one \0\r\xff two")
    return path


def told(folder: Path) -> bytes:
    """Return what the stranger says of a board with 64M."""
    return (
        b"mksim: stranger.bin exit=7\nmemory 0x280 0xfbc0\n"
        b"range 0x0 0xa0000 0x1\nrange 0x100000 0x3ef0000 0x1\nrange 0x3ff0000 0x10000 0x3\n"
        + f'module "{folder / "data"}" '.encode()
        + b"one \0\r\xff two\n"
        + f'module "{folder / "data"} x=1 y" '.encode()
        + b"one \0\r\xff two\nACPI\nno newline at the end"
    )


def test_a_strangers_kernel_finds_what_multiboot_owes_it(module, tmp_path):
    options = ("--cmdline", "exit=7", "--memory", "64M", "--quiet")
    run = boot(TESTS / "stranger.bin", *options, "--initrd", str(module), "--module", f"{module} x=1 y")
    assert run.stdout == told(tmp_path)
    assert (run.returncode, run.stderr) == (7 << 1 | 1, b"")


@needs("qemu-system-x86_64")
def test_qemu_has_the_same_to_say_to_it(module, tmp_path):
    command = ["qemu-system-x86_64", "-kernel", str(TESTS / "stranger.bin"), "-append", "exit=7", "-m", "64"]
    command += ["-initrd", f"{module},{module} x=1 y", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    command += ["-display", "none", "-serial", "stdio"]
    run = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert run.returncode == 7 << 1 | 1
    ours = [line for line in told(tmp_path).split(b"\n") if line[:6] not in (b"memory", b"range ", b"mksim:")]
    assert ours == run.stdout.split(b"\n")[-len(ours) :]


SUITES = {
    # kernel, cores      what it says, also on QEMU
    ("board.elf", 1):    b"the board is as suites expect it\n",
    ("board.elf", 4):    b"the board is as suites expect it\n",
    ("real16.elf", 1):   b"real mode runs 16-bit code\n",
}  # fmt: skip
"""Kernels as suites for bare metal are."""


@pytest.mark.parametrize(("kernel", "cores"), SUITES)
def test_kernels_like_those_of_suites(kernel, cores):
    run = boot(TESTS / kernel, "--cores", str(cores), "--memory", "128M", "--until", "1s", "--quiet")
    assert (run.stdout, run.returncode) == (SUITES[kernel, cores], 1)


@needs("qemu-system-x86_64")
@pytest.mark.parametrize(("kernel", "cores"), SUITES)
def test_kernels_like_those_of_suites_on_qemu(kernel, cores):
    command = ["qemu-system-x86_64", "-kernel", str(TESTS / kernel), "-smp", str(cores), "-display", "none"]
    command += ["-serial", "stdio", "-device", "pc-testdev", "-device", "isa-debug-exit,iobase=0xf4"]
    run = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert (run.stdout, run.returncode) == (SUITES[kernel, cores], 1)


ENDINGS = {
    # kernel, command line                       exit code
    ("endings.elf", "exit=77"):                  (77 << 1 | 1),
    ("endings.elf", "exit=128"):                 1,  # as a process's exit code has 8 bits
    ("endings.elf", "off"):                      0,
    ("endings.elf", "reset"):                    6,
    ("triple_fault.elf", ""):                    8,
    ("endings.elf", "halt"):                     12,
}  # fmt: skip


@pytest.mark.parametrize(("kernel", "cmdline"), ENDINGS)
def test_exit_code(kernel, cmdline):
    assert boot(TESTS / kernel, "--cmdline", cmdline, "--quiet").returncode == ENDINGS[kernel, cmdline]


def test_a_limit_has_its_own_exit_code():
    assert boot(TESTS / "endings.elf", "--cmdline", "exit=3", "--until", "5us", "--quiet").returncode == 4


def pvh(path: Path, code: bytes) -> Path:
    path.write_bytes(images.elf([images.load(BASE, code), images.note(18, struct.pack("<I", BASE))]))
    return path


STORE_TO_ROM = b"\xa3\x00\x00\xff\xff\xfa\xf4"  # mov [0xffff0000], eax; cli; hlt


@pytest.mark.parametrize(("options", "code"), [([], 12), (["--trust"], 12), (["--guard"], 10)])
def test_the_rom_is_no_memory(tmp_path, options, code):
    assert boot(pvh(tmp_path / "rom.elf", STORE_TO_ROM), "--quiet", *options).returncode == code


def test_all_cores_are_the_kernels():
    run = boot(TESTS / "topology.elf", "--cores", "4")
    assert (run.stdout.splitlines()[-1], run.returncode) == (b"4 cores know who they are", 1)


def test_console_and_summary_go_to_files_as_with_a_config(tmp_path):
    log, summary = tmp_path / "log", tmp_path / "summary.json"
    run = boot(TESTS / "endings.elf", "--console", f"kernel={log}", "--summary", str(summary), "--quiet")
    assert (run.stdout, run.stderr, log.exists()) == (b"", b"", True)
    assert json.loads(summary.read_text())["kernels"]["kernel"]["reason"] == "exit"


def test_the_same_run_twice_wherever_the_image_lies(tmp_path):
    there = tmp_path / "stranger.bin"
    there.write_bytes((TESTS / "stranger.bin").read_bytes())
    one, other = boot(TESTS / "stranger.bin"), boot(there)
    assert b"digest" in one.stderr
    assert (one.stdout, one.stderr) == (other.stdout, other.stderr)


def test_output_that_cannot_be_written_has_a_code_that_no_kernel_has():
    reader, writer = os.pipe()
    os.close(reader)
    run = boot(BUILT / "hello/hello.elf", "--quiet", stdout=writer)
    os.close(writer)
    assert (run.returncode, run.stderr) == (74, b"standard output: Broken pipe\n")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--kernel", "absent.elf"], b"absent.elf: --kernel: absent.elf: No such file or directory"),
        (["--kernel", "README.md", "--initrd", "absent"], b"--initrd, --module: absent: No such file"),
        (["--kernel", "README.md"], b"README.md: --kernel: README.md: no format that mksim boots"),
        (["--kernel", "x", "--memory", "1K"], b"argument --memory: is"),
        (["--kernel", "x", "--cores", "0"], b"argument --cores: is"),
        (["kernels/hello/config.toml", "--cores", "2"], b"--cores: is for --kernel alone"),
        (["kernels/hello/config.toml", "--kernel", "x"], b"not allowed with argument"),
        ([], b"one of the arguments CONFIG.toml --kernel is required"),
    ],
)
def test_a_wrong_command_line_is_told_before_anything_runs(options, text):
    command = [sys.executable, "-m", "mksim", "boot", *options]
    run = subprocess.run(command, capture_output=True, check=False, cwd=BUILT.parents[1])
    assert (run.returncode, run.stdout) == (2, b"")
    assert text in run.stderr


def test_a_disk_is_plugged_in_and_its_file_stays(tmp_path):
    file = tmp_path / "disk.img"
    file.write_bytes(b"the first sector".ljust(64 * 512, b"\0"))
    before = file.read_bytes()
    run = boot(TESTS / "disk.elf", "--cmdline", "sectors=64", "--disk", str(file))
    assert run.returncode == 1, run.stdout
    assert file.read_bytes() == before


def test_a_disk_that_is_not_there_is_an_error(tmp_path):
    run = boot(TESTS / "disk.elf", "--disk", str(tmp_path / "none"))
    assert run.returncode == 2
    assert b"--disk: " in run.stderr
