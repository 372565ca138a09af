"""gdb's remote protocol: what each packet asks for, and what it is answered. GDB manual, appendix E.

Nothing that a client sends can hurt: what is not known is answered by an empty packet, what makes no sense by
an error. Whether the machine runs is in `running`; who calls runs it and reports its stop by `stopped`.
"""

from collections.abc import Callable

from mksim.debug.control import PHYSICAL, READS, WRITES, Debugger, Stop, Watch, Why
from mksim.debug.fields import address_and_size, bytes_or_unknown, parse_hex, part_of, stop_point, unhex
from mksim.debug.files import Files
from mksim.debug.history import History
from mksim.debug.inferiors import Inferiors, ThreadId, parse_thread
from mksim.debug.monitor import Monitor
from mksim.debug.packets import PACKET_MAX, unescape
from mksim.debug.target import BASIC, REGISTERS, target_xml
from mksim.machine.config import Ending

OK, BAD, NO_SUCH, FAULT, UNKNOWN = b"OK", b"E16", b"E03", b"E0e", b""
"""Errors by the numbers of Linux: EINVAL, ESRCH, EFAULT."""

_FEATURES = (
    b"PacketSize=%x;QStartNoAckMode+;multiprocess+;swbreak+;hwbreak+;vContSupported+;"
    b"qXfer:features:read+;qXfer:threads:read+;qXfer:exec-file:read+" % PACKET_MAX
)
_TRAP, _INT = 5, 2
_DEATHS = {Ending.TRIPLE_FAULT: 11, Ending.MACHINE_CHECK: 10, Ending.RESET: 15}
"""SIGSEGV, SIGBUS, SIGTERM in gdb's numbers: how a kernel ends that did not choose to."""
_SOFTWARE, _HARDWARE = b"0", b"1"
_WATCHES = {b"2": WRITES, b"3": READS, b"4": READS | WRITES}
_WATCH_NAMES = {WRITES: b"watch", READS: b"rwatch", READS | WRITES: b"awatch"}


