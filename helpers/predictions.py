"""What a learner guessed, how sure they were, and what came out: one small file of their own, never sent anywhere.

It is predictions.json, in the folder that the system keeps for a program's own data. The environment variable
TALKS_PREDICTIONS names another file. If it says "off", all is kept in memory: so it is where a command or a test
executes a lesson, whose outputs must depend on nobody's guesses.

**Confidence.** With a guess goes one number, in percent: how sure the learner is that their choice is right, or that
the number will lie between two limits about their guess, which the question draws and shows (`widgets.Question.near`).
An interval of the learner's own would take two more numbers, and a skill that few have met; this takes one click. And
it makes of every prediction a statement that turns out true or false. So `scored()` bears out both the figure (of the
answers given at 75%, how many were right?) and the Brier score, the mean of (confidence - right)². There are few
LEVELS, so that each soon has answers enough to count.

**Too late.** A second guess replaces the first until the number is shown. After that, a guess made in time stays as it
is. Where there was none, a late one is kept, because to think first is worth it even after "Run All Cells"; but it is
not `in_time`, and no score counts it. Nobody is watched: lessons are stored with their outputs, and who looks ahead
deceives only their own score.

**Nothing is lost.** A change happens under a lock, and replaces the file in one step. What cannot be read is set aside,
whole. What cannot be written stays in memory, and goes to the file with the next change that can.
"""

import filecmp
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

from filelock import FileLock, Timeout
from platformdirs import user_data_path

from helpers.claims import ROOT

VARIABLE = "TALKS_PREDICTIONS"
OFF = "off"
APPLICATION, FILE = "talks-you-can-run", "predictions.json"
VERSION = 1
LEVELS = (10, 25, 50, 75, 90, 99)  # percent
LONGEST = 2_000_000  # bytes of a file brought in: some ten thousand predictions
PATIENCE = 5  # seconds that one notebook waits for another

Answer = TypeVar("Answer")


class Sentence(str):
    """A sentence that a cell shows without quotation marks.

    >>> Sentence("You guessed 30%.")
    You guessed 30%.
    """

    __repr__ = str.__str__


@dataclass(frozen=True)
class Prediction:
    """A question, and what is known of its answer so far; times are UTC, `near` is what the confidence is about.

    >>> Prediction("rules", "How many?", unit="%", guess=30, near=(20, 40), measured=24).right
    True
    """

    name: str
    question: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    lesson: str = ""
    guess: float | str | None = None
    near: tuple[float, float] | None = None
    confidence: int | None = None
    guessed: str | None = None
    measured: float | str | None = None
    revealed: str | None = None

    @property
    def key(self) -> tuple:
        """What makes it the same question: its words, its unit and its choices, in whichever lesson they stand."""
        return self.name, self.question, self.unit, self.choices

    @property
    def in_time(self) -> bool:
        """Whether there is a guess, and no number was shown before it."""
        return self.guessed is not None and (self.revealed is None or self.guessed <= self.revealed)

    @property
    def right(self) -> bool | None:
        """Whether what the confidence is about came true; None while guess or number is missing."""
        if self.guess is None or self.measured is None:
            return None
        if self.near is None or isinstance(self.measured, str):
            return self.guess == self.measured
        return self.near[0] <= self.measured <= self.near[1]


Book = dict[tuple, Prediction]


class Kept(NamedTuple):
    """A prediction as it now stands, and what the learner should be told about its file ("" where all is well)."""

    prediction: Prediction
    notice: str


class TooLate(ValueError):
    """The number has been shown, and a guess was made before."""


class Unreadable(ValueError):
    """Text that is no file of predictions."""


class Newer(OSError):
    """A file that a later version of the course has written."""


_unsaved: Book = {}  # what no file holds yet


def place() -> Path | None:
    """The learner's file, or None where TALKS_PREDICTIONS is "off"; a relative path starts at the project's folder.

    >>> os.environ[VARIABLE], place()  # in the tests
    ('off', None)
    """
    told = os.environ.get(VARIABLE, "").strip()
    if told.lower() == OFF:
        return None
    path = ROOT / os.path.expanduser(told) if told else user_data_path(APPLICATION, appauthor=False) / FILE
    return Path(os.path.realpath(path / FILE if os.path.isdir(path) else path))


# --- one question --------------------------------------------------------------------------------------------


