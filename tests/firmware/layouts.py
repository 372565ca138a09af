"""Small machines for the firmware to divide, spelled out and drawn at random."""

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from mksim.boot.image import Image, Protocol, Segment
from mksim.fabric.ownership import Rights, Signal
from mksim.machine.config import Doorbell, Kernel, Layout, Module, Uart, Window
from mksim.machine.wiring import Wire, WireEnd
from mksim.spec.memmap import HIGH_DRAM, IRQ_COM, PAGE, PORT_COM, PORT_MULTIPORT
from mksim.spec.span import Span

MIB = 1 << 20
DRAM = 16 * MIB
PATH = Path("machine.toml")
NAMES = ("a", "beta", "gamma-3", "d" * 31, "ε")
READ_WRITE = Rights.R | Rights.W
NMI_SIPI = Signal.NMI | Signal.SIPI
HALT = b"\xf4\xeb\xfd"


def image(protocol: Protocol, base: int) -> Image:
    code = Segment(span=Span(base, PAGE), virtual=base, data=memoryview(HALT), rights=Rights.ALL)
    if protocol is not Protocol.LINUX:
        return Image(protocol=protocol, entry=base, segments=(code,), raw=memoryview(HALT))
    at = base + PAGE
    parameters = Segment(span=Span(at, PAGE), virtual=at, data=memoryview(b""), rights=Rights.ALL)
    return Image(
        protocol=protocol, entry=base, segments=(code, parameters), parameters=at, raw=memoryview(HALT)
    )


def kernel(index: int, memory: tuple[Span, ...], cores: tuple[int, ...], **more: Any) -> Kernel:
    protocol = more.pop("protocol", Protocol.PVH)
    name = more.pop("name", NAMES[index])
    return Kernel(
        id=index,
        name=name,
        path=PATH,
        image=image(protocol, memory[0].base),
        cores=cores,
        memory=memory,
        **more,
    )


def uart(index: int) -> Uart:
    if index < len(PORT_COM):
        return Uart(index=index, base=PORT_COM[index], irq=IRQ_COM[index])
    return Uart(index=index, base=PORT_MULTIPORT + 8 * (index - 4), irq=None)


def two_kernels() -> Layout:
    """One kernel with all there is, and one with next to nothing."""
    rich = kernel(
        0,
        (Span(2 * MIB, 4 * MIB), Span(8 * MIB, MIB)),
        (1, 0),
        cmdline="root=/dev/null quiet",
        low_page=Span(0x1000, PAGE),
        console=uart(0),
        serial=(uart(1), uart(11)),
        legacy=True,
        vga=True,
        ioapic=0,
        modules=(Module(path=PATH, cmdline="initrd a b", span=Span(3 * MIB, 0x1234), data=b""),),
    )
    poor = kernel(1, (Span(7 * MIB, MIB),), (2,), protocol=Protocol.MULTIBOOT, serial=(uart(2),))
    return Layout(
        path=PATH,
        memory=DRAM,
        apic_ids=(0, 4, 6, 9),
        kernels=(rich, poor),
        windows=(Window(name="ring", span=Span(10 * MIB, MIB), rights={"beta": Rights.R, "a": READ_WRITE}),),
        doorbells=(
            Doorbell(sender="a", receiver="beta", vectors=range(0x40, 0x50), signals=NMI_SIPI),
            Doorbell(sender="beta", receiver="a", vectors=range(0x41, 0x42)),
        ),
        wires=(Wire((WireEnd("a", 1), WireEnd("beta", 2))),),
    )


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Draw a machine with one to five kernels; memory is dealt out by the MiB."""
    count = draw(st.integers(1, len(NAMES)))
    apic_ids = draw(st.lists(st.integers(0, 300), min_size=count, max_size=count + 6, unique=True))
    cores = draw(st.permutations(range(len(apic_ids))))
    units = draw(st.permutations(range(HIGH_DRAM // MIB, DRAM // MIB)))
    kernels = tuple(_drawn_kernel(draw, i, cores[i::count], units[i::8]) for i in range(count))
    names = [kernel.name for kernel in kernels]
    windows = tuple(_drawn_window(draw, names, units[5 + i]) for i in range(draw(st.integers(0, 2))))
    doorbells = tuple(_drawn_doorbell(draw, names) for _ in range(draw(st.integers(0, 6))))
    return Layout(
        path=PATH,
        memory=DRAM,
        apic_ids=tuple(apic_ids),
        kernels=kernels,
        windows=windows,
        doorbells=doorbells,
        rate=draw(st.sampled_from([10**6, 10**9, 3 * 10**9])),
    )


def _drawn_kernel(draw: st.DrawFn, index: int, cores: list[int], units: list[int]) -> Kernel:
    texts = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=20)
    memory = tuple(Span(unit * MIB, MIB) for unit in units)
    span = Span(memory[0].base, 5)
    protocol = draw(st.sampled_from(Protocol))
    apart = [None] + [Span(span.base + 4 * PAGE, 4 * PAGE)] * (protocol is Protocol.MULTIBOOT)
    module = texts.map(lambda text: Module(path=PATH, cmdline=text, span=span, data=b""))
    return kernel(
        index,
        memory,
        tuple(cores[: draw(st.integers(1, len(cores)))]),
        protocol=protocol,
        cmdline=draw(texts),
        low_parameters=draw(st.sampled_from(apart)),
        low_page=draw(st.sampled_from([None, Span(PAGE * (index + 1), PAGE)])),
        console=draw(st.sampled_from([None, uart(index)])),
        serial=tuple(uart(10 + 3 * index + more) for more in range(draw(st.integers(0, 2)))),
        legacy=index == 0 and draw(st.booleans()),
        ioapic=0 if index == 0 and draw(st.booleans()) else None,
        modules=tuple(draw(st.lists(module, max_size=3))),
    )


def _drawn_window(draw: st.DrawFn, names: list[str], unit: int) -> Window:
    rights = draw(st.dictionaries(st.sampled_from(names), st.sampled_from([*Rights, READ_WRITE])))
    return Window(name=f"window{unit}", span=Span(unit * MIB, PAGE), rights=rights)


def _drawn_doorbell(draw: st.DrawFn, names: list[str]) -> Doorbell:
    first, last = sorted(draw(st.tuples(st.integers(0, 255), st.integers(0, 255))))
    return Doorbell(
        sender=draw(st.sampled_from(names)),
        receiver=draw(st.sampled_from(names)),
        vectors=draw(st.sampled_from([range(0), range(first, last + 1)])),
        signals=draw(st.sampled_from([*Signal, Signal.ALL])),
    )
