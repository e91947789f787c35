"""The project's own environment in .venv: making it, noticing what is wrong with it, and the remedies.

This module and `__main__` use the standard library alone, and old Pythons can read them far enough to say
what is wrong: nothing here is newer than Python 3.6 in its syntax.
"""

import csv
import hashlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Dict, Optional

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
NEWEST_TOO_OLD = (3, 10)
ROOM_NEEDED = 1.5e9  # bytes: 0.9 GB installed, modules compiled as they are used, and the downloads on their way
# pip, which ends when this process does, however that comes: an orphan would write into an environment made anew.
PIP = """
import os, runpy, sys, threading
threading.Thread(target=lambda: os.read(0, 1) or os._exit(1), daemon=True).start()
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
NO_NETWORK = "NewConnectionError|ConnectTimeout|ReadTimeout|name resolution|ProxyError|Network is unreachable"


class Fault(Exception):
    """Something that is wrong with this machine or its files, and what to do about it.

    >>> print(Fault("The kettle is empty.", "fill it."))
    The kettle is empty.
      Remedy: fill it.
    """

    def __init__(self, what: str, remedy: str):
        super().__init__(what, remedy)
        self.what, self.remedy = what, remedy

    def __str__(self) -> str:
        return "{}\n  Remedy: {}".format(self.what, self.remedy)

    def _render_traceback_(self):
        """What a notebook shows: the words alone, since the way through the code is no part of the remedy."""
        return str(self).splitlines()


# What can be wrong. Each function returns the fault, or None where all is well.


def python_too_old(version=sys.version_info) -> Optional[Fault]:
    """A Python that the lock's packages do not support.

    >>> print(python_too_old((3, 8, 18)).what)
    This is Python 3.8; the course needs Python 3.11 or later.
    """
    if tuple(version[:2]) > NEWEST_TOO_OLD:
        return None
    return Fault(
        "This is Python {}.{}; the course needs Python 3.11 or later.".format(*version[:2]),
        "install a newer Python from python.org or your system's packages, and type its name instead of python3, "
        "for example: python3.12 -m helpers lab",
    )


def no_venv_module(modules=("venv", "ensurepip")) -> Optional[Fault]:
    """A Python without the parts of its standard library that make environments, as some Linux systems ship it."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    return Fault(
        "This Python comes without its module {}, which makes environments.".format(" and ".join(missing)),
        "on Debian or Ubuntu: sudo apt install python3-venv. Elsewhere: install Python from python.org.",
    )


def no_room(folder: Path = ROOT, needed: float = ROOM_NEEDED) -> Optional[Fault]:
    """A disk with less room than the environment takes (bytes)."""
    free = shutil.disk_usage(str(folder)).free
    if free >= needed:
        return None
    return Fault(
        "The disk has {:.1f} GB free; the environment needs {:.1f} GB.".format(free / 1e9, needed / 1e9),
        "free some room, or clone the project onto a larger disk.",
    )


def port_taken(port: int) -> Optional[Fault]:
    """A port on which another program already listens, or which this user may not open."""
    with socket.socket() as probe:
        if os.name == "posix":  # a port whose last user has only just left is free; Windows reads the option otherwise
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return None
        except PermissionError:
            what = "Port {} is kept for the system.".format(port)
        except OSError:
            what = "Port {} is taken by another program (perhaps a Lab that still runs).".format(port)
    return Fault(what, "stop that program, or use another port: python3 -m helpers lab --port {}".format(_free_port()))


def not_writable(folder: Path = NOTEBOOKS) -> Optional[Fault]:
    """A folder in which notebooks cannot be saved."""
    try:
        with tempfile.TemporaryFile(dir=str(folder)):
            return None
    except OSError as error:
        return _not_writable(folder, error)


def _not_writable(folder: Path, error: OSError) -> Fault:
    return Fault(
        "The folder {} cannot be written to ({}).".format(folder.name, error.strerror),
        "clone the project into your own home folder, or ask the folder's owner for the right to write.",
    )