def levels(choices: int = 0) -> list[int]:
    """The confidences (percent) to choose from: among some choices none is below a blind pick's.

    >>> levels(), levels(choices=3)
    ([10, 25, 50, 75, 90, 99], [33, 50, 75, 90, 99])
    """
    blind = round(100 / choices) if choices else min(LEVELS)
    return [blind, *(level for level in LEVELS if level > blind)]


def find(asked: Prediction) -> Kept:
    """The question with what is known of it."""
    return Kept(*_with_book(lambda book: book.get(asked.key, asked)))


def guess(asked: Prediction, value: float | str, near=None, confidence: int | None = None) -> Kept:
    """Keeps a guess; it replaces an earlier one.

    >>> guess(Prediction("sounds", "How many?"), 30, near=(20, 40), confidence=75).prediction.confidence
    75

    Raises TooLate where a guess made in time stands beside a number that has been shown.
    """

    def keep(book: Book) -> Prediction:
        known = book.get(asked.key, asked)
        if known.in_time and known.revealed:
            raise TooLate("The number has been shown, and your guess from before stays.")
        known = replace(known, lesson=asked.lesson or known.lesson, guess=value, near=near, confidence=confidence)
        book[asked.key] = replace(known, guessed=_now(later_than=known.revealed))
        return book[asked.key]

    return Kept(*_with_book(keep))


def reveal(asked: Prediction, measured) -> Kept:
    """Keeps the number (or the right choice) that is being shown: the first time, for good.

    >>> reveal(Prediction("letters", "How many?"), 24).prediction.measured
    24
    """
    shown = str(measured) if asked.choices else _plain(measured)

    def keep(book: Book) -> Prediction:
        known = book.get(asked.key, asked)
        if shown is None or known.revealed:
            return known
        known = replace(known, lesson=asked.lesson or known.lesson, measured=shown)
        book[asked.key] = replace(known, revealed=max(_now(), known.guessed or ""))
        return book[asked.key]

    return Kept(*_with_book(keep))


# --- all of them ---------------------------------------------------------------------------------------------


def everything() -> list[Prediction]:
    """All predictions, in the order in which their questions were first met. A damaged file is told by a warning."""
    made, notice = _with_book(lambda book: list(book.values()))
    if notice:
        warnings.warn(notice, stacklevel=2)
    return made


def scored() -> list[Prediction]:
    """Those that count: with a guess in time, a confidence, and a number since.

    The Brier score, and the points of a calibration figure:

        made = predictions.scored()
        brier = np.mean([(one.confidence / 100 - one.right) ** 2 for one in made])
        said = sorted({one.confidence for one in made})
        right = [np.mean([one.right for one in made if one.confidence == level]) for level in said]
    """
    return [one for one in everything() if one.in_time and one.confidence is not None and one.right is not None]


def export_to(path: str | Path = "my_predictions.json") -> Sentence:
    """Writes all predictions into a file, to be taken along. What is there already is never overwritten."""
    made, notice = _with_book(lambda book: list(book.values()))
    if not made:
        return _sentence("There is nothing to write yet: no number has been guessed or shown.", notice)
    try:
        path = _write_anew(Path(os.path.expanduser(path)), _told(made))
    except OSError as error:
        return _sentence(f"Nothing was written: {_reason(error)}. Name a file in another folder.", notice)
    told = f"{_count(made)} in {path}."
    if path.parent == Path("."):
        told += (
            " It is in this notebook's folder: right-click it in the list of files on the left, and choose Download."
        )
    return _sentence(told, notice)


def import_from(source: str | Path | bytes) -> Sentence:
    """Brings in the predictions of such a file, by its path or its bytes.

    Of two guesses at one question the earlier stays: it cannot have learned from the other one's number.
    """
    try:
        made, wrong = _read(source if isinstance(source, bytes) else _content(Path(os.path.expanduser(source))))
    except (OSError, Unreadable) as error:
        return Sentence(f"Nothing came in: {_reason(error)}. Your own predictions are as they were.")

    (new, changed), notice = _with_book(lambda book: _merge(book, made))
    told = f"{_count(made)} read: {new} new here, {changed} with an earlier guess or number than here"
    told += f", {len(made) - new - changed} as here already."
    out = f"{wrong} more in the file could not be read, and stayed out." if wrong else ""
    return _sentence(told, out, notice)


