"""Running a learner's attempt so that nothing it does can hang, flood or break the notebook.

The attempt runs in a thread of its own while the main thread watches the clock and the memory. A thread
cannot be killed, so it is told to stop: an exception is put into it (CPython's PyThreadState_SetAsyncExc).
As a bare `except:` would swallow that, its arrival makes the next line raise another one; an attempt that
swallows them all is put to sleep for good. What no thread can stop is a single call that never hands control
back, such as sum(itertools.count()).
"""

import builtins
import ctypes
import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from helpers import interrupts

MEMORY = 500_000_000  # bytes by which an attempt may make the process grow
PRINTED = 1_000_000  # characters that an attempt may print
KEPT = 2_000  # characters of them that are kept to be shown
STACK = 64 * 2**20  # bytes, so that a deep recursion ends in RecursionError on every system
PATIENCE = 1.0  # seconds that a stopped attempt is given to end

_put_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
_put_exception.argtypes = [ctypes.c_ulong, ctypes.py_object]
_put_exception.restype = ctypes.c_int
NOTHING = ctypes.py_object()  # a null pointer: takes back what has not arrived yet


class Stop(BaseException):
    """Raised inside an attempt that must end: its next line raises another one, and the last one never returns."""

    def __init__(self):
        frame, run = sys._getframe(1), threading.current_thread()
        if not isinstance(run, Run):  # a thread that the attempt started
            return
        while frame and frame.f_code not in Run.OWN:
            frame.f_trace = _stop_line
            frame = frame.f_back
            sys.settrace(_stop_line)
        if run.last_resort and sys.gettrace():
            _sleep_for_good()


def _stop_line(frame, event, argument):
    if frame.f_code not in Run.OWN:
        raise Stop


def _sleep_for_good() -> None:
    lock = threading.Lock()
    while lock.acquire():
        pass


ASLEEP = _sleep_for_good.__code__


class Printed(io.TextIOBase):
    """Takes what an attempt prints until it is stopped, keeps the beginning and counts the rest."""

    def __init__(self, run: "Run"):
        self.kept, self.lines, self.characters, self.run = "", 0, 0, run

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.run.stopped == "printed":
            raise Stop
        if self.run.stopped:  # what is printed from now on comes from being stopped
            return len(text)
        self.kept += text[: max(0, KEPT - len(self.kept))]
        self.lines += text.count("\n")
        self.characters += len(text)
        if self.characters > PRINTED:
            self.run.note("printed")
            raise Stop
        return len(text)


