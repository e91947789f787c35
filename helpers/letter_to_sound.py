"""English letter-to-sound rules written by hand: reading them, and applying them to a word."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from helpers import checksums

Sounds = tuple[str, ...]

RULES_FILE = Path(__file__).parents[1] / "data" / "letter_to_sound_rules.csv"
SOUND_NAMES = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
SOUNDS = frozenset(SOUND_NAMES.split())


class Rule(NamedTuple):
    """`letters` between `before` and `after` are said as `sounds`; `step` is the round in which it was written."""

    step: int
    before: str
    letters: str
    after: str
    sounds: Sounds
    example: str
    why: str


def read_rules(path: Path | str = RULES_FILE, up_to_step: int | None = None) -> list[Rule]:
    """The rules of a CSV file in the order in which they are tried, or only those written by round `up_to_step`.

    `before` and `after` are regular expressions: the text that must end where the letters begin (`^` is
    the start of the word), and the text that must follow them (`$` is the end of the word).

    >>> [len(read_rules(up_to_step=step)) for step in (0, 1)]
    [0, 26]
    >>> read_rules()[-1].letters
    'z'

    Raises ValueError, with the file and the line, if the file is not such a table; Fault where the course's own is
    missing or damaged.
    """
    reader = csv.DictReader(io.StringIO(checksums.read(Path(path)), newline=""))
    missing = [column for column in Rule._fields if column not in (reader.fieldnames or [])]
    if missing:
        raise ValueError(f"{path}, line 1: missing column {', '.join(missing)}")
    rules = [_rule(row, f"{path}, line {reader.line_num}") for row in reader]
    return [rule for rule in rules if up_to_step is None or rule.step <= up_to_step]


def _rule(row: dict[str, str | None], place: str) -> Rule:
    values = {column: row[column] for column in Rule._fields}
    if None in values.values() or None in row:
        raise ValueError(f"{place}: a rule has {len(Rule._fields)} columns, this line has more or fewer")
    if not values["step"].isdecimal():
        raise ValueError(f"{place}: step {values['step']!r} is not a whole number")
    if not values["letters"]:
        raise ValueError(f"{place}: a rule needs at least one letter")
    for column in ("before", "after"):
        try:
            re.compile(values[column])
        except re.error as error:
            raise ValueError(f"{place}: {column} {values[column]!r} is not a regular expression: {error}") from error
    sounds = tuple(values["sounds"].split())
    if unknown := [sound for sound in sounds if sound not in SOUNDS]:
        raise ValueError(f"{place}: unknown sound {', '.join(unknown)}")
    return Rule(**(values | {"step": int(values["step"]), "sounds": sounds}))


def pronounce_by_rules(word: str, rules: list[Rule]) -> Sounds:
    """The sounds of a word: at each position the first rule that fits says its sounds; no rule, no sound.

    >>> pronounce_by_rules("phone", read_rules())
    ('F', 'OW', 'N')
    """
    sounds, position = [], 0
    while position < len(word):
        for rule in rules:
            rest = word[position + len(rule.letters) :]
            if (
                word.startswith(rule.letters, position)
                and re.search(f"(?:{rule.before})$", word[:position])
                and re.match(rule.after, rest)
            ):
                sounds += rule.sounds
                position += len(rule.letters)
                break
        else:
            position += 1
    return tuple(sounds)


def compile_rules(rules: list[Rule]) -> Callable[[str], Sounds]:
    """The same answers as `pronounce_by_rules`, several times faster: `compile_rules(rules)(word)`.

    Only the rules for the letter at hand are tried, and each expression is compiled once.

    >>> compile_rules(read_rules())("phone")
    ('F', 'OW', 'N')
    """
    by_first_letter: dict[str, list] = {}
    for rule in rules:
        before = re.compile(f"(?:{rule.before})$").search
        after = re.compile(rule.after).match
        entry = (rule.letters, before, after, rule.sounds)
        by_first_letter.setdefault(rule.letters[0], []).append(entry)

    def pronounce(word: str) -> Sounds:
        sounds, position = [], 0
        while position < len(word):
            so_far = word[:position]
            for letters, before, after, new_sounds in by_first_letter.get(word[position], ()):
                end = position + len(letters)
                if word.startswith(letters, position) and before(so_far) and after(word[end:]):
                    sounds += new_sounds
                    position = end
                    break
            else:
                position += 1
        return tuple(sounds)

    return pronounce
