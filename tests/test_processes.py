"""Calls in child processes: answers, settings, errors in a sentence, and no child left behind, whatever happens."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager

from helpers import processes
from helpers.environment import ROOT, Fault

posix = pytest.mark.skipif(os.name != "posix", reason="Windows knows no such signals")
# A parent that starts two children; each leaves its number in a folder and then sleeps.
PARENT = """
import os, sys, time
from pathlib import Path
from helpers import processes
{before}
def child(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)
try:
    processes.together([(child, {folder!r}), (child, {folder!r})])
except KeyboardInterrupt:
    Path({folder!r}, "interrupted").touch()
    time.sleep(60)
"""
WITHOUT_THE_KERNELS_SIGNAL = (
    "processes.START = 'from helpers import processes as p; p.ctypes.CDLL = lambda name: None; p._child()'"
)


def eventually(happens, seconds=20) -> bool:
    deadline = time.monotonic() + seconds
    while not happens() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(happens())


def children(folder: Path) -> list[int]:
    return [int(file.name) for file in folder.iterdir() if file.name.isdigit()]


def gone(pids: list[int]) -> bool:
    """Whether none of these processes runs any more; one that is waited for by nobody is gone too."""

    def runs(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return not any(map(runs, pids))


@pytest.fixture
def leaves_no_child():
    """What it holds is that no child is left of those that the test starts; other tests' servers may still run."""
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) <= before


@pytest.fixture
def parent(tmp_path):
    """Starts PARENT and waits until both of its children run; whatever is left is killed afterwards."""
    started = []

    def start(before=""):
        code = PARENT.format(before=before, folder=str(tmp_path))
        started.append(subprocess.Popen([sys.executable, "-c", code], cwd=ROOT))
        assert eventually(lambda: len(children(tmp_path)) == 2)
        return started[0], children(tmp_path)

    yield start
    for process in started:
        process.kill()
        process.wait()
    for pid in children(tmp_path):
        if psutil.pid_exists(pid) and not gone([pid]):
            psutil.Process(pid).kill()


def test_answers_come_in_the_order_of_the_calls():
    def late(value, seconds):
        time.sleep(seconds)
        return value, os.getpid()

    answers = processes.together([(late, "first", 0.5), (late, "second", 0)])
    assert [value for value, _ in answers] == ["first", "second"]
    assert len({pid for _, pid in answers} | {os.getpid()}) == 3


def test_calls_run_at_the_same_time(tmp_path):
    def meet(mine, other):
        Path(mine).touch()
        return eventually(Path(other).exists)

    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert processes.together([(meet, one, two), (meet, two, one)]) == [True, True]


def test_environment_is_set_before_the_child_imports_anything():
    seen = processes.call(lambda: os.environ.get("TALKS_TEST"), environment={"TALKS_TEST": "yes"})
    assert seen == "yes"
    assert "TALKS_TEST" not in os.environ


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not hold a process to a core")
def test_a_child_is_held_to_its_cores_and_the_parent_is_not():
    before = os.sched_getaffinity(0)
    assert processes.call(lambda: len(os.sched_getaffinity(0)), cores=1) == 1
    assert os.sched_getaffinity(0) == before


def test_much_printing_does_not_block_a_child():
    assert processes.call(lambda: print("x" * 1_000_000) or "done", seconds=20) == "done"


def test_a_childs_exception_is_told_in_its_own_words(leaves_no_child):
    with pytest.raises(RuntimeError, match=r"In process 2 of 2: ZeroDivisionError: division by zero"):
        processes.together([(max, 1, 2), (lambda: 1 / 0,)])


def test_an_answer_that_cannot_be_sent_is_told():
    with pytest.raises(RuntimeError, match="cannot be sent"):
        processes.call(lambda: (number for number in range(3)))


@posix
def test_a_child_that_dies_is_told(leaves_no_child):
    with pytest.raises(Fault, match="process 1 of 1 ended without an answer"):
        processes.call(os.kill, 0, signal.SIGKILL)  # 0: its own process group, which is not ours


def test_a_time_limit_ends_all_children(tmp_path):
    def stay(seconds):
        Path(tmp_path, str(os.getpid())).touch()
        time.sleep(seconds)

    started = time.monotonic()
    with pytest.raises(Fault, match="1 of 2 processes had not answered after 3 seconds"):
        processes.together([(stay, 60), (stay, 0)], seconds=3)
    assert time.monotonic() - started < 30
    assert len(children(tmp_path)) == 2 and gone(children(tmp_path))


@posix
def test_a_grandchild_ends_with_its_parents_time_limit(tmp_path):
    def spawn():
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        Path(tmp_path, str(grandchild.pid)).touch()
        time.sleep(60)

    with pytest.raises(Fault):
        processes.call(spawn, seconds=3)
    assert len(children(tmp_path)) == 1
    assert eventually(lambda: gone(children(tmp_path)))