def begin_again() -> Sentence:
    """Sets the file aside under a name with the date, for another learner or a second time through the course."""
    made, notice = _with_book(lambda book: list(book.values()))
    path = place()
    if path is None or not (made or notice):
        _unsaved.clear()
        return Sentence("No file holds any predictions yet: begin.")
    if _unsaved or not made:  # what could not be written, or not be read, would be lost
        return Sentence(notice)
    try:
        with _locked(path):
            aside = _free(path.with_name(f"{path.stem}-until-{_stamp()}{path.suffix}"))
            path.rename(aside)
    except OSError as error:
        return Sentence(f"Your predictions stay where they are: {_reason(error)}.")
    return _sentence(f"Your predictions so far are in {aside}. To begin again, restart the open notebooks.", notice)


# --- the file ------------------------------------------------------------------------------------------------


def _with_book(use: Callable[[Book], Answer]) -> tuple[Answer, str]:
    """What `use` makes of the book of all predictions, which it may change; and what to tell about the file."""
    path = place()
    if path is None:
        return use(_unsaved), ""
    try:
        with _locked(path):
            book, notice = _open(path)
            on_disk = dict(book)
            _add_unsaved(book)
            answer = use(book)
            if book != on_disk or notice:
                _replace(path, _told(book.values()))
            _unsaved.clear()
            return answer, notice
    except OSError as error:  # filelock's Timeout is one, too
        return _in_memory(path, use), _trouble(path, error)


def _in_memory(path: Path, use: Callable[[Book], Answer]) -> Answer:
    """As _with_book, where the file cannot be changed: it is read if it can be, and changes wait in memory."""
    book: Book = {}
    with suppress(OSError, Unreadable):
        _merge(book, _read(_content(path))[0])
    on_disk = dict(book)
    _add_unsaved(book)
    answer = use(book)
    _unsaved.update({key: one for key, one in book.items() if on_disk.get(key) != one})
    return answer


def _locked(path: Path):
    _check_is_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{path}.lock", timeout=PATIENCE)


def _open(path: Path) -> tuple[Book, str]:
    """The file's predictions; if it is damaged, a whole copy is set aside first, and the notice says where."""
    book: Book = {}
    try:
        made, wrong = _read(_content(path))
    except FileNotFoundError:
        return {}, ""
    except Unreadable:
        made, wrong = [], 1
    _merge(book, made)
    if not wrong:
        return book, ""
    aside = _set_aside(path)
    rest = f" {_count(made)} in it could be read, and go on." if made else ""
    return book, f"The file of your predictions was damaged. It is set aside, whole, as {aside}.{rest}"


def _set_aside(path: Path) -> Path:
    for earlier in path.parent.glob(f"{path.stem}-damaged-*{path.suffix}"):
        if filecmp.cmp(path, earlier, shallow=False):
            return earlier
    aside = _free(path.with_name(f"{path.stem}-damaged-{_stamp()}{path.suffix}"))
    shutil.copyfile(path, aside)
    return aside


