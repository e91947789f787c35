"""Calls in child processes of their own: with their own settings, and no child outlives the call or its parent.

A child starts with the environment variables and the cores that it is given, before anything else is imported:
that is what JAX's settings need. It ends with the call, with its time limit, with an interruption (KeyboardInterrupt)
and, should the parent be killed, with the parent: Linux is asked for that (prctl(2), PR_SET_PDEATHSIG), and on every
system the parent holds the only other end of a pipe, whose closing ends the child.
"""

import ctypes
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread

from helpers.environment import Fault

START = "from helpers.processes import _child; _child()"
LOOPBACK = "127.0.0.1"  # this machine itself, reached without any network
SET_PARENT_DEATH_SIGNAL = 1


def call(
    function: Callable, *arguments, seconds: float = 60, environment: dict | None = None, cores: int | None = None
):
    """What function(*arguments) returns in a child process; see `together`.

    >>> import operator
    >>> call(operator.mul, 6, 7)
    42
    """
    return together([(function, *arguments)], seconds=seconds, environment=environment, cores=cores)[0]


def together(
    calls: Sequence[tuple], *, seconds: float = 60, environment: dict | None = None, cores: int | None = None
) -> list:
    """What each of the calls (function, *arguments) returns, all at the same time, each in a child process of its own.

    Functions, arguments and answers travel by cloudpickle, so a notebook's own functions will do. `environment`
    is added to the environment variables; `cores` is how many cores each child may use (where the system cannot
    hold it to them, as on macOS, it may use all).

    >>> import operator
    >>> together([(operator.add, 1, 2), (operator.mul, 6, 7)])
    [3, 42]

    Raises RuntimeError, with the child's own words, where a call raises; Fault where a child cannot be started, is
    killed, or has no answer after so many `seconds`. In every case all children have ended first.
    """
    with tempfile.TemporaryDirectory() as folder:
        children: list[subprocess.Popen] = []
        paths = [Path(folder, str(number)) for number in range(len(calls))]
        try:
            for path, (function, *arguments) in zip(paths, calls):
                children.append(_start(path, environment or {}, cores))
                _send(children[-1], (function, arguments))
            return _answers(children, paths, seconds)
        finally:
            for child in children:
                _end(child)


def loopback_address() -> str:
    """An address of this machine's own loopback, with a port that nobody uses at the moment: "127.0.0.1:40817".

    >>> loopback_address().split(":")[0]
    '127.0.0.1'

    Raises Fault where the system refuses one.
    """
    try:
        with socket.socket() as free:
            free.bind((LOOPBACK, 0))
            return f"{LOOPBACK}:{free.getsockname()[1]}"
    except OSError as error:
        raise Fault(
            f"This machine gives us no port of its own loopback ({error.strerror or error}).",
            "a firewall or a sandbox may forbid it; everything else in the lesson runs without.",
        ) from None


def speak_over_loopback() -> None:
    """Lets JAX's processes on this machine exchange arrays over its loopback, whatever the machine is called.

    To be called in each child before jax.distributed.initialize. Gloo, JAX's way of doing it between processors, would
    look up the machine's own name, which without a network may have no address; JAX 0.10 has no setting for that.
    """
    import jax
    from jax._src.lib import _jax

    make = _jax.make_gloo_tcp_collectives
    _jax.make_gloo_tcp_collectives = partial(make, hostname=LOOPBACK)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")


def _start(path: Path, environment: dict, cores: int | None) -> subprocess.Popen:
    """A child that waits for its call; all that it prints goes to a file."""
    command = [sys.executable, "-c", START, str(os.getpid()), str(cores or 0), str(path)]
    with path.with_suffix(".log").open("wb") as log:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
                start_new_session=True,  # the keys that interrupt the parent do not reach the child: we end it
            )
        except OSError as error:
            raise Fault(
                f"This machine refuses to start another process ({error.strerror or error}).",
                "close other programs, or restart the kernel; everything else in the lesson runs without.",
            ) from None


def _send(child: subprocess.Popen, task: tuple) -> None:
    import cloudpickle  # here: the children do without

    with suppress(BrokenPipeError):  # it has ended already: _answers will say so
        child.stdin.write(cloudpickle.dumps(task))
        child.stdin.flush()  # and stays open: its closing is what tells the child that we are gone


def _answers(children: list[subprocess.Popen], paths: list[Path], seconds: float) -> list:
    deadline = time.monotonic() + seconds
    answers: dict[int, object] = {}
    while len(answers) < len(children):
        for number, (child, path) in enumerate(zip(children, paths)):
            if number not in answers and child.poll() is not None:
                answers[number] = _answer(child, path, f"process {number + 1} of {len(children)}")
        if time.monotonic() > deadline:
            raise Fault(
                f"{len(children) - len(answers)} of {len(children)} processes had not answered after {seconds:g} "
                "seconds, and were ended.",
                "run the cell again when the machine is less busy.",
            )
        time.sleep(0.01)
    return [answers[number] for number in range(len(children))]


def _answer(child: subprocess.Popen, path: Path, name: str):
    if not path.exists():
        said = path.with_suffix(".log").read_text(errors="replace").strip().splitlines()[-1:]
        raise Fault(
            f"The {name} ended without an answer (exit status {child.returncode}). It said last: {' '.join(said)}",
            "run the cell again; if memory is short, close other programs first.",
        )
    succeeded, value = pickle.loads(path.read_bytes())
    if not succeeded:
        raise RuntimeError(f"In {name}: {value}")
    return value


def _end(child: subprocess.Popen) -> None:
    """Ends a child and whatever it has started, and waits until the system has forgotten it."""
    if child.poll() is None:
        with suppress(ProcessLookupError, PermissionError):  # it has ended this very moment
            os.killpg(child.pid, signal.SIGKILL) if hasattr(os, "killpg") else child.kill()
    child.stdin.close()
    child.wait()


# In the child


def _child() -> None:
    """The child's whole life: settle its end, read the call from the standard input, leave the answer in a file."""
    parent, cores, path = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    _end_with(parent)
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    try:
        function, arguments = _read_task()
        answer = (True, function(*arguments))
    except BaseException as error:
        answer = (False, "".join(traceback.format_exception_only(error)).strip())
        traceback.print_exc()
    part = path.with_suffix(".part")
    part.write_bytes(_dumped(answer))
    os.replace(part, path)


def _read_task() -> tuple:
    task = pickle.load(sys.stdin.buffer)
    Thread(target=_end_when_the_pipe_closes, daemon=True).start()
    return task


def _end_with(parent: int) -> None:
    """Asks Linux to kill this process when its parent ends; ends at once if it already has."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "prctl"):
        library.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if sys.platform != "win32" and os.getppid() != parent:
        os._exit(1)


def _end_when_the_pipe_closes() -> None:
    os.read(0, 1)  # nothing more is ever sent: it returns when the parent's end is closed, by whatever cause
    os._exit(1)


def _dumped(answer: tuple) -> bytes:
    import cloudpickle

    try:
        return cloudpickle.dumps(answer)
    except Exception as error:
        return pickle.dumps((False, f"the answer cannot be sent: {error}"))
