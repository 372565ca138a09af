"""Machines of tiny guests, spelt out in bytes: one kernel per piece of 32-bit code."""

from pathlib import Path

from mksim.boot.image import Image, Protocol, Segment
from mksim.fabric.ownership import Rights
from mksim.machine.config import Ending, Expect, Kernel, Layout
from mksim.machine.machine import Machine
from mksim.spec.span import Span

PAGE = 0x1000
SPAN = 0x20000
FIRST = 0x100000
APIC = 0xFEE00000


def base(number: int) -> int:
    return FIRST + SPAN * number


def kernel(number: int, code: bytes, **more) -> Kernel:
    segment = Segment(
        span=Span(base(number), PAGE), virtual=base(number), data=memoryview(code), rights=Rights.ALL
    )
    image = Image(protocol=Protocol.PVH, entry=base(number), segments=(segment,), raw=memoryview(code))
    keys = {
        "cores": (number,),
        "memory": (Span(base(number), SPAN),),
        "expect": Expect(ending=Ending.ANY),
    } | more
    return Kernel(id=number, name=f"k{number}", path=Path("guest"), image=image, **keys)


def layout(*codes: bytes, **more) -> Layout:
    kernels = tuple(kernel(number, code) for number, code in enumerate(codes))
    keys = {"kernels": kernels, "apic_ids": tuple(range(len(codes))), "memory": 4 << 20} | more
    return Layout(path=Path("guest"), **keys)


def machine(*codes: bytes, **more) -> Machine:
    return Machine(layout(*codes, **more))


def store32(address: int, value: int) -> bytes:
    """mov dword [address], value"""
    return b"\xc7\x05" + address.to_bytes(4, "little") + value.to_bytes(4, "little")


def leave(code: int) -> bytes:
    """mov eax, code; out 0xf4, eax; cli; hlt"""
    return b"\xb8" + code.to_bytes(4, "little") + b"\xe7\xf4\xfa\xf4"


HALT = b"\xfa\xf4"
