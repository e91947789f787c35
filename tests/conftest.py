"""What several tests share: tools that not every machine has, and the book."""

import importlib.util
import os
from pathlib import Path

import pytest

from helpers import book, course

REPOSITORY = "https://github.com/someone/talks"  # nobody's: it makes the links to Binder that a public course has


def needed(there: object, name: str) -> None:
    """Skips the test where a tool is not there; fails it where all tests were asked for."""
    if there:
        return
    told = f"no {name} here: python3 -m helpers test --all runs this too"
    if os.environ.get("TALKS_TEST_ALL"):
        pytest.fail(told)
    pytest.skip(told)


@pytest.fixture(scope="session")
def sphinx():
    """Sphinx and what else the book takes."""
    needed(importlib.util.find_spec("sphinx_book_theme"), "Sphinx")


@pytest.fixture(scope="session")
def site(sphinx, tmp_path_factory) -> Path:
    """The book, made once for all tests."""
    folder = tmp_path_factory.mktemp("book") / "site"
    with pytest.MonkeyPatch.context() as patch:
        public = course.course()._replace(repository=REPOSITORY)
        patch.setattr(course, "course", lambda: public)
        assert book.build(folder) == 0, "Sphinx warned: its words are among what the test printed"
    return folder
