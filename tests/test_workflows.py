"""The workflows of .github: each reads as YAML, and what it names exists: commands, files, a version of each action."""

import re
import shlex

import pytest
import yaml

from helpers import __main__ as commands
from helpers.environment import ROOT, python_too_old

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
VERSION = r"(v\d+(\.\d+)*|[0-9a-f]{40})"  # of an action: a branch would be another one tomorrow
ON = True  # YAML 1.1 reads the word "on" as true


def read(path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def faults(workflow: dict) -> list[str]:
    """What is wrong with a workflow."""
    found = []
    for name, job in workflow["jobs"].items():
        if "timeout-minutes" not in job:
            found.append(f"{name} may run for six hours")
        for step in job["steps"]:
            if "uses" in step and not re.fullmatch(rf"[\w-]+(/[\w-]+)+@{VERSION}", step["uses"]):
                found.append(f"{step['uses']} has no version")
            version = str(step.get("with", {}).get("python-version", "3.11"))
            if "${{" not in version and python_too_old(tuple(map(int, version.split(".")))):
                found.append(f"Python {version} is too old")
            found += [problem for line in step.get("run", "").splitlines() if (problem := unknown(shlex.split(line)))]
    return found


def unknown(words: list[str]) -> str | None:
    """What a command line names that is not there: a command of ours, or a file."""
    if words[:3] == ["python", "-m", "helpers"]:
        options, rest = commands.parser().parse_known_args(words[3:])  # exits where there is no such command
        return f"no option {rest[0]}" if rest and options.command != "test" else None
    files = [word.removeprefix("--ignore=") for word in words if re.fullmatch(r"(--ignore=)?[\w.]+/[\w./]+", word)]
    return next((f"no file {name}" for name in files if not (ROOT / name).exists()), None)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_names_what_exists(path):
    assert faults(read(path)) == []


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ({"uses": "actions/checkout@main"}, "actions/checkout@main has no version"),
        ({"uses": "actions/checkout"}, "actions/checkout has no version"),
        ({"run": "echo\npython -m helpers book --fast"}, "no option --fast"),
        ({"run": ".ci/walk"}, "no file .ci/walk"),
        ({"run": "python -m pytest --ignore=tests/test_lok.py"}, "no file tests/test_lok.py"),
        ({"uses": "actions/setup-python@v5", "with": {"python-version": "3.9"}}, "Python 3.9 is too old"),
    ],
)
def test_what_is_not_there_is_noticed(step, fault):
    assert faults({"jobs": {"one": {"timeout-minutes": 5, "steps": [step]}}}) == [fault]


def test_a_command_that_is_not_ours_is_noticed(capsys):
    with pytest.raises(SystemExit):
        unknown(["python", "-m", "helpers", "dance"])
    assert "invalid choice: 'dance'" in capsys.readouterr().err


def test_the_tests_workflow_runs_what_ci_runs():
    jobs = read(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]
    assert ".ci/run" in [step.get("run") for step in jobs["all"]["steps"]]


def test_the_canary_runs_each_week_and_stops_nobody():
    """It takes the lock on a Python newer than the tests', and no version at all from pyproject.toml."""
    canary, tests = (read(ROOT / ".github" / "workflows" / f"{name}.yml") for name in ("canary", "tests"))
    assert set(canary[ON]) == {"schedule", "workflow_dispatch"} and canary[ON]["schedule"][0]["cron"].endswith("* * 1")
    newest = canary["jobs"]["newest-python"]["steps"][1]["with"]["python-version"]
    assert all(minor(newest) > minor(python) for python in tests["jobs"]["tests"]["strategy"]["matrix"]["python"])
    (sed,) = [step["run"] for step in canary["jobs"]["newest-packages"]["steps"] if "sed " in step.get("run", "")]
    span, pattern = re.search(r"'(/.*/,/.*/)s/(.*)//'", sed).groups()
    held = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\ndependencies")[2].partition("\n]")[0]
    assert span == "/^dependencies/,/^]/" and "jax==" in held
    assert not re.search("[=<>]=", re.sub(pattern, "", held))


def minor(version: str) -> int:
    return int(version.split(".")[1])
