"""Native functions with an address: called by libunicorn and by Python, or by each other without a copy.

Numba gives whoever calls a function a copy of it, and of all that it calls. What is called from many places
and is not in a hurry is `outlined`: it is compiled once, and its callers are linked with it by name.

Numba too keeps what it has compiled. But before it loads a function it gets ready to compile the next, and it
loads what that one may be linked with, which took a third of a start. So here the object code alone is kept,
and LLVM loads it. Numba compiles what is not there or not fresh.
"""

import ctypes
import hashlib
import inspect
import os
import re
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
from numba import cfunc, from_dtype, types
from numba.core.registry import cpu_target
from numba.core.runtime import _nrt_python
from numba.core.typing.ctypes_utils import to_ctypes
from numba.extending import models, register_model

from mksim.nativecache import Locator

_DIGEST = 16
_NATIVE = {
    bool: types.boolean,
    int: types.int64,
    None: types.void,
    np.int64: types.int64,
    np.uint64: types.uint64,
}
"""What an annotation means to Numba."""
_SYMBOL = re.compile(rb"mksim\.[a-z0-9_.]+")


@cache
def _target() -> str:
    """Return what object code depends on besides the source."""
    target = cpu_target.target_context.codegen().magic_tuple()
    return repr((target, numba.__version__, llvmlite.__version__))


@cache
def _loader() -> Any:
    """Return an engine of LLVM's that has no code yet; what it is given stays for the life of the process."""
    _target()  # makes LLVM know most of Numba's own functions, which object code refers to
    for name, address in _nrt_python.c_helpers.items():
        llvm.add_symbol(f"NRT_{name}", address)
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine()
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def _digest(*parts: bytes) -> bytes:
    state = hashlib.blake2b(digest_size=_DIGEST)
    for part in parts:
        state.update(part)
    return state.digest()


class Entry:
    """A native function with an address. From Python it is called with plain numbers."""

    def __init__(self, function: Any, signature: Any) -> None:
        self.__name__ = function.__name__
        self._function, self._signature = function, signature
        self._locator = Locator(function, Path(function.__code__.co_filename))

    @cached_property
    def address(self) -> int:
        """Where the function is: loaded, or compiled and kept, when it is asked for first."""
        if (kept := self._kept()) is None:
            kept = self.compile()
        symbol, code = kept
        for name in set(_SYMBOL.findall(code)):
            link(name.decode())
        loader = _loader()
        loader.add_object_file(llvm.ObjectFileRef.from_data(code))
        loader.finalize_object()
        return int(loader.get_function_address(symbol))

    def __call__(self, *arguments: int) -> Any:
        return self._callable(*arguments)

    @cached_property
    def _callable(self) -> Callable[..., Any]:
        """The function for Python; the interpreter waits for it, as for any of its own."""
        returned, taken = self._signature.return_type, self._signature.args
        return ctypes.PYFUNCTYPE(to_ctypes(returned), *map(to_ctypes, taken))(self.address)

    @property
    def _file(self) -> Path:
        return Path(self._locator.get_cache_path()) / f"{self.__name__}.o"

    def _stamp(self, code: bytes) -> bytes:
        return _digest(self._locator.get_source_stamp().encode(), _target().encode(), code)

    def _kept(self) -> tuple[str, bytes] | None:
        """Return the name of the function's symbol and the object code; None where that is not fresh."""
        try:
            stamp, symbol, code = self._file.read_bytes().split(b"\n", 2)
        except (OSError, ValueError):
            return None
        fresh = stamp == self._stamp(symbol + code).hex().encode()
        return (symbol.decode(), code) if fresh else None

    @property
    def fresh(self) -> bool:
        """Whether the code is there, compiled from the source as it is."""
        return self._kept() is not None

    def compile(self) -> tuple[str, bytes]:
        """Compile the function and keep its code; return the name of its symbol, and the code.

        What Numba has linked never runs. So where a callee has no address yet, any does: Numba may bring a
        call of it along in code that it has kept, and LLVM ends the process at a symbol that it misses.
        """
        for symbol in ENTRIES.keys() - _LINKED:
            llvm.add_symbol(symbol, NOWHERE)
        compiled = cfunc(self._signature, error_model="numpy")(self._function)
        symbol, code = compiled.native_name, compiled._library.serialize_using_object_code()[2][0]
        content = b"\n".join([self._stamp(symbol.encode() + code).hex().encode(), symbol.encode(), code])
        self._locator.ensure_cache_path()
        draft = self._file.with_suffix(f".{os.getpid()}")  # another process may be at it too
        draft.write_bytes(content)
        draft.replace(self._file)
        return symbol, code


NOWHERE = 1
"""The address of what is not to be called."""
ENTRIES: dict[str, Entry] = {}
"""All of them, by module and name."""
_LINKED: set[str] = set()


def link(symbol: str, address: int | None = None) -> None:
    """Tell LLVM where an outlined function is, so that its callers can be compiled or loaded."""
    if symbol not in _LINKED:
        llvm.add_symbol(symbol, ENTRIES[symbol].address if address is None else address)
        _LINKED.add(symbol)


def _symbol(function: Any) -> str:
    return f"{function.__module__}.{function.__name__}"


def entry(signature: Any) -> Callable[[Callable[..., Any]], Entry]:
    """Make a function native for callers outside; `signature` is Numba's, as of `types.void(types.int64)`."""

    def enter(function: Callable[..., Any]) -> Entry:
        return ENTRIES.setdefault(_symbol(function), Entry(function, signature))

    return enter


class Outlined(types.ExternalFunction):
    """A native function that others call by its symbol. Without its `Entry`: Numba pickles this."""

    def get_call_type(self, context: Any, arguments: Any, keywords: Any) -> Any:
        """Numba is at a call of it."""
        link(self.symbol)
        return super().get_call_type(context, arguments, keywords)


register_model(Outlined)(models.OpaqueModel)


def _types(function: Callable[..., Any], records: tuple[np.dtype, ...]) -> Iterator[Any]:
    """Yield Numba's types of what a function takes; its records' layouts are given, in their order."""
    layouts = iter(records)
    for parameter in inspect.signature(function).parameters.values():
        record = parameter.annotation is np.void
        yield from_dtype(next(layouts)) if record else _NATIVE[parameter.annotation]


def outlined(*records: np.dtype) -> Callable[[Any], Any]:
    """Make a function native that its native callers share: the layouts of the records that it takes.

    Everything else is as annotated.
    """

    def outline(function: Any) -> Any:
        returned = _NATIVE[inspect.signature(function).return_annotation]
        taken = tuple(_types(function, records))
        ENTRIES[_symbol(function)] = Entry(function, returned(*taken))
        seen = types.uint8 if returned is types.boolean else returned  # Numba takes no bit from outside
        return Outlined(_symbol(function), seen(*taken))

    return outline
