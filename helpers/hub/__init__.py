"""JupyterHub for a class that outgrows one machine: its start on a single server, and links that bring a lesson.

README.md beside this file is for the teacher. The hub's settings are in jupyterhub_config.py, those for Kubernetes in
values.yaml.
"""

import csv
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from helpers import checksums, course
from helpers.course import Lesson
from helpers.environment import ROOT, Fault

SETTINGS = ROOT / "helpers" / "hub" / "jupyterhub_config.py"
PAGE = ROOT / "helpers" / "hub" / "README.md"
STATE = ROOT / ".hub"  # the hub's own: who is logged in, its keys, its git settings
COPY = "talks-you-can-run"  # the folder of a learner's copy, in their home folder
GROUP = "learners"  # the accounts that may log in
PROXY = "configurable-http-proxy"
CLASS, CORES = 30, 8  # learners and cores of the page's example


class Needs(NamedTuple):
    """What one learner takes, from data/measured/: memory in GB (10**9 bytes), processor seconds of a lesson, cores.

    `memory` is that of the server and the lesson that takes most, `two_lessons` with a second such lesson open.
    """

    memory: float
    two_lessons: float
    processor_seconds: float
    cores: int


def link(lesson: Lesson, hub: str, repository: str) -> str:
    """The address that opens a lesson on a hub: it brings the course, or what is new in it, and keeps a learner's work.

    >>> from helpers import course
    >>> start = course.lesson("0")
    >>> link(start, "https://hub.example.org/", "https://example.org/talks")[:78]
    'https://hub.example.org/hub/user-redirect/git-pull?repo=https%3A%2F%2Fexample.'

    Raises Fault where the hub or the repository is no address.
    """
    if not hub.startswith(("http://", "https://")):
        raise Fault(f"{hub} is not the address of a hub.", "write it in full, such as https://hub.example.org")
    if "://" not in repository:
        raise Fault(
            "A hub copies the course from a repository, and data/course.toml names none yet.",
            "write the repository's address there, or behind --repository; for a clone on the hub's own machine: "
            "--repository file:///srv/talks",
        )
    return f"{hub.rstrip('/')}/hub/user-redirect{page(lesson, repository)}"


def page(lesson: Lesson, repository: str) -> str:
    """The page of a learner's own server that copies a repository (by nbgitpuller) and opens a lesson in JupyterLab.

    >>> from helpers import course
    >>> page(course.lesson("0"), "file:///srv/talks").split("&")[-1]
    'urlpath=lab%2Ftree%2Ftalks-you-can-run%2Fnotebooks%2F0_start_here.ipynb'
    """
    notebook = f"lab/tree/{COPY}/notebooks/{lesson.file}"
    return "/git-pull?" + urlencode({"repo": repository, "targetPath": COPY, "urlpath": notebook})


def needs(folder: Path = ROOT / "data" / "measured") -> Needs:
    """What one learner of this course takes.

    >>> 0.5 < needs().memory < 2
    True

    Raises Fault where what was measured is missing or damaged.
    """
    lines = checksums.read(folder / "hub.csv").splitlines()
    server = next(csv.DictReader(line for line in lines if not line.startswith("#")))
    lessons = list(course.taken(folder / "lessons.csv").values())
    kernel = max(lesson.peak_memory_mb for lesson in lessons)
    memory = (float(server["peak_memory_mb"]) + kernel) / 1e3
    processor = max(lesson.processor_seconds for lesson in lessons)
    return Needs(memory, memory + kernel / 1e3, processor, lessons[0].cores)


def size() -> str:
    """What a class takes, in words, for the page."""
    one = needs()
    together = CLASS * one.processor_seconds / CORES / 60
    return (
        f"Measured: a learner's server and the lesson that takes most hold {one.memory:.1f} GB of memory together; "
        f"with a second such lesson left open, {one.two_lessons:.1f} GB. The longest lesson takes "
        f"{one.processor_seconds:.0f} seconds of one core. So {CLASS} learners need {CLASS * one.memory:.0f} to "
        f"{CLASS * one.two_lessons:.0f} GB. "
        f"Should all of them run the longest lesson at the same moment, {CORES} cores take {together:.0f} minutes."
    )


def faults(root: Path = ROOT):
    """What keeps a hub from starting on this machine, each with its remedy."""
    if os.name != "posix" or os.geteuid() != 0:
        yield Fault(
            "A hub starts each learner's server under the learner's own account, and only root may do that.",
            "on Linux: sudo python3 -m helpers hub",
        )
        return
    for tool, package in ((PROXY, "node-" + PROXY), ("git", "git"), ("prlimit", "util-linux")):
        if not shutil.which(tool):
            yield Fault(f"The hub needs {tool}.", f"on Debian or Ubuntu: sudo apt install {package}")
    if not _has_group():
        yield Fault(f"There is no group {GROUP}, and only its members may log in.", f"sudo groupadd {GROUP}")
    closed = first_closed(Path(sys.executable))
    if closed or (closed := first_closed(root)):
        yield Fault(
            f"Learners' servers cannot read {closed}.",
            f"clone the course into a folder that all may read, such as /srv, or: chmod o+rx {closed}",
        )


def first_closed(path: Path) -> Path | None:
    """The first of a path's folders, from the root down, or the file itself, that other accounts may not read.

    >>> first_closed(Path("/"))
    """
    path = path.absolute()
    return next((one for one in [*reversed(path.parents), path] if not _is_open(one)), None)


def prepare(root: Path = ROOT) -> None:
    """Compiles every module once: a learner may not store what their kernel compiles, and would wait at each start."""
    folders = [sys.prefix, str(root / "helpers")]
    subprocess.run([sys.executable, "-m", "compileall", "-qq", "-j", "0", *folders], umask=0o022)


def arguments(port: int, certificate: str = "", key: str = "") -> list[str]:
    """What Python is given to start the hub: on the network with a certificate, else on this machine's own address.

    >>> arguments(8000)[-1]
    '--JupyterHub.bind_url=http://127.0.0.1:8000'

    Raises Fault where a certificate comes without its key, or is not there.
    """
    start = ["-m", "jupyterhub", "--config", str(SETTINGS)]
    if not certificate and not key:
        return [*start, f"--JupyterHub.bind_url=http://127.0.0.1:{port}"]
    for name, file in (("certificate", certificate), ("key", key)):
        if not Path(file).is_file():
            raise Fault(f"There is no {name} file {file or '(none is named)'}.", "name both: --certificate and --key.")
    secured = [f"--JupyterHub.ssl_cert={certificate}", f"--JupyterHub.ssl_key={key}"]
    return [*start, *secured, f"--JupyterHub.bind_url=https://:{port}"]


def _is_open(path: Path) -> bool:
    mode = path.stat().st_mode
    wanted = stat.S_IXOTH if path.is_dir() else stat.S_IXOTH | stat.S_IROTH
    return mode & wanted == wanted


def _has_group() -> bool:
    import grp  # Windows has none

    return any(group.gr_name == GROUP for group in grp.getgrall())