class Protocol:
    """One client's conversation about one machine, which stands still when it begins."""

    def __init__(self, debugger: Debugger, history: History) -> None:
        self._debugger, self._history = debugger, history
        self._inferiors = Inferiors(debugger.machine)
        self._monitor = Monitor(debugger, self._inferiors)
        self._files = Files(debugger.machine)
        self._core = debugger.core
        self._hardware: set[tuple[int, int]] = set()
        self._last = self._trap(debugger.core, _TRAP)
        self._detached: set[int] = set()
        self._stepping = self.running = False
        self.acknowledges = True
        """Whether each packet is answered by a `+` first."""
        self.killed = False
        """Whether the client wants the machine to end."""

    @property
    def detached(self) -> bool:
        """Whether the client has let go of all kernels: the machine runs on by itself."""
        return self._detached >= set(self._inferiors.pids())

    def answer(self, data: bytes) -> bytes | None:
        """Return the answer to a packet; None if there is none before the machine stops."""
        try:
            for name, command in self._COMMANDS:
                if data.startswith(name):
                    return command(self, data[len(name) :])
        except ValueError:
            return BAD
        return UNKNOWN

    # --- who ---

    def _select(self, data: bytes) -> bytes:
        thread = parse_thread(data[1:])
        core = None if thread is None else self._inferiors.core(thread, self._core)
        if core is None:
            return NO_SUCH
        self._core = core
        return OK

    def _is_alive(self, data: bytes) -> bytes:
        thread = parse_thread(data)
        known = thread is not None and self._inferiors.core(thread, self._core) is not None
        return OK if known else NO_SUCH

    def _alive(self) -> list[int]:
        cores = range(len(self._debugger.machine.layout.apic_ids))
        return [core for core in cores if self._inferiors.kernel(core) not in self._debugger.told]

    def _threads(self, _data: bytes) -> bytes:
        return b"m" + b",".join(map(self._inferiors.name, self._alive())) if self._alive() else b"l"

    def _about(self, data: bytes) -> bytes:
        thread = parse_thread(data)
        core = None if thread is None else self._inferiors.core(thread, self._core)
        return NO_SUCH if core is None else self._inferiors.about(core).encode().hex().encode()

    # --- going on, and stopping ---

    def _resume(self, data: bytes) -> bytes | None:
        """VCont: the whole machine goes on, whichever threads are named; at most one of them steps."""
        for action in data.split(b";"):
            what, _, whom = action.partition(b":")
            core = self._inferiors.core(parse_thread(whom) or ThreadId(None, None), self._core)
            if what[:1] in (b"s", b"S", b"r"):
                if core is None:
                    return NO_SUCH
                self._step(core, what)
                return None
            if what[:1] not in (b"c", b"C"):
                return BAD
        self._go()
        return None

    def _step(self, core: int, what: bytes) -> None:
        start, _, end = what[1:].partition(b",") if what[:1] == b"r" else (b"0", b"", b"0")
        self._debugger.step(core, (parse_hex(start), parse_hex(end)))
        self._run(stepping=True)

    def _go(self) -> None:
        self._debugger.free()
        self._run(stepping=False)

    def _run(self, *, stepping: bool) -> None:
        self._stepping, self.running = stepping, True
        self._monitor.begin(stepping=stepping)

    def _continue_simply(self, data: bytes) -> bytes | None:
        if data:
            return BAD  # from another address: nobody asks for that
        self._go()
        return None

    def _step_simply(self, data: bytes) -> bytes | None:
        if data:
            return BAD
        self._step(self._core, b"s")
        return None

    def _step_back(self, _data: bytes) -> bytes:
        return self._gone_back(self._history.step(self._core)) if self._history.points else UNKNOWN

    def _go_back(self, _data: bytes) -> bytes:
        return self._gone_back(self._history.go_on(self._core)) if self._history.points else UNKNOWN

    def _gone_back(self, stop: Stop) -> bytes:
        self._debugger.core = self._core = stop.core
        self._last = self._trap(stop.core, _TRAP, self._reason(stop))
        return self._last

    def remark(self, stop: Stop) -> str:
        """Return what to tell people about a stop, besides."""
        if stop.why is Why.CAUGHT:
            return self._monitor.caught()
        if stop.why is Why.CHANGED:
            return "\n".join([*stop.changes, ""])
        if stop.why is Why.DMA or (stop.why is Why.WATCHPOINT and stop.flags & PHYSICAL):
            return self._monitor.accessed(stop)
        return f"mksim: {self._debugger.outcome.value}\n" if stop.why is Why.OVER else ""

    def stopped(self, stop: Stop) -> bytes | None:
        """Return what to send now that the machine has stopped; None if it must go on for a command."""
        if self._monitor.goes_on(stop, stepping=self._stepping):
            return None
        self.running = False
        if stop.why is Why.ENDED:
            self._last = self._death(stop.kernel)
        else:
            self._core = stop.core
            signal = _INT if stop.why is Why.INTERRUPTED else _TRAP
            self._last = self._trap(stop.core, signal, self._reason(stop))
        return self._last

    def _trap(self, core: int, signal: int, reason: bytes = b"") -> bytes:
        return b"T%02xthread:%s;%s" % (signal, self._inferiors.name(core), reason)

    def _reason(self, stop: Stop) -> bytes:
        if stop.why is Why.WATCHPOINT:
            return self._watch_reason(stop)
        if stop.why is not Why.BREAKPOINT:
            return b"replaylog:begin;" if stop.why is Why.BEGIN else b""
        where = self._inferiors.kernel(stop.core), self._debugger.registers(stop.core).rip
        return b"hwbreak:;" if where in self._hardware else b"swbreak:;"

    def _watch_reason(self, stop: Stop) -> bytes:
        watch = self._debugger.watch_at(self._inferiors.kernel(stop.core), stop.address)
        if watch is None or stop.flags & PHYSICAL:
            return b""
        return b"%s:%x;" % (_WATCH_NAMES[watch.flags], watch.address)

    def _death(self, kernel: int) -> bytes:
        life = self._debugger.machine.lives[kernel]
        self._detached.add(kernel + 1)
        if life.ending in _DEATHS:
            return b"X%02x;process:%x" % (_DEATHS[life.ending], kernel + 1)
        return b"W%02x;process:%x" % ((life.exit_code or 0) & 0xFF, kernel + 1)

    def _why(self, _data: bytes) -> bytes:
        return self._last

    # --- registers and memory ---

    def _read_all(self, _data: bytes) -> bytes:
        registers = self._debugger.registers(self._core)
        return b"".join(bytes_or_unknown(registers.read(register), register.size) for register in BASIC)

    def _write_all(self, data: bytes) -> bytes:
        registers = self._debugger.registers(self._core)
        for register in BASIC:
            value, data = data[: 2 * register.size], data[2 * register.size :]
            if value and b"x" not in value and unhex(value) != registers.read(register):
                registers.write(register, unhex(value).ljust(register.size, b"\0"))
        self._debugger.moved(self._core)
        return OK

    def _read_one(self, data: bytes) -> bytes:
        number = parse_hex(data)
        if number >= len(REGISTERS):
            return BAD
        register = REGISTERS[number]
        return bytes_or_unknown(self._debugger.registers(self._core).read(register), register.size)

    def _write_one(self, data: bytes) -> bytes:
        number, _, value = data.partition(b"=")
        if parse_hex(number) >= len(REGISTERS):
            return BAD
        register = REGISTERS[parse_hex(number)]
        if len(value) != 2 * register.size:
            return BAD
        done = self._debugger.registers(self._core).write(register, unhex(value))
        self._debugger.moved(self._core)
        return OK if done else BAD

    def _read_memory(self, data: bytes) -> bytes:
        address, size = address_and_size(data)
        found = self._debugger.read(self._core, address, min(size, PACKET_MAX // 2))
        return found.hex().encode() if found or size == 0 else FAULT

    def _write_hex(self, data: bytes) -> bytes:
        where, _, content = data.partition(b":")
        return self._write_memory(where, unhex(content))

    def _write_binary(self, data: bytes) -> bytes:
        where, _, content = data.partition(b":")
        return self._write_memory(where, unescape(content))

    def _write_memory(self, where: bytes, content: bytes) -> bytes:
        address, size = address_and_size(where)
        if size != len(content):
            return BAD
        return OK if self._debugger.write(self._core, address, content) else FAULT

    # --- breakpoints ---

    def _insert(self, data: bytes) -> bytes:
        kind, address, size = stop_point(data)
        kernel = self._inferiors.kernel(self._core)
        if kind in (_SOFTWARE, _HARDWARE):
            if kind == _HARDWARE:
                self._hardware.add((kernel, address))
            return OK if self._debugger.set_break(kernel, address) else BAD
        watch = Watch(address, size, _WATCHES[kind]) if kind in _WATCHES and size else None
        if watch is None:
            return UNKNOWN
        return OK if self._debugger.set_watch(kernel, watch) else BAD

    def _remove(self, data: bytes) -> bytes:
        kind, address, size = stop_point(data)
        kernel = self._inferiors.kernel(self._core)
        if kind in (_SOFTWARE, _HARDWARE):
            self._hardware.discard((kernel, address))
            self._debugger.clear_break(kernel, address)
        elif kind in _WATCHES:
            self._debugger.clear_watch(kernel, Watch(address, size, _WATCHES[kind]))
        else:
            return UNKNOWN
        return OK

    # --- coming and going ---

    def _supported(self, _data: bytes) -> bytes:
        return _FEATURES + (b";ReverseStep+;ReverseContinue+" if self._history.possible else b"")

    def _no_ack(self, _data: bytes) -> bytes:
        self.acknowledges = False
        return OK

    def _attached(self, _data: bytes) -> bytes:
        return b"1"

    def _current(self, _data: bytes) -> bytes:
        return b"QC" + self._inferiors.name(self._core)

    def _attach(self, data: bytes) -> bytes:
        cores = [core for core in self._inferiors.cores(parse_hex(data)) if core in self._alive()]
        if not cores:
            return NO_SUCH
        self._detached.discard(parse_hex(data))
        self._core = cores[0]
        return self._trap(cores[0], _TRAP)

    def _detach(self, data: bytes) -> bytes:
        pids = [parse_hex(data[1:])] if data.startswith(b";") else self._inferiors.pids()
        for pid in pids:
            self._debugger.clear_all(pid - 1)
        self._detached.update(pids)
        return OK

    def _kill(self, _data: bytes) -> bytes:
        self.killed = True
        return OK

    def _kill_all(self, _data: bytes) -> bytes:
        self.killed = True
        return b"X09"  # gdb does not wait for it, lldb does

    # --- what else gdb asks for ---

    def _transfer(self, data: bytes) -> bytes:
        thing, rest = data.split(b":read:", 1) if b":read:" in data else (data, b"")
        annex, _, span = rest.rpartition(b":")
        if thing == b"features" and annex == b"target.xml":
            return part_of(target_xml(), span)
        if thing == b"threads":
            return part_of(self._threads_xml(), span)
        if thing == b"exec-file":
            return self._exec_file(annex, span)
        return b"E00"

    def _exec_file(self, annex: bytes, span: bytes) -> bytes:
        kernel = parse_hex(annex) - 1 if annex else self._inferiors.kernel(self._core)
        name = self._files.symbols_of(kernel)
        return b"E00" if name is None else part_of(name.encode(), span)

    def _threads_xml(self) -> bytes:
        name, about = self._inferiors.name, self._inferiors.about
        rows = [
            f'<thread id="{name(core).decode()}" core="{core}">{about(core)}</thread>'
            for core in self._alive()
        ]
        return "".join(["<threads>", *rows, "</threads>"]).encode()

    def _command(self, data: bytes) -> bytes:
        text = self._monitor.command(unhex(data).decode(errors="replace"), self._core)
        return text.encode().hex().encode() or OK

    def _file(self, data: bytes) -> bytes:
        return self._files.answer(data)

    def _nothing(self, _data: bytes) -> bytes:
        return OK

    def _last_threads(self, _data: bytes) -> bytes:
        return b"l"

    def _actions(self, _data: bytes) -> bytes:
        return b"vCont;c;C;s;S;r"

    _COMMANDS: tuple[tuple[bytes, Callable[["Protocol", bytes], bytes | None]], ...] = (
        (b"qSupported", _supported),
        (b"QStartNoAckMode", _no_ack),
        (b"qXfer:", _transfer),
        (b"qRcmd,", _command),
        (b"qfThreadInfo", _threads),
        (b"qsThreadInfo", _last_threads),
        (b"qThreadExtraInfo,", _about),
        (b"qAttached", _attached),
        (b"qSymbol", _nothing),
        (b"qC", _current),
        (b"vCont?", _actions),
        (b"vCont;", _resume),
        (b"vFile:", _file),
        (b"vAttach;", _attach),
        (b"vKill", _kill),
        (b"!", _nothing),
        (b"?", _why),
        (b"H", _select),
        (b"T", _is_alive),
        (b"g", _read_all),
        (b"G", _write_all),
        (b"p", _read_one),
        (b"P", _write_one),
        (b"m", _read_memory),
        (b"M", _write_hex),
        (b"X", _write_binary),
        (b"Z", _insert),
        (b"z", _remove),
        (b"bs", _step_back),
        (b"bc", _go_back),
        (b"c", _continue_simply),
        (b"s", _step_simply),
        (b"D", _detach),
        (b"k", _kill_all),
    )
