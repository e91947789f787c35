"""How long the commands take to start, once the environment stands: the aim is under a second."""

import subprocess
import sys

from helpers.environment import ROOT, outdated, unfinished


def test_second_start(benchmark):
    assert not unfinished()
    assert not outdated()
    command = [sys._base_executable, "-m", "helpers", "test", "--version"]
    benchmark(subprocess.run, command, cwd=ROOT, capture_output=True, check=True)
