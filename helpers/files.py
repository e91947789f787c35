"""Files that are replaced in one step: whoever pulls the plug, or fills the disk, finds the old one or the new."""

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from helpers.environment import ROOT, Fault

FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def replace(path: Path, text: str) -> None:
    """Puts a text, in UTF-8, in a file's place; the file's folder is made if need be.

        replace(Path("handouts/3_1_teacher.md"), "# 3.1 Rules or gradient descent?")

    Raises Fault where it cannot be written; what was there before is still there then, whole.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise not_written(path, error) from None


def not_written(path: Path, error: OSError) -> Fault:
    """What to tell where a file or a folder could not be written.

    >>> print(not_written(Path("notes.txt"), OSError(28, "No space left on device")))
    notes.txt was not written: the disk is full. What was there before is unchanged.
      Remedy: free some room on the disk, and start again.
    """
    shown = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    if error.errno in FULL:
        reason, remedy = "the disk is full", "free some room on the disk, and start again."
    else:
        reason = error.strerror or str(error)
        remedy = "ask the folder's owner for the right to write, or clone the project into your own home folder."
    return Fault(f"{shown} was not written: {reason}. What was there before is unchanged.", remedy)


def check_writable(path: Path) -> None:
    """Finds out, before minutes of work, whether a file or a folder can be put in its place.

        check_writable(Path("site"))

    Raises Fault where it cannot.
    """
    folder = next(parent for parent in path.parents if parent.is_dir())
    try:
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise not_written(path, error) from None