def no_network(root: Path = ROOT) -> Optional[Fault]:
    """No way to the package index, tried as the installation would: with pip, and its own settings."""
    with tempfile.TemporaryDirectory() as folder:
        _make_venv(Path(folder))
        smallest = next(line for line in _pins(root / "requirements.txt") if line.startswith("flit-core=="))
        command = [str(python_of(Path(folder))), "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--retries=1"]
        command += ["--timeout=10", "--dest", folder, smallest]
        pip = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return None if pip.returncode == 0 else failed_install(pip.stdout.decode(errors="replace"))


def _full(root: Path) -> str:
    """What pip would have said of a full disk: its log is on that disk, and so may not hold it."""
    return "\nNo space left on device" if no_room(root, needed=10e6) else ""


def failed_install(log: str) -> Fault:
    """What pip's own words say went wrong.

    >>> failed_install("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device").what
    'The installation stopped: the disk is full.'
    """
    if "No space left" in log or "Errno 28" in log or "not enough space" in log:
        what, remedy = "the disk is full.", "free {:.1f} GB and start again.".format(ROOM_NEEDED / 1e9)
    elif "DO NOT MATCH THE HASHES" in log:
        what = "a downloaded package is not the one that requirements.txt names."
        remedy = "start again on another network. If that does not help, report it: the file should not be trusted."
    elif re.search(NO_NETWORK, log):
        what = "the package index does not answer. There is no network, or something between blocks it."
        remedy = "connect to the network (behind a proxy, set HTTPS_PROXY) and start again."
    elif "No module named pip" in log:
        what, remedy = "pip is missing from .venv.", "delete the folder .venv, and start again."
    elif "No matching distribution" in log:
        what = "a package has no ready-made file for this machine."
        remedy = "use Python 3.11, 3.12 or 3.13, 64 bit, on Linux, macOS or Windows, or open the course in Binder."
    else:
        what, remedy = "pip failed.", "read pip's last lines; python3 -m helpers doctor looks for the usual causes."
    last = "".join("\n    " + line for line in log.strip().splitlines()[-5:] if "notice" not in line)
    return Fault("The installation stopped: " + what, remedy + "\n  The last lines of pip:" + last)


def unfinished(root: Path = ROOT) -> Optional[Fault]:
    """A .venv that is not there, was never finished, or was made by another Python or for another folder."""
    remedy, venv = "python3 -m helpers lab makes it (about a minute).", root / ".venv"
    if not venv.exists():
        return Fault("The environment in .venv is not made yet.", remedy)
    stamp = _stamp(venv)
    if _is_link(venv) and stamp.get("root") != str(root):
        return Fault("The folder .venv is a link to another environment.", remedy + " The other stays as it is.")
    if not stamp or not python_of(venv).exists():
        return Fault("The environment in .venv is half made: its installation was interrupted.", remedy)
    if stamp["python"] != _python():
        versions = stamp["python"], _python()
        return Fault("The environment in .venv is for Python {}, and this is Python {}.".format(*versions), remedy)
    if stamp["root"] != str(root):
        return Fault("The environment in .venv was made for another folder; the project has been moved.", remedy)
    return None


def not_ours(root: Path = ROOT) -> Optional[Fault]:
    """A .venv with packages that this module has not installed: to make it anew would lose them."""
    venv = root / ".venv"
    if _is_link(venv) or (venv / "stamp.json").exists() or (venv / "install.log").exists():
        return None
    found = [*venv.glob("lib/*/site-packages/*.dist-info"), *venv.glob("Lib/site-packages/*.dist-info")]
    packages = [one for one in found if not one.name.startswith(("pip-", "setuptools-"))]  # those, Python brings along
    if not packages:
        return None
    return Fault(
        "The folder .venv holds an environment that this command has not made, with {} packages.".format(len(packages)),
        "rename the folder, or delete it if nothing in it is needed, and start again; or use it as README.md says "
        "under: With your own tools.",
    )


def outdated(root: Path = ROOT, every_file: bool = True) -> Optional[Fault]:
    """A finished .venv that no longer is what the lock says, or, looking at every file, that has half lost one."""
    remedy = "python3 -m helpers lab mends it."
    stamp, present = _stamp(root / ".venv"), _installed(root / ".venv")
    for name, version in sorted(stamp["packages"].items()):
        if name not in present:
            return Fault("The package {} {} is missing from .venv.".format(name, version), remedy)
        if present[name] != version:
            return Fault("The package {} in .venv is {} and should be {}.".format(name, present[name], version), remedy)
    if stamp["lock"] != _lock(root):
        return Fault("The project's list of packages has changed since .venv was made.", remedy)
    for metadata, file in _damaged(root / ".venv").items() if every_file else ():
        what = "The package {} in .venv is damaged: the file {} is not there, or not whole."
        return Fault(what.format(metadata.name.split("-")[0], file), remedy)
    return None