def _replace(path: Path, text: str) -> None:
    """Puts a new text in the file's place in a single step: whoever pulls the plug finds the old one or the new."""
    part = path.with_suffix(".part")
    try:
        _write(part, text, "w")
        os.replace(part, path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def _write_anew(path: Path, text: str) -> Path:
    """Writes a file that is not there yet: its name gets a number where it is taken."""
    while True:
        path = _free(path)
        try:
            _write(path, text, "x")
            return path
        except FileExistsError:
            continue
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise


def _write(path: Path, text: str, mode: str) -> None:
    with path.open(mode, encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _free(path: Path) -> Path:
    """The path, or the same with the first number from 2 on that is not taken."""
    free, number = path, 2
    while free.exists():
        free, number = path.with_name(f"{path.stem}_{number}{path.suffix}"), number + 1
    return free


def _trouble(path: Path, error: Exception) -> str:
    return (
        f"Your predictions are kept in this notebook only, until its kernel stops: {_reason(error)} ({path}). "
        "To keep them, run widgets.carry_predictions()."
    )


def _reason(error: Exception) -> str:
    if isinstance(error, Timeout):
        return f"another notebook has held the file for {PATIENCE} seconds"
    return getattr(error, "strerror", None) or str(error)


# --- the text ------------------------------------------------------------------------------------------------


def _told(made: Iterable[Prediction]) -> str:
    table = {"file": f"predictions, {APPLICATION}", "version": VERSION, "predictions": [asdict(one) for one in made]}
    return json.dumps(table, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _content(path: Path) -> bytes:
    """A file's bytes, as far as one too many. Raises OSError also for a device: reading it might never end."""
    _check_is_file(path)
    with path.open("rb") as file:
        return file.read(LONGEST + 1)


def _check_is_file(path: Path) -> None:
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(f"{path.name} is not a file")


def _read(content: bytes) -> tuple[list[Prediction], int]:
    """The predictions in a file, and how many of its entries are none.

    Raises Unreadable where it is no file of predictions, Newer where it is one of a later version.
    """
    if len(content) > LONGEST:
        raise Unreadable("the file is too large to be one of predictions")
    try:
        table = json.loads(content.decode("utf-8-sig"))
        version, entries = table["version"], table["predictions"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Unreadable("this is no file of predictions, or a damaged one") from None
    if type(version) is int and version > VERSION:
        raise Newer("a later version of the course has written the file: update the course")
    if version != VERSION or not isinstance(entries, list):
        raise Unreadable("this is no file of predictions, or a damaged one")
    made = []
    for entry in entries:
        with suppress(ValueError):
            made.append(_prediction(entry))
    return made, len(entries) - len(made)


def _prediction(entry: dict) -> Prediction:
    """One entry of a file. Raises ValueError where anything in it is not what it should be."""
    texts = ("name", "question", "unit", "lesson")
    if not isinstance(entry, dict) or entry.keys() != {field.name for field in fields(Prediction)}:
        raise ValueError("keys")
    if not all(isinstance(entry[key], str) for key in texts):
        raise ValueError("texts")
    if not isinstance(entry["choices"], list) or not all(isinstance(one, str) for one in entry["choices"]):
        raise ValueError("choices")
    near, confidence = entry["near"], entry["confidence"]
    if near is not None and not (isinstance(near, list) and len(near) == 2 and all(map(_is_number, near))):
        raise ValueError("near")
    if confidence is not None and not (type(confidence) is int and 0 <= confidence <= 100):
        raise ValueError("confidence")
    for answer, at in (("guess", "guessed"), ("measured", "revealed")):
        if (entry[answer] is None) != (entry[at] is None):
            raise ValueError(at)
        if entry[at] is not None:
            _moment(str(entry[at]))
    kind = str if entry["choices"] else float
    if not all(entry[answer] is None or _is(kind, entry[answer]) for answer in ("guess", "measured")):
        raise ValueError("answers")
    return Prediction(**{**entry, "choices": tuple(entry["choices"]), "near": tuple(near) if near else None})


def _is(kind: type, value) -> bool:
    return isinstance(value, str) if kind is str else _is_number(value)


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _plain(measured) -> float | str | None:
    """A measured value as the file holds it; None for what is no single number, and no text."""
    if isinstance(measured, str):
        return str(measured)
    try:
        value = float(measured)
    except (TypeError, ValueError, OverflowError):
        return None
    return (int(value) if value.is_integer() else value) if _is_number(value) else None


# --- merging and telling -------------------------------------------------------------------------------------


def _merge(book: Book, made: Iterable[Prediction]) -> tuple[int, int]:
    """Adds predictions to a book; says how many were new, and how many changed the one that was there."""
    before = dict(book)
    for one in made:
        book[one.key] = _merged(book[one.key], one) if one.key in book else one
    return len(book) - len(before), sum(book[key] != one for key, one in before.items())


def _merged(mine: Prediction, other: Prediction) -> Prediction:
    """The earlier of two guesses, and the number that was shown first."""
    guess_of = min((mine, other), key=lambda one: one.guessed or "~")
    reveal_of = min((mine, other), key=lambda one: one.revealed or "~")
    parts = {name: getattr(guess_of, name) for name in ("guess", "near", "confidence", "guessed")}
    parts |= {name: getattr(reveal_of, name) for name in ("measured", "revealed")}
    return replace(mine, lesson=mine.lesson or other.lesson, **parts)


def _add_unsaved(book: Book) -> None:
    """What waits in memory was changed last, unless another notebook has shown the number since."""
    for key, one in _unsaved.items():
        book[key] = _merged(book[key], one) if key in book and book[key].revealed else one


def _sentence(*parts: str) -> Sentence:
    return Sentence(" ".join(filter(None, parts)))


def _count(made: list) -> str:
    return f"{len(made)} prediction" + ("s" if len(made) != 1 else "")


def _now(later_than: str | None = None) -> str:
    """This moment; or, if a clock was set back, one just after what it must follow."""
    now = datetime.now(UTC)
    if later_than:
        now = max(now, _moment(later_than) + timedelta(milliseconds=1))
    return _told_time(now)


def _told_time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(told: str) -> datetime:
    """The time of such a text. Raises ValueError for any other form: texts of one form sort as the times do."""
    moment = datetime.strptime(told, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    if _told_time(moment) != told:
        raise ValueError(told)
    return moment


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
