"""The tiny kernels of kernels/tests: each states one claim about the machine, and checks it from inside."""

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.guest.booting import boot_claim

CLAIMS = {
    # kernel         cores  last line it prints
    "absent":        (1, "what CPUID denies is not there"),
    "access":        (1, "76800 walks end as they should"),
    "alignment":     (1, "ring 3 is kept aligned"),
    "apicbase":      (1, "the local APIC moves and changes its mode by the rules"),
    "canonical":     (1, "no address is no address"),
    "debug":         (1, "debug exceptions where asked"),
    "debug_smp":     (2, "each core breaks where it asked to"),
    "debug_traps":   (1, "traps come where they should"),
    "descriptors":   (1, "descriptors are looked at"),
    "double_fault":  (1, "nested faults end where the manual says"),
    "exceptions":    (1, "x87 switched off: vector 7, error 0x0"),
    "extint":        (1, "ticks by the 8259's vector, then by LINT0's"),
    "gates":         (1, "gates refuse with the gate's number"),
    "hpet":          (1, "2 ticks instead of the 8254's, one level interrupt"),
    "init":          (2, "INIT takes a core from anywhere"),
    "ioapic":        (2, "ticks went to core 0 5 times, then to core 1 5 times"),
    "ipi":           (4, None),
    "ist":           (1, "interrupt stacks switch where asked"),
    "lines":         (1, None),
    "ivt":           (2, "real mode takes interrupts by its table"),
    "msr":           (1, "MSRs: the known ones work, the unknown ones fault"),
    "mwait":         (2, "the parked core woke"),
    "nmi":           (2, "two NMIs, one after the other"),
    "nmi_pair":      (2, "20000 pairs of NMIs"),
    "paging":        (1, "walks set what they should"),
    "pit":           (1, None),
    "pci":           (1, "PCI: 81b36 at 00:00.0, and nobody else"),
    "poke":          (2, "1000 instructions modified under way"),
    "priority":      (1, "interrupts in order of priority"),
    "privilege":     (1, "ring 3 does what it may"),
    "protection":    (1, "ring 0 has its bounds"),
    "realmode":      (2, None),
    "reserved":      (1, "control registers take what they have"),
    "resume":        (1, "faults resume, traps do not"),
    "ring3":         (1, "ring 3 calls in and is kept out"),
    "rtc":           (1, None),
    "shadow":        (1, "one instruction in the shadow"),
    "steps":         (1, "steps and breakpoints keep their order"),
    "sse_faults":    (1, "SSE faults where it should"),
    "selfmodify":    (1, "2000 versions of one function"),
    "sse":           (2, "two cores, two register files"),
    "syscall":       (1, "system calls, step by step"),
    "swapgs":        (1, "swapgs swaps"),
    "timer":         (1, None),
    "topology":      (4, "4 cores know who they are"),
    "tsc":           (2, None),
    "xsave":         (1, "extended state is saved, restored and checked"),
    "undefined":     (1, "117 encodings are undefined"),
    "x2apic":        (2, "x2APIC: two cores talk by MSR"),
}  # fmt: skip


NOT_YET = {
    "limits": "QEMU does not look at limits and types of segments",
}
"""What the machine does not do as the manual says."""


MEMORY = {"access": "8M"}
BARE = {"tasks": "tasks switch\n", "limits": "segments end where they should\n"}
"""32-bit kernels, and what they say. Some need a page in the low 1 MiB, for virtual 8086 mode."""


def claim(name: str) -> ParameterSet:
    reason = NOT_YET.get(name)
    return pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=reason) if reason else ())


@pytest.mark.parametrize("name", [claim(name) for name in CLAIMS])
def test_claim(name: str, tmp_path: Path) -> None:
    cores, line = CLAIMS[name]
    run = boot_claim(name, tmp_path, cores=cores, memory=MEMORY.get(name, "4M"))
    assert run.code == 0, run.console["claim"]
    assert line is None or run.console["claim"].splitlines()[-1] == line


def test_the_pm_timer_turns_over_within_three_seconds(tmp_path: Path) -> None:
    run = boot_claim("sci", tmp_path, until="3s")
    assert run.code == 0
    assert run.console["claim"] == "the timer turned over, one SCI\n"


