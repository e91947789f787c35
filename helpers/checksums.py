"""The files of data/ as they should be: data/checksums.txt holds a checksum of each.

Every reader of such a file goes through `read`, so that a changed digit is told, and never measured with. What is
recorded or replicated enters its own checksum; after another change that is meant, `python3 -m helpers.course`
renews the list. It has the form of the command sha256sum, and a file's line ends play no part.
"""

import hashlib
import os
import tomllib
from pathlib import Path

from helpers import files
from helpers.environment import ROOT, Fault

FOLDER = ROOT / "data"
LIST = "checksums.txt"
KINDS = (".csv", ".toml")
MEANT = "if the change is your own, accept it: python3 -m helpers.course"


def read(path: Path) -> str:
    """The text of a file, its line ends \\n; one of data/ is first held against its checksum.

    >>> read(FOLDER / "claims.csv").partition(",")[0]
    'id'

    Raises Fault, with the remedy, for a file of data/ that is missing or was changed; OSError or UnicodeDecodeError
    for another file that cannot be read.
    """
    what, name = problem(path), _name(path)
    if what:
        raise Fault(f"data/{name} {what}.", f"git restore data/{name} data/{LIST}; or, {MEANT}")
    return path.read_text(encoding="utf-8")


def read_toml(path: Path) -> dict:
    """The table in a TOML file, read as `read` does.

    >>> read_toml(FOLDER / "course.toml")["course"]["title"]
    'Talks You Can Run'

    Raises ValueError, with the file and the place, where it is not well-formed; Fault as `read` does.
    """
    try:
        return tomllib.loads(read(path))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name} is not well-formed TOML: {error}") from None


def refuse(path: Path, problems: list[str]) -> None:
    """Raises ValueError that names a file and everything wrong with what it says, where anything is.

    >>> refuse(FOLDER / "course.toml", [])
    """
    if problems:
        raise ValueError(f"{path.name}:\n" + "\n".join(f"- {problem}" for problem in problems))


def problem(path: Path) -> str:
    """What is wrong with a file of data/: "is missing", "has been changed or damaged", or nothing ("").

    >>> problem(FOLDER / "claims.csv"), problem(Path("elsewhere.csv"))
    ('', '')

    Raises Fault where the list of checksums is itself missing or damaged.
    """
    name = _name(path)
    wanted = listed().get(name) if name else None
    if not path.is_file():
        return "is missing" if name else ""
    return "" if wanted in (None, _digest(path)) else "has been changed or damaged"


def fault() -> Fault | None:
    """Everything that is wrong with the files of data/, or None."""
    try:
        found = {name: problem(FOLDER / name) for name in listed()}
    except Fault as list_is_wrong:
        return list_is_wrong
    wrong = [f"data/{name}" for name, what in found.items() if what]
    if not wrong:
        return None
    told = ", ".join(f"data/{name} {what}" for name, what in found.items() if what)
    return Fault(f"{told}.", f"git restore {' '.join(wrong)} data/{LIST}; or, {MEANT}")


def listed() -> dict[str, str]:
    """The list: a file's name below data/ -> its checksum.

    Raises Fault where the list is missing or damaged.
    """
    try:
        lines = (FOLDER / LIST).read_text(encoding="ascii").splitlines()
        found = {name: digest for digest, name in (line.split("  ") for line in lines)}
    except OSError:
        what = "is missing"
    except ValueError:  # too few words in a line, or characters beyond ASCII
        what = "has been changed or damaged"
    else:
        return found
    raise Fault(f"data/{LIST} {what}.", f"git restore data/{LIST}")


def among(folder: Path, ending: str) -> list[Path]:
    """The files in a folder with an ending, in order; in data/, those that should be there and are not as well.

    >>> among(FOLDER / "quizzes", ".toml")[0].name
    '1_1.toml'
    """
    names = listed() if _name(folder) else []
    paths = {FOLDER / name for name in names if (FOLDER / name).parent == folder and name.endswith(ending)}
    return sorted(paths | set(folder.glob(f"*{ending}")))


def accept(path: Path) -> None:
    """Enters a file of data/ into the list as it is now; any other file is left alone."""
    name = _name(path)
    if name:
        _write(listed() | {name: _digest(path)})


def renew() -> None:
    """Makes the list anew from the files of data/ as they are."""
    _write({_name(path): _digest(path) for path in FOLDER.rglob("*") if path.suffix in KINDS})


def _name(path: Path) -> str:
    """A file's name below data/, "" for a file that is elsewhere."""
    path = Path(os.path.abspath(path))
    return path.relative_to(FOLDER).as_posix() if path.is_relative_to(FOLDER) else ""


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def _write(entries: dict[str, str]) -> None:
    files.replace(FOLDER / LIST, "".join(f"{entries[name]}  {name}\n" for name in sorted(entries)))
