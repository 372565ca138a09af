"""One Unicorn instance: the CPU of one kernel, whose cores take turns on it.

What the kernel owns or was granted is mapped directly, at no cost. Everything else in its physical address
space is a region with native callbacks. Here Unicorn is set up; once it runs, only native code touches it.
"""

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from unicorn import UC_ARCH_X86, UC_MODE_64, Uc, unicorn_const, x86_const
from unicorn.unicorn_py3.unicorn import uclib

from mksim.engine import (
    access,
    apicpage,
    blocks,
    breakpoints,
    control,
    cpuid,
    extended,
    gates,
    mmio,
    msr,
    ports,
    slowpath,
    softmmu,
    task,
    translation,
    traps,
)
from mksim.engine.cpustate import (
    CPU_ENV,
    CPU_OPAQUE,
    ENV_SIZE,
    FEATURES_ECX,
    FEATURES_XCR0,
    VMCB,
    check_layout,
    cpu_address,
    view,
)
from mksim.engine.linkage import interpose
from mksim.engine.records import FOREIGN, PLACE, PLACES, REGION
from mksim.errors import EngineError
from mksim.fabric.ownership import Rights
from mksim.spec.memmap import PAGE
from mksim.spec.span import Span

_RDRAND, _X87_SSE = 1 << 30, 3
_TRANSLATIONS = 32 << 20
"""Bytes of translated code that an engine may keep."""

_ADDRESS_LAST = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Region:
    """A span of an engine's physical addresses, and the kind and unit that REGION knows."""

    span: Span
    kind: int
    unit: int = 0


@cache
def _interpose() -> None:
    """Put our functions in the place of QEMU's, once in a process."""
    modules = (slowpath, softmmu, access, gates, apicpage, msr, control, task, breakpoints, extended)
    functions = [function for module in modules for function in module.FUNCTIONS]
    functions += [translation.tb_gen_code, traps.helper_hlt, traps.helper_pause]
    interpose({f"{function.__name__}_x86_64": function.address for function in functions})


