"""What a measurement needs to know about its run: the seed, and what the process has used so far."""

import os
import sys
from pathlib import Path

import psutil


def seed() -> int:
    """The seed of this run: the environment variable TALKS_SEED, or 0.

    `python3 -m helpers replicate` sets it, so that a lesson can be run again under other seeds.

    >>> seed()
    0

    Raises ValueError if the variable holds anything but a whole number from 0 up.
    """
    text = os.environ.get("TALKS_SEED", "0")
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"TALKS_SEED must be a whole number such as 0 or 7, not {text!r}.")
    return int(text)


def processor_seconds() -> float:
    """Processor time of this process and of the children it has waited for, in seconds."""
    user, system, children_user, children_system, _ = os.times()
    return user + system + children_user + children_system


def peak_memory() -> int:
    """The most memory that this process has held at once, in bytes."""
    if sys.platform == "linux":  # ru_maxrss would count the parent's memory too, at the moment of the fork
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
