"""The table of budgets: what this run measured of it, and for the rest how to measure it.

    python3 -m helpers test tests/benchmarks --benchmark-enable --long

Nothing of it is typed: a row that was not measured in this run says so. The rows that take minutes need --long; the
browser's row needs Chromium and Playwright, the race needs a text (see test_race.py), and the tests' own time is read
from the report of a run of them: python3 -m helpers test --junitxml=junit.xml
"""

import statistics
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from helpers.environment import ROOT

MEASURED = pytest.StashKey[dict[str, float]]()
REPORT = ROOT / "junit.xml"  # which pytest writes when it is asked to
NANOGPT = 100.0  # seconds to the same loss on two cores: the least that test_race.py tells of


class Budget(NamedTuple):
    """A row: what is measured in which unit, its bound and its aim, and how it comes to be measured."""

    what: str
    unit: str
    bound: float
    aim: float
    how: str = "--long"


BUDGETS = {
    "slowest lesson": Budget("the slowest lesson, executed", "s", 60, 30),
    "lessons": Budget("all lessons, executed one after another", "s", float("inf"), 600),
    "processor": Budget("processor time of all lessons", "s", 3600, 1200),
    "memory": Budget("a kernel's peak memory, the largest", "MB", 1000, 700),
    "fresh": Budget("fresh clone to open lab (with pip's cache as it is)", "s", 90, 45),
    "installed": Budget("installed size of .venv", "MB", 1200, 900),
    "knob": Budget("knob to new figure, in the kernel, median", "ms", 150, 80),
    "key": Budget("key to new figure, in the browser, median", "ms", 150, 80, "--benchmark-enable, and Chromium"),
    "tests": Budget("the tests", "s", 1200, 600, f"a run of the tests with --junitxml={REPORT.name}"),
    "race": Budget("to nanoGPT's loss, of its time", "%", 25, 10, "--benchmark-enable, and TINY_SHAKESPEARE"),
}


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="measure the budgets that take minutes too")


def pytest_configure(config):
    config.stash[MEASURED] = {}


@pytest.fixture
def measured(request) -> dict[str, float]:
    """The rows that this run has measured, to be added to."""
    return request.config.stash[MEASURED]


@pytest.fixture
def long(request):
    """What takes minutes, and so is asked for."""
    if not request.config.getoption("--long"):
        pytest.skip("takes minutes: --long measures it")


def of_group(config, group: str) -> list[float]:
    """The seconds of every round of a group of benchmarks in this run."""
    session = getattr(config, "_benchmarksession", None)
    found = [one for one in session.benchmarks if one.group == group] if session else []
    return [seconds for one in found for seconds in one.stats.data]


def line(budget: Budget, value: float | None) -> list[str]:
    """A row of the table in words."""
    bound = f"{budget.bound:,.0f} {budget.unit}" if budget.bound < float("inf") else "none"
    limits = [bound, f"{budget.aim:,.0f} {budget.unit}"]
    if value is None:
        return [budget.what, "not measured", *limits, f"needs {budget.how}"]
    reached = "within the aim" if value <= budget.aim else "within the bound" if value <= budget.bound else "OVER"
    return [budget.what, f"{value:,.1f} {budget.unit}", *limits, reached]


def pytest_terminal_summary(terminalreporter, config):
    from helpers.widgets import Table

    found = dict(config.stash[MEASURED])
    if keys := of_group(config, "key to figure in JupyterLab"):
        found["key"] = 1000 * statistics.median(keys)
    if races := of_group(config, "to 1.8857 nats a character"):
        found["race"] = 100 * statistics.median(races) / NANOGPT
    if REPORT.is_file():
        suites = ElementTree.parse(REPORT).getroot().iter("testsuite")
        found["tests"] = sum(float(suite.get("time")) for suite in suites)
    rows = [line(budget, found.get(name)) for name, budget in BUDGETS.items()]
    terminalreporter.section("budgets")
    terminalreporter.write_line(str(Table(["what", "measured", "bound", "aim", ""], rows)))