class Run(threading.Thread):
    """One run of `function` under watch: afterwards `stopped` says why it was ended early, if it was.

    `stopped` is None, "time", "memory", "printed", "input" or "interrupted"; `goes_on` is True for a run
    that could not be stopped; `error` is the kind of exception that left `function`, if one did.

    >>> run = Run(lambda: print("hello")).watch(seconds=3)
    >>> run.stopped, run.printed.kept
    (None, 'hello\\n')
    """

    OWN: frozenset = frozenset()  # the code of this class that runs in the attempt's thread

    def __init__(self, function: Callable[[], None]):
        super().__init__(daemon=True)
        self.function, self.stopped, self.error = function, None, None
        self.closed, self.lock, self.ended = False, threading.Lock(), threading.Event()
        self.last_resort = self.was_told = False
        self.printed = Printed(self)

    @property
    def asleep(self) -> bool:
        """Whether the thread stands in its last sleep: looked at, for a Stop on its way wakes even a sleeper."""
        frame = sys._current_frames().get(self.ident)
        return bool(frame) and frame.f_code is ASLEEP

    @property
    def goes_on(self) -> bool:
        """Seen among the threads' frames: is_alive() denies a running one whose join was interrupted (CPython 3.11)."""
        return not self.ended.is_set() and self.ident in sys._current_frames() and not self.asleep

    def note(self, reason: str) -> None:
        self.stopped = self.stopped or reason

    def run(self) -> None:
        try:
            try:
                if not self.stopped:  # interrupted before it began
                    self.function()
            except BaseException as error:  # whatever it is, it must not leave the thread
                sys.settrace(None)
                self.error = type(error)  # the exception itself would keep all that the attempt made
            self.close()
        except BaseException:  # one more Stop may arrive while the thread is leaving
            self.close()

    def close(self) -> None:
        sys.settrace(None)
        with self.lock:
            self.closed = True
        if self.was_told:
            _put_exception(self.ident, NOTHING)
        self.ended.set()

    def put_stop(self) -> None:
        with self.lock:
            if not self.closed:
                self.was_told = True
                _put_exception(self.ident, Stop)

    def take_stop_back(self) -> None:
        with self.lock:
            if not self.closed:
                _put_exception(self.ident, NOTHING)

    def refuse_input(self, prompt: object = "") -> str:
        self.note("input")
        raise Stop

    def watch(self, seconds: float) -> "Run":
        """Start the run, stop it when it lasts longer than `seconds` or takes too much, and return it."""
        with _captured(self), _memory_ceiling():
            memory = psutil.Process().memory_info
            enough, deadline = memory().rss + MEMORY, time.monotonic() + seconds
            try:
                _start_with_stack(self)
                while self.goes_on and not self.stopped:
                    self.ended.wait(0.01)
                    if time.monotonic() > deadline:
                        self.note("time")
                    elif memory().rss > enough:
                        self.note("memory")
            except KeyboardInterrupt:
                self.note("interrupted")
            self.end()
        if self.was_told:
            _look_no_more()
            interrupts.recover()  # told to stop, an attempt is cut as by an interruption
        return self

    def end(self) -> None:
        started = time.monotonic()
        while self.goes_on and time.monotonic() < started + PATIENCE:
            with suppress(KeyboardInterrupt):  # somebody may press the button twice
                self.last_resort = time.monotonic() > started + PATIENCE / 2
                self.put_stop()
                self.ended.wait(0.01)
                if self.asleep:
                    self.take_stop_back()  # or it would wake the sleeper


Run.OWN = frozenset(function.__code__ for function in (Run.run, Run.close))


def _look_no_more() -> None:
    """Let Python notice that an exception which was taken back is gone, by one that arrives in this very thread.

    Otherwise it looks for it at every call, for ever; and CPython 3.11, where something traces the code, such as a
    debugger, looks without end and hangs.
    """
    interrupted = False
    while True:
        try:
            _put_exception(threading.get_ident(), Stop)
            while True:
                pass
        except Stop:
            break
        except KeyboardInterrupt:  # it is handed on once nothing else is on its way
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt


def _start_with_stack(thread: threading.Thread) -> None:
    before = threading.stack_size(STACK)
    try:
        thread.start()
    finally:
        threading.stack_size(before)


@contextmanager
def _captured(run: Run) -> Iterator[None]:
    """Give what the attempt prints to `run`, let it read nothing, and put everything back afterwards."""
    before = sys.stdout, sys.stderr, sys.stdin, builtins.input, sys.unraisablehook, sys.getrecursionlimit()
    try:
        sys.stdout = sys.stderr = run.printed
        sys.stdin, builtins.input = io.StringIO(), run.refuse_input
        sys.unraisablehook = sys.__unraisablehook__  # one written in Python would run, and be cut, in the attempt
        yield
    finally:
        sys.stdout, sys.stderr, sys.stdin, builtins.input, sys.unraisablehook, limit = before
        sys.setrecursionlimit(limit)


@contextmanager
def _memory_ceiling() -> Iterator[None]:
    """Where the system can, refuse memory beyond half of what is free: one huge request is then a MemoryError."""
    try:
        import resource
    except ImportError:  # Windows
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = psutil.Process().memory_info().vms + max(psutil.virtual_memory().available // 2, 2 * MEMORY)
    known = [limit for limit in before if limit != resource.RLIM_INFINITY]
    try:
        with suppress(ValueError, OSError):  # some systems refuse
            resource.setrlimit(resource.RLIMIT_AS, (min([ceiling, *known]), before[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