def check_up(port: int):
    """Each thing that can be wrong, by name, with its fault or None; a network is asked for only where it is needed."""
    yield "Python " + _python(), python_too_old()
    yield "the venv module", no_venv_module()
    unmade = unfinished()
    yield "the environment in .venv is finished", unmade
    stale = None if unmade else outdated()
    if not unmade:
        yield "the packages in .venv are those of the lock", stale
    if unmade:
        yield "room on the disk", no_room()
    if (unmade or stale) and not python_too_old() and not no_venv_module():
        yield "the package index answers", no_network()
    if not python_too_old():
        from helpers import checksums  # which an old Python cannot read

        yield "the files in data are as they should be", checksums.fault()
    yield "port {} is free".format(port), port_taken(port)
    yield "the folder notebooks can be written to", not_writable()


# Making it.


def ensure(root: Path = ROOT) -> None:
    """Makes .venv, or mends it, until it is what the lock says; where it is, this takes some milliseconds.

    Raises Fault with the remedy where that cannot be done.
    """
    unmade = unfinished(root)
    fault = unmade or outdated(root, every_file=not running_inside(root))  # who handed over has looked
    if not fault:
        return
    if running_inside(root):  # an environment is not mended by the Python that runs in it
        hand_over(["-m", "helpers"] + sys.argv[1:], sys._base_executable)
    print(fault.what, flush=True)
    for blocked in (not_writable(root), no_venv_module(), no_room(root) if unmade else None, not_ours(root)):
        if blocked:
            raise blocked
    if unmade:
        print(
            "Making it, from {} packages. This happens once.".format(len(_pins(root / "requirements.txt"))), flush=True
        )
        _make_venv(root / ".venv")
    install(root)


def install(root: Path = ROOT) -> None:
    """Installs the lock, then the project in editable mode, and writes the stamp last.

    Raises Fault with pip's last lines where pip fails.
    """
    for metadata in _damaged(root / ".venv"):  # pip looks no further than that
        shutil.rmtree(str(metadata))
    lock = ["--no-compile", "--only-binary=:all:", "--require-hashes", "-r", str(root / "requirements.txt")]
    editable = ["--no-deps", "--no-build-isolation", "--editable", str(root)]
    for arguments in (lock, editable):
        code, log = _pip_with_progress(arguments, root / ".venv", total=2 * len(_pins(root / "requirements.txt")))
        if code:
            raise failed_install(log + _full(root))
    print("The environment stands.", flush=True)
    stamp = {"python": _python(), "root": str(root), "lock": _lock(root), "packages": _installed(root / ".venv")}
    part = root / ".venv" / "stamp.part"
    try:
        part.write_text(json.dumps(stamp, indent=1))
        os.replace(str(part), str(part.with_name("stamp.json")))
    except OSError as error:
        raise failed_install(str(error)) from None


def add(lock: Path, root: Path = ROOT) -> None:
    """Installs what a further lock names into the environment that stands; where all of it is there, nothing happens.

    Raises Fault with pip's last lines where pip fails.
    """
    there = {_plain(name): version for name, version in _installed(root / ".venv").items()}
    wanted = [pin.split("==") for pin in _pins(lock, every=False)]
    if all(there.get(_plain(name)) == version for name, version in wanted):
        return
    arguments = ["--no-compile", "--only-binary=:all:", "--no-deps", "--require-hashes", "-r", str(lock)]
    code, log = _pip_with_progress(arguments, root / ".venv", total=2 * len(_pins(lock)))
    if code:
        raise failed_install(log + _full(root))


