"""Commands of the prompt that look, and change nothing. Every one yields lines to print."""

from collections.abc import Iterator

from mksim.debug import showing, windows
from mksim.debug.stand import Stand, Unclear
from mksim.machine import units

_SHOWN, _DUMPED = 8, 64
"""Instructions, and bytes, that are shown unless more are asked for."""
_AROUND = 5
"""Source lines above and below."""


class Views:
    """What can be seen from where a conversation stands."""

    def __init__(self, stand: Stand) -> None:
        self._stand, self._debugger = stand, stand.debugger

    def monitor(self, words: list[str]) -> list[str]:
        """Return what gdb's `monitor` says to this."""
        return self._stand.monitor.command(" ".join(words), self._stand.core).splitlines()

    def cores(self, _arguments: list[str]) -> Iterator[str]:
        """Tell where each core is."""
        stand = self._stand
        for core in stand.cores:
            named = stand.places.named(stand.runs(core), self._debugger.registers(core).rip)
            yield f"{'*' if core == stand.core else ' '} {stand.inferiors.about(core):32} {named}"

    def core(self, arguments: list[str]) -> Iterator[str]:
        """Go to another core."""
        self._stand.core = self._stand.core_named(arguments[0])
        yield self._stand.inferiors.about(self._stand.core)
        yield from self._stand.where(self._stand.core)

    def registers(self, arguments: list[str]) -> Iterator[str]:
        """Show registers."""
        now = showing.registers(self._debugger, self._stand.core)
        if strange := [name for name in arguments if name not in now]:
            raise Unclear(f"no register {strange[0]}")
        shown = {name: now[name] for name in arguments} if arguments else now
        return showing.register_lines(shown, self._stand.before.get(self._stand.core, now))

    def code(self, arguments: list[str]) -> Iterator[str]:
        """Show instructions."""
        address = self._stand.address(arguments[0]) if arguments else self._stand.rip
        count = int(arguments[1], 0) if len(arguments) > 1 else _SHOWN
        return showing.code_lines(self._debugger, self._stand.places, self._stand.core, address, count)

    def source(self, arguments: list[str]) -> Iterator[str]:
        """Show source lines."""
        address = self._stand.address(arguments[0]) if arguments else self._stand.rip
        source = self._stand.places.source(self._stand.kernel, address)
        yield str(source or "no source line is known here")
        yield from showing.source_lines(source, _AROUND)

    def lapic(self, arguments: list[str]) -> Iterator[str]:
        """Show a local APIC."""
        core = self._stand.core_named(arguments[0]) if arguments else self._stand.core
        return showing.apic_lines(
            self._stand.machine.board.cores[core]["lapic"], self._debugger.time_of(core)
        )

    def walk(self, arguments: list[str]) -> list[str]:
        """Show the way through the page tables."""
        return self.monitor(["walk", *(f"{self._stand.address(word):#x}" for word in arguments)])

    def memory(self, arguments: list[str]) -> Iterator[str]:
        """Show memory."""
        address = self._stand.address(arguments[0])
        size = int(arguments[1], 0) if len(arguments) > 1 else _DUMPED
        data = self._debugger.read(self._stand.core, address, size)
        yield from showing.memory_lines(data, address)
        if len(data) < size:
            yield f"{address + len(data):16x}  no memory"

    def window(self, arguments: list[str]) -> list[str]:
        """Show what is in a shared window, or which there are."""
        shared = {window.name: window for window in self._stand.machine.layout.windows}
        if not arguments:
            return [
                f"{name:12} {window.span}  "
                + ", ".join(f"{who} {units.letters_of(rights)}" for who, rights in window.rights.items())
                for name, window in shared.items()
            ]
        if arguments[0] not in shared:
            raise Unclear(f"no window {arguments[0]}: there are {', '.join(shared) or 'none'}")
        if arguments[1:] and arguments[1] not in windows.DECODERS:
            raise Unclear(f"no layout {arguments[1]}: there are {', '.join(windows.DECODERS)}")
        kind, span = arguments[-1], shared[arguments[0]].span
        memory = self._stand.machine.board.memory[span.base : span.end]
        told = windows.decode(kind, memory) if kind in windows.DECODERS else None
        return list(showing.memory_lines(memory[:_DUMPED].tobytes(), span.base)) if told is None else told
