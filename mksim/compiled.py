"""Python that is compiled: `@native` makes a function one that native code calls, and Python can call too.

Numba wraps every function for Python, which costs as much as to compile it. Here that is done when Python
first calls it, which only tests do: what runs a machine is native all the way (`mksim.engine.entry`).
"""

from collections.abc import Callable
from functools import cached_property
from types import FunctionType
from typing import Any, cast

from numba import njit


class Native:
    """A compiled function."""

    def __init__(self, function: Any, inline: bool) -> None:
        self.py_func = function
        self.__name__, self.__doc__ = function.__name__, function.__doc__
        self._inner = njit(
            function,
            cache=True,
            error_model="numpy",
            forceinline=inline,
            no_cpython_wrapper=True,
            no_cfunc_wrapper=True,
        )
        self._numba_type_ = self._inner._numba_type_

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._wrapped(*arguments, **keywords)

    @cached_property
    def _wrapped(self) -> Callable[..., Any]:
        """The function for Python, under another name: Numba keeps code by name."""
        inner, name = self.py_func, f"{self.__name__}_for_python"
        code = inner.__code__.replace(co_name=name)
        function = FunctionType(code, inner.__globals__, name, inner.__defaults__)
        function.__module__, function.__qualname__ = inner.__module__, name
        return cast(Callable[..., Any], njit(function, cache=True, error_model="numpy"))


def native(function: Callable[..., Any] | None = None, *, inline: bool = False) -> Any:
    """Make a function native; `inline`: into whoever calls it, whatever LLVM thinks."""
    if function is None:
        return lambda decorated: Native(decorated, inline)
    return Native(function, inline)