def python_of(venv: Path) -> Path:
    """Where an environment keeps its Python."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def hand_over(arguments, python: str = str(python_of(ROOT / ".venv"))) -> None:
    """Ends this process by becoming Python with these arguments: the one in .venv, or the one given."""
    command = [python] + list(arguments)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # the kernel of .venv, whatever the user has installed elsewhere
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the installation leaves it to the first use to compile a module
    sys.stdout.flush()
    if os.name == "nt":  # Windows has no exec that the terminal waits for
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


def running_inside(root: Path = ROOT) -> bool:
    """Whether this very Python is the one in .venv."""
    return os.path.realpath(sys.prefix) == os.path.realpath(str(root / ".venv"))


def _make_venv(folder: Path) -> None:
    import venv  # not every Python has it: no_venv_module says so first

    try:
        if _is_link(folder):  # what it points to is not ours to clear
            os.unlink(str(folder))
        venv.EnvBuilder(with_pip=True, clear=True).create(str(folder))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        what = "The environment could not be made: {}.".format(error)
        raise Fault(what, "python3 -m helpers doctor looks for the usual causes.") from None


def _is_link(folder: Path) -> bool:
    """Whether a folder is a symbolic link, or what Windows calls a junction."""
    return os.path.realpath(str(folder)) != os.path.join(os.path.realpath(str(folder.parent)), folder.name)


def _pip_with_progress(arguments, venv: Path, total: int):
    log = venv / "install.log"
    command = [str(python_of(venv)), "-c", PIP, "install", "--disable-pip-version-check", "--no-input"]
    before, shown = len(_installed(venv)), 0.0
    try:
        output = log.open("wb")
    except OSError as error:
        raise _not_writable(venv, error) from None
    with output:
        streams = {"stdin": subprocess.PIPE, "stdout": output, "stderr": subprocess.STDOUT}
        pip = subprocess.Popen(command + arguments, **streams)
        try:
            while pip.poll() is None:
                collected = log.read_bytes().count(b"\nCollecting ")
                shown = _show_progress((collected + len(_installed(venv)) - before) / total, shown)
                time.sleep(0.2)
        finally:
            pip.kill()
            pip.wait()
            pip.stdin.close()
    if sys.stdout.isatty():
        print("\r" + " " * 60, end="\r")
    return pip.returncode, log.read_text(errors="replace")


def _show_progress(done: float, shown: float) -> float:
    if sys.stdout.isatty():
        print("\rInstalling [{:<40}] {:3.0%}".format("#" * int(40 * done), done), end="", flush=True)
    elif done >= shown + 0.25:
        print("Installing: {:.0%}".format(done), flush=True)
        return done
    return shown


def _pins(lock: Path, every: bool = True):
    """The lock's packages as name==version: every one, or those alone that it asks for on any machine."""
    lines = [line for line in lock.read_text().splitlines() if line[:1].isalnum()]
    return [line.split()[0] for line in lines if every or ";" not in line]


def _plain(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def _installed(venv: Path) -> Dict[str, str]:
    names = [entry.name[: -len(".dist-info")] for entry in _site(venv).glob("*.dist-info")]
    return dict(name.rsplit("-", 1) for name in names if not name.startswith("pip-"))


def _site(venv: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)}))


def _damaged(venv: Path) -> Dict[Path, str]:
    """Each package's metadata with its first file that has not the size which the installation wrote down."""
    found = {}
    site = _site(venv)
    for metadata in site.glob("*.dist-info"):
        try:
            with (metadata / "RECORD").open(encoding="utf-8", newline="") as record:
                sizes = [(name, int(size)) for name, _, size in csv.reader(record) if size]
            lost = (name for name, size in sizes if os.stat(os.path.join(str(site), name)).st_size != size)
            file = next(lost, None)
        except FileNotFoundError as error:
            file = os.path.relpath(error.filename, str(site))
        except (OSError, ValueError):
            file = "RECORD"
        if file:
            found[metadata] = file
    return found


def _stamp(venv: Path) -> dict:
    try:
        return json.loads((venv / "stamp.json").read_text())
    except (OSError, ValueError):
        return {}


def _lock(root: Path) -> str:
    files = [(root / name).read_bytes().replace(b"\r\n", b"\n") for name in ("requirements.txt", "pyproject.toml")]
    return hashlib.sha256(b"\n".join(files)).hexdigest()


def _python() -> str:
    return "{}.{}".format(*sys.version_info[:2])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