def test_the_firmwares_devices_answer(tmp_path: Path) -> None:
    cmdline, until = f"ram={4 << 20} quiet", "4s"  # half a turn of the PM timer takes 2.3 s
    run = boot_claim("firmware", tmp_path, cores=2, cmdline=cmdline, until=until)
    assert run.code == 0, run.console["claim"]
    assert run.console["claim"] == "the firmware's devices answer\n"


def test_a_device_on_pci(tmp_path: Path) -> None:
    run = boot_claim("edu", tmp_path, device='kind = "edu"')
    assert run.code == 0, run.console["claim"]
    assert run.console["claim"] == "the device computes, interrupts and moves memory\n"


@pytest.mark.parametrize("rate", ["100M", "1G", "1700M"])
def test_cpuid_tells_the_frequencies(rate: str, tmp_path: Path) -> None:
    run = boot_claim("frequency", tmp_path, machine=f'rate = "{rate}"')
    assert run.code == 0, run.console["claim"]
    hz = {"M": 10**6, "G": 10**9}[rate[-1]] * int(rate[:-1])
    assert run.console["claim"] == f"TSC and APIC timer run at {hz} Hz\n"


@pytest.mark.xfail(strict=True, reason="QEMU does not look at all of an opcode")
def test_encodings_that_qemu_is_loose_with(tmp_path: Path) -> None:
    assert boot_claim("undefined", tmp_path, cmdline="loose").code == 0


def test_a_device_behind_an_iommu(tmp_path: Path) -> None:
    tables = '[iommu]\nowner = "claim"'
    run = boot_claim("vtd", tmp_path, device='kind = "edu"', tables=tables)
    assert run.code == 0, run.console["claim"]
    assert run.console["claim"] == "the device reaches what it is let, 5 faults told of\n"
    told = [(fault["device"], fault["kind"], fault["where"], fault["reason"]) for fault in run.faults]
    assert told == [
        ("0000:00:01.0", "read", "0x7000", "page not readable"),
        ("0000:00:01.0", "write", "0x5000", "page not writable"),
        ("0000:00:01.0", "read", "0x5000", "context entry not present"),
        ("0000:00:01.0", "interrupt", "0x4", "interrupt of another source"),
        ("0000:00:01.0", "interrupt", "0x0", "compatibility format blocked"),
    ]


def test_ipi_by_cluster(tmp_path: Path) -> None:
    assert boot_claim("ipi", tmp_path, cores=4, cmdline="cluster").code == 0


def test_multiboot(tmp_path: Path) -> None:
    run = boot_claim("multiboot", tmp_path, cmdline="get ready", memory="0x100000-0x4fffff")
    assert run.code == 0
    assert run.console["claim"] == "multiboot kernel: all there\n"


@pytest.mark.parametrize("name", [claim(name) for name in BARE])
def test_32_bit_kernels(name: str, tmp_path: Path) -> None:
    run = boot_claim(name, tmp_path, memory="0x40000-0x42fff\", \"0x100000-0x4fffff")
    assert (run.code, run.console["claim"]) == (0, BARE[name])


@pytest.mark.parametrize(
    ("cmdline", "expect"),
    [
        ("exit=0", "exit 0"),
        ("exit=77", "exit 77"),
        ("fault", "exit 78"),  # 64 + vector 14
        ("halt", "halt"),
        ("off", "power off"),
        ("reset", "reset"),
        ("fast", "reset"),
        ("keyboard", "reset"),
        ("output", "reset"),
    ],
)
def test_endings(cmdline: str, expect: str, tmp_path: Path) -> None:
    assert boot_claim("endings", tmp_path, cmdline=cmdline, expect=expect).code == 0
    assert boot_claim("endings", tmp_path, cmdline=cmdline, expect="exit 5").code == 1


def test_triple_fault(tmp_path: Path) -> None:
    run = boot_claim("triple_fault", tmp_path, expect="triple fault")
    assert run.code == 0
    assert run.console["claim"] == "and now without an IDT\n"
