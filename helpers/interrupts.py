"""A cell that is interrupted can be run again: no import is left half done, nor anything that JAX was compiling.

Three things would not survive an interruption (KeyboardInterrupt). Python keeps the inner modules of a package whose
import was cut, and without the package they cannot be imported again: nltk, for one. JAX remembers a function that was
cut while it was lowered as a failed entry of its caches, and compiles it afresh at every later call, without a word:
what took seconds takes many minutes. And IPython's kernel never sends its answer if it is interrupted in the moment
after a cell, so that the cell seems to run for ever. Here an import in a cell goes on to its end before the cell is
interrupted; after an interruption JAX forgets what it has compiled; and once a cell is over, an interruption means
nothing any more.
"""

import signal
import sys
import threading
from types import FrameType

AGAIN = 0.02  # seconds after which we look once more whether the import is over
IMPORTING = "<frozen importlib._bootstrap>"  # what Python calls the file of its own import system


def watch() -> None:
    """Let the cells of a notebook be interrupted and run again; nothing outside a notebook.

    >>> watch()
    """
    from IPython import get_ipython

    if hasattr(shell := get_ipython(), "get_parent"):
        shell.events.register("pre_run_cell", _listen)
        shell.events.register("post_run_cell", _after)
        _listen()  # the cell that imports us runs already


def recover() -> None:
    """Let JAX forget what it has compiled, half or whole: to be called by whoever catches a KeyboardInterrupt.

    What is needed again is compiled again. Nothing happens where JAX was never imported.

    >>> recover()
    """
    if jax := sys.modules.get("jax"):
        jax.clear_caches()


_waiting: threading.Timer | None = None


def _listen(_cell=None) -> None:
    """IPython's kernel sets Python's own handler before each cell; another one is there for a reason, and stays."""
    _replace(signal.default_int_handler, _interrupt)


def _replace(old, new) -> None:
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is old:
        signal.signal(signal.SIGINT, new)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _waiting
    if not _imports(frame):
        signal.default_int_handler(number, frame)
    _waiting = threading.Timer(AGAIN, _ask_again)
    _waiting.daemon = True
    _waiting.start()


def _imports(frame: FrameType | None) -> bool:
    while frame and frame.f_code.co_filename != IMPORTING:
        frame = frame.f_back
    return frame is not None


def _ask_again() -> None:
    if hasattr(signal, "pthread_kill"):  # it wakes the main thread even where that sleeps
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)


def _after(result) -> None:
    _replace(_interrupt, signal.SIG_IGN)
    if _waiting:
        _waiting.cancel()
    if isinstance(result.error_in_exec, KeyboardInterrupt):
        recover()