@posix
def test_an_interruption_ends_the_children_and_not_the_parent(parent, tmp_path):
    process, pids = parent()
    process.send_signal(signal.SIGINT)
    assert eventually((tmp_path / "interrupted").exists)
    assert gone(pids)
    assert process.poll() is None


@posix
@pytest.mark.parametrize("before", ["", WITHOUT_THE_KERNELS_SIGNAL], ids=["on this system", "by the pipe alone"])
def test_children_die_with_a_parent_that_is_killed(parent, before):
    process, pids = parent(before)
    assert not gone(pids[:1]) and not gone(pids[1:])
    process.kill()
    process.wait()
    assert eventually(lambda: gone(pids))


@posix
def test_a_child_that_finds_its_parent_gone_already_ends_at_once(tmp_path):
    command = [sys.executable, "-c", processes.START, "1", "0", str(tmp_path / "answer")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, cwd=ROOT, timeout=30)
    assert done.returncode == 1


@posix
@pytest.mark.parametrize("way", ["interrupt", "kill"])
def test_a_stopped_cell_or_a_killed_kernel_leaves_no_child(way, tmp_path):
    kernel = KernelManager(kernel_name="python3")
    kernel.start_kernel(cwd=str(ROOT), extra_arguments=["--log-level=CRITICAL"])
    client = kernel.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        message = client.execute(PARENT.format(before="", folder=str(tmp_path)))
        assert eventually(lambda: len(children(tmp_path)) == 2)
        if way == "interrupt":
            kernel.interrupt_kernel()
            assert eventually((tmp_path / "interrupted").exists)
            kernel.interrupt_kernel()
            while client.get_shell_msg(timeout=30)["parent_header"].get("msg_id") != message:
                pass
            assert kernel.is_alive()
        else:
            kernel.shutdown_kernel(now=True)
        assert eventually(lambda: gone(children(tmp_path)))
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


def test_a_refused_process_is_told_in_a_sentence(monkeypatch):
    def refuse(*arguments, **options):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(Fault, match=r"refuses to start another process .Resource temporarily unavailable"):
        processes.call(max, 1, 2)


def test_a_refused_port_is_told_in_a_sentence(monkeypatch):
    def refuse(self, address):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(Fault, match=r"gives us no port of its own loopback .Permission denied"):
        processes.loopback_address()


def test_an_address_is_free():
    host, port = processes.loopback_address().split(":")
    with socket.socket() as ours:
        ours.bind((host, int(port)))


# Two JAX processes

TWO = """
import numpy as np
from helpers import processes


def one(number, count, address, batch):
    processes.speak_over_loopback()
    import jax
    import jax.numpy as jnp
    from jax.sharding import Mesh, NamedSharding, PartitionSpec as P

    jax.distributed.initialize(address, count, number, cluster_detection_method="deactivate")
    mesh = Mesh(np.array(jax.devices()), ("device",))
    put = jax.make_array_from_process_local_data
    weights = put(NamedSharding(mesh, P()), np.arange(3.0, dtype=np.float32))
    part = put(NamedSharding(mesh, P("device")), np.split(batch, count)[number])
    step = jax.jit(lambda w, x: w - 0.1 * jax.grad(lambda w: jnp.mean((x @ w) ** 2))(w))
    found = np.asarray(jax.block_until_ready(step(weights, part)).addressable_data(0))
    jax.distributed.shutdown()
    return len(jax.devices()), len(jax.local_devices()), found


batch = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)
address = processes.loopback_address()
answers = processes.together([(one, number, 2, address, batch) for number in range(2)])
weights = np.arange(3.0)
expected = weights - 0.1 * 2 * batch.T @ (batch @ weights) / len(batch)
assert [answer[:2] for answer in answers] == [(2, 1), (2, 1)]
assert np.array_equal(answers[0][2], answers[1][2])
assert np.allclose(answers[0][2], expected, rtol=1e-5)
print("equal")
"""
ALONE = """
import fcntl, socket, struct
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1))
socket.sethostname("a-name-that-has-no-address")
"""


def test_two_processes_take_the_step_of_one():
    done = subprocess.run([sys.executable, "-c", TWO], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "equal\n", done.stderr[-2000:]


@pytest.mark.skipif(shutil.which("unshare") is None or os.name != "posix", reason="needs Linux's unshare")
def test_two_processes_meet_where_the_machine_has_no_network_and_its_name_no_address():
    command = ["unshare", "--map-root-user", "--net", "--uts", sys.executable, "-c", ALONE + TWO]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if "unshare" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("this machine lets nobody make a network of their own")
    assert done.stdout == "equal\n", done.stderr[-2000:]