class Engine:
    """A Unicorn instance, bound to its ENGINE record; `name` is for errors."""

    def __init__(self, record: np.ndarray, name: str) -> None:
        self.name = name
        self.record = record
        self._regions: list[np.ndarray] = []
        self._foreign: dict[int, np.ndarray] = {}
        self._called: list[Span] = []
        self._direct: list[tuple[Span, Rights]] = []
        self._held: list[np.ndarray] = []
        _interpose()
        self.uc = Uc(UC_ARCH_X86, UC_MODE_64)
        self.uc.ctl_set_cpu_model(x86_const.UC_CPU_X86_HASWELL)
        self.uc.ctl_set_tcg_buffer_size(_TRANSLATIONS)
        self.uc.ctl_exits_enabled(True)
        check_layout(self.uc)
        self._hide_features()
        self._give_back_memory()
        self.cpu = cpu_address(self.uc)
        self.env = view(self.cpu + CPU_ENV)
        record["uc"], record["cpu"], record["env"] = self.uc._uch.value, self.cpu, self.cpu + CPU_ENV
        record["core"] = -1
        self._opaque = ctypes.c_uint64.from_address(self.cpu + CPU_OPAQUE)
        self._opaque.value = record.ctypes.data
        self._hook_all()
        self._places = np.zeros(PLACES, PLACE)
        record["rips"] = self._places.ctypes.data
        self._stubs = translation.Stubs()
        record["stubs"] = self._stubs.address

    def __del__(self) -> None:
        # Unicorn drops its translations when it closes: the record may be gone by then. Where both
        # are collected in one cycle it has closed already, and the memory of its CPU is not ours to write to.
        if hasattr(self, "_opaque") and self.uc._Uc__finalizer.alive:
            self._opaque.value = 0

    def _hide_features(self) -> None:
        """Have TCG refuse RDRAND, which would be the host's, and state of AVX, which it does not have."""
        env = cpu_address(self.uc) + CPU_ENV
        ctypes.c_uint64.from_address(env + FEATURES_ECX).value &= ~_RDRAND
        ctypes.c_uint64.from_address(env + FEATURES_XCR0).value = _X87_SSE

    def _give_back_memory(self) -> None:
        """Map a page for a moment: until memory was given back, Unicorn counts its RAM addresses wrongly.

        They overlap then (find_ram_offset_last), and by them translations are found, and made void.
        """
        self.uc.mem_map(VMCB, PAGE)
        self.uc.mem_unmap(VMCB, PAGE)

    def pristine(self) -> np.ndarray:
        """Return the ENV of an engine that has not run: QEMU's own reset state."""
        raw = ctypes.string_at(self.cpu + CPU_ENV, ENV_SIZE)
        return np.frombuffer(bytearray(raw), self.env.dtype)

    def plug_memory(self, memory: np.ndarray, rights: np.ndarray, direct: np.ndarray) -> None:
        """Tell native code where DRAM is, what of it the kernel may use, and what of that directly."""
        code_pages = np.zeros(len(rights), np.uint8)
        self._held += [memory, rights, direct, code_pages]
        self.record["memory"], self.record["memory_size"] = memory.ctypes.data, len(memory)
        self.record["rights"], self.record["direct"] = rights.ctypes.data, direct.ctypes.data
        self.record["code_pages"] = code_pages.ctypes.data

    def map_memory(self, span: Span, memory: np.ndarray, rights: int) -> None:
        """Map bytes of `memory`, as many as `span` has, for direct access."""
        self.uc.mem_map_ptr(span.base, span.size, rights, memory.ctypes.data)
        self._held.append(memory)
        self._direct.append((span, Rights(rights)))

    def map_region(self, region: Region) -> None:
        """Send every access to a region to the native callbacks."""
        record = self._region_record(region)
        self._map_callbacks(record, region.span)
        self._hook_fetch(region, record)
        if region.kind == FOREIGN:
            self._foreign[region.span.base] = record
            self._called.append(region.span)

    def protect(self, region: Region) -> None:
        """Have stores and fetches that a direct mapping does not allow end in the native callback."""
        self._hook_fetch(region, self._region_record(region))

    def rights_at(self, page: int) -> Rights:
        """Return the rights that a page is directly mapped with; none where a region is."""
        for span, rights in self._direct:
            if page in span:
                return rights
        return Rights.NONE

    def open_page(self, page: int, rights: Rights, memory: np.ndarray) -> None:
        """Allow more of a page than its mapping does, until `close_page`.

        That splits mappings, and gives QEMU's RAM addresses to others. Translations go by those, so
        there must be none meanwhile.
        """
        self.flush()
        if self.rights_at(page) != Rights.NONE:
            self.uc.mem_protect(page, PAGE, rights)
        else:
            self._cut_out(page)
            self.uc.mem_map_ptr(page, PAGE, rights, memory[page:].ctypes.data)
        self._forget_walks()

    def close_page(self, page: int) -> None:
        """Restore a page's mapping; translations of its code go with it."""
        self.flush()
        if (rights := self.rights_at(page)) != Rights.NONE:
            self.uc.mem_protect(page, PAGE, rights)
        else:
            self.uc.mem_unmap(page, PAGE)
            self._call_back(Span(page, PAGE))
        self._forget_walks()

    def _cut_out(self, page: int) -> None:
        """Unmap a page of others' from the span that it is in.

        Unicorn would cut the span itself, and count offsets from the cut on, by the record of the whole.
        """
        whole = next(span for span in self._called if page in span)
        self._called.remove(whole)
        self.uc.mem_unmap(whole.base, whole.size)
        for base, end in ((whole.base, page), (page + PAGE, whole.end)):
            if base < end:
                self._call_back(Span(base, end - base))

    def _call_back(self, span: Span) -> None:
        """Map others' memory; what starts at one address has one record, however often it is mapped."""
        if span.base not in self._foreign:
            self._foreign[span.base] = self._region_record(Region(span, FOREIGN))
        self._map_callbacks(self._foreign[span.base], span)
        self._called.append(span)

    def flush(self) -> None:
        """Drop translations and cached page walks, after memory was changed from outside."""
        self.drop_code()
        self._forget_walks()

    def _forget_walks(self) -> None:
        self.uc.ctl(unicorn_const.UC_CTL_TLB_FLUSH, unicorn_const.UC_CTL_IO_WRITE)

    def drop_code(self) -> None:
        """Drop translations alone."""
        self.uc.ctl_flush_tb()

    def _map_callbacks(self, record: np.ndarray, span: Span) -> None:
        where = ctypes.c_void_p(record.ctypes.data)
        error = uclib.uc_mmio_map(
            self.uc._uch, ctypes.c_uint64(span.base), ctypes.c_size_t(span.size),
            ctypes.c_void_p(mmio.on_mmio_read.address), where,
            ctypes.c_void_p(mmio.on_mmio_write.address), where,
        )  # fmt: skip
        self._check(error, f"mapping {span}")

    def _region_record(self, region: Region) -> np.ndarray:
        record = np.zeros(1, REGION)
        record["engine"] = self.record.ctypes.data
        record["base"], record["kind"], record["unit"] = region.span.base, region.kind, region.unit
        self._regions.append(record)
        return record

    def _hook_all(self) -> None:
        address = self.record.ctypes.data
        self._hook(unicorn_const.UC_HOOK_BLOCK, blocks.on_block, address)
        self._hook(unicorn_const.UC_HOOK_INTR, traps.on_interrupt, address)
        self._hook(unicorn_const.UC_HOOK_INSN_INVALID, traps.on_invalid, address)
        for instruction, callback in (
            (x86_const.UC_X86_INS_IN, ports.on_in),
            (x86_const.UC_X86_INS_OUT, ports.on_out),
            (x86_const.UC_X86_INS_SYSCALL, traps.on_syscall),
            (x86_const.UC_X86_INS_CPUID, cpuid.on_cpuid),
            (x86_const.UC_X86_INS_RDTSC, traps.on_rdtsc),
            (x86_const.UC_X86_INS_RDTSCP, traps.on_rdtscp),
        ):
            self._hook(unicorn_const.UC_HOOK_INSN, callback, address, instruction=instruction)

    def _hook_fetch(self, region: Region, record: np.ndarray) -> None:
        kinds = unicorn_const.UC_HOOK_MEM_FETCH_PROT | unicorn_const.UC_HOOK_MEM_WRITE_PROT
        span = region.span
        self._hook(kinds, mmio.on_protection, record.ctypes.data, begin=span.base, end=span.end - 1)

    def _hook(
        self,
        kind: int,
        callback: Any,
        data: int,
        *,
        begin: int = 1,
        end: int = 0,
        instruction: int | None = None,
    ) -> None:
        handle = ctypes.c_size_t()
        extra = () if instruction is None else (ctypes.c_int(instruction),)
        error = uclib.uc_hook_add(
            self.uc._uch, ctypes.byref(handle), ctypes.c_int(kind), ctypes.c_void_p(callback.address),
            ctypes.c_void_p(data), ctypes.c_uint64(begin), ctypes.c_uint64(end), *extra,
        )  # fmt: skip
        self._check(error, f"hook {kind:#x}")

    def _check(self, error: int, what: str) -> None:
        if error:
            raise EngineError(f"engine of {self.name}: {what}: Unicorn error {error}")
