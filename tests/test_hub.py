"""A hub for a class, as far as no hub is needed: links, what keeps one from starting, and what a learner is given."""

import os
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from helpers import __main__ as commands
from helpers import course, environment, hub
from helpers.environment import ROOT, Fault

VALUES = yaml.safe_load((ROOT / "helpers" / "hub" / "values.yaml").read_text(encoding="utf-8"))
PAGE = hub.PAGE.read_text(encoding="utf-8")
LESSONS = [pytest.param(lesson, id=lesson.number) for lesson in course.lessons()]
# What the chart takes, of what we set: it refuses a key that it does not know.
ACCEPTED = {
    "singleuser": {"image", "defaultUrl", "memory", "cpu", "storage", "startTimeout", "networkPolicy"},
    "cull": {"enabled", "timeout", "every"},
}


accounts = pytest.mark.skipif(os.name != "posix", reason="a hub needs accounts as Linux has them")


def asked(link: str) -> dict[str, str]:
    return {key: value for key, (value,) in parse_qs(urlsplit(link).query, strict_parsing=True).items()}


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_link_opens_a_notebook_that_is_there(lesson):
    link = hub.link(lesson, "https://hub.example.org/", "https://example.org/someone/talks")
    assert link.startswith("https://hub.example.org/hub/user-redirect/git-pull?")
    folder, _, file = asked(link)["urlpath"].removeprefix("lab/tree/").partition("/")
    assert folder == asked(link)["targetPath"]
    assert (ROOT / file).is_file()


def test_an_address_is_quoted_whole():
    odd = "https://example.org/a b/ü?x=1&y=2#z"
    link = hub.link(course.lesson("3.1"), "https://hub.example.org", odd)
    assert link.isascii() and " " not in link and not urlsplit(link).fragment
    assert asked(link)["repo"] == odd
    assert set(asked(link)) == {"repo", "targetPath", "urlpath"}


@pytest.mark.parametrize(
    ("address", "repository", "what"),
    [("hub.example.org", "file:///srv/talks", "not the address of a hub"), ("https://h", "", "names none yet")],
)
def test_what_is_no_address_is_told(address, repository, what):
    with pytest.raises(Fault, match=what):
        hub.link(course.lesson("0"), address, repository)


def test_the_command_prints_the_link_and_writes_nothing(capsys, monkeypatch):
    monkeypatch.setattr(environment, "add", lambda _: pytest.fail("nothing need be installed"))
    typed = ["handout", "3.1", "--hub", "https://hub.example.org", "--repository", "file:///srv/talks"]
    commands.handout(commands.parser().parse_args(typed), [])
    assert capsys.readouterr().out.strip() == hub.link(course.lesson("3.1"), typed[3], typed[5])
    assert " ".join(typed) in PAGE


@pytest.fixture
def root(monkeypatch):
    """A machine on which all is ready, but for what a test takes away."""
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(hub.shutil, "which", lambda _: "/usr/bin/it")
    monkeypatch.setattr(hub, "_has_group", lambda: True)
    monkeypatch.setattr(hub, "first_closed", lambda _: None)


@accounts
@pytest.mark.parametrize(
    ("module", "name", "taken", "what"),
    [
        (os, "geteuid", lambda: 1000, "only root may do that"),
        (hub.shutil, "which", lambda _: None, "configurable-http-proxy"),
        (hub, "_has_group", lambda: False, "no group learners"),
        (hub, "first_closed", lambda path: path, "cannot read"),
    ],
)
def test_what_keeps_a_hub_from_starting_is_told(root, monkeypatch, module, name, taken, what):
    assert list(hub.faults()) == []
    monkeypatch.setattr(module, name, taken)
    assert what in next(hub.faults()).what


@accounts
def test_a_closed_folder_is_found(tmp_path):
    file = tmp_path / "a" / "b.py"
    file.parent.mkdir()
    file.touch(0o644)
    for one in (*tmp_path.parents, tmp_path, file.parent):
        if not hub._is_open(one):
            assert hub.first_closed(file) in (one, *one.parents)
            break
    file.parent.chmod(0o700)
    assert not hub._is_open(file.parent)
    file.parent.chmod(0o711)
    assert hub._is_open(file.parent)
    file.chmod(0o600)
    assert not hub._is_open(file)


def test_a_hub_on_the_network_has_a_certificate(tmp_path):
    assert "--JupyterHub.bind_url=http://127.0.0.1:8000" in hub.arguments(8000)
    files = tmp_path / "c.pem", tmp_path / "k.pem"
    for file in files:
        with pytest.raises(Fault, match="There is no"):
            hub.arguments(443, *map(str, files))
        file.touch()
    assert "--JupyterHub.bind_url=https://:443" in hub.arguments(443, *map(str, files))
    with pytest.raises(Fault, match="There is no key"):
        hub.arguments(443, str(files[0]))


@accounts
def test_the_command_starts_the_hub_when_all_is_there(root, monkeypatch):
    done = []
    monkeypatch.setattr(environment, "add", done.append)
    monkeypatch.setattr(hub, "prepare", lambda: done.append("compiled"))
    monkeypatch.setattr(environment, "hand_over", done.append)
    monkeypatch.chdir(ROOT)
    options = commands.parser().parse_args(["hub", "--port", "8123"])
    commands.hub(options, [])
    assert done == [commands.HUB_LOCK, "compiled", hub.arguments(8123)]
    monkeypatch.setattr(hub, "_has_group", lambda: False)
    with pytest.raises(Fault, match="no group learners"):
        commands.hub(options, [])
    assert len(done) == 3


def test_the_values_are_what_the_chart_takes():
    assert VALUES.keys() == ACCEPTED.keys()
    for part, keys in ACCEPTED.items():
        assert VALUES[part].keys() == keys
    assert VALUES["singleuser"]["memory"].keys() == VALUES["singleuser"]["cpu"].keys() == {"guarantee", "limit"}
    assert VALUES["singleuser"]["image"].keys() == {"name", "tag"}
    assert isinstance(VALUES["singleuser"]["image"]["tag"], str)


def test_the_first_page_is_copied_from_the_image():
    assert VALUES["singleuser"]["defaultUrl"] == hub.page(course.lesson("0"), "file:///srv/talks")
    assert "--target-repo-dir /srv/talks" in PAGE
    assert VALUES["singleuser"]["image"]["name"] + ":1" in PAGE


def test_the_image_has_the_nbgitpuller_of_the_lock():
    lock = commands.HUB_LOCK.read_text(encoding="utf-8")
    assert re.search(r"nbgitpuller==[\d.]+", PAGE)[0] in lock


def gigabytes(told: str) -> float:
    return float(told.removesuffix("G"))


def test_a_learner_is_given_what_was_measured():
    given, needs = VALUES["singleuser"], hub.needs()
    assert needs.memory <= gigabytes(given["memory"]["guarantee"]) <= 1.3 * needs.memory
    assert needs.two_lessons <= gigabytes(given["memory"]["limit"]) <= 1.5 * needs.two_lessons
    assert given["cpu"]["limit"] == needs.cores
    assert 60 < needs.processor_seconds / given["cpu"]["guarantee"] < 300


def test_the_page_says_what_a_learner_needs():
    assert course.fill(PAGE, {"size": hub.size()}) == PAGE, "The hub's page is stale. Run: python3 -m helpers.course"
