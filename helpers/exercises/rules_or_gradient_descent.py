"""The exercises of lesson 3.1: edit distance, error rate, one rule of your own, and where two curves cross."""

import random
import re
from functools import cache
from typing import NamedTuple

import nltk
import numpy as np

from helpers import data
from helpers.exercises import (
    CORRECT,
    NOT_YET,
    Exercise,
    FunctionExercise,
    Mistake,
    number,
    number_or_none,
    whole_number,
    with_article,
)
from helpers.letter_to_sound import SOUNDS, Rule, compile_rules, read_rules

# Exercise 1: edit distance


def my_edit_distance(first: str | tuple, second: str | tuple) -> int:
    """Return the least number of insertions, deletions and substitutions that turn first into second."""
    row = list(range(len(second) + 1))  # from nothing to each beginning of second: insert all of it
    for i, a in enumerate(first, start=1):
        above, row = row, [i]
        for j, b in enumerate(second, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


def _pairs() -> list[tuple]:
    """Pairs to compare, the shortest first; the last two are too long for a recursion that remembers nothing."""
    pairs = [("", ""), ("a", ""), ("", "a"), ("a", "a"), ("a", "b"), ("a", "ab"), ("aab", "ab"), ("ab", "aab")]
    pairs += [("cat", "cat"), ("at", "cat"), ("cat", "at"), ("cat", "cut"), ("cat", "bat"), ("ab", "ba")]
    pairs += [("toc", "cot"), ("form", "from"), ("kitten", "sitting"), ("saturday", "sunday")]
    draw = random.Random(0)
    for _ in range(60):
        pairs.append(tuple("".join(draw.choices("abc", k=draw.randrange(6))) for _ in range(2)))
    pairs += [(("K", "AE", "T"), ("K", "AA", "T", "S")), (("SH", "IH", "P"), ("S", "IH", "P", "S"))]
    pairs += [("responsibility", "acknowledgement"), ("internationalization", "counterrevolutionary")]
    return sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1]))


edit_distance = FunctionExercise(
    "edit_distance",
    "Write `my_edit_distance(first, second)`: the least number of letters or sounds to insert, delete or substitute to "
    "turn `first` into `second`.",
    [
        "Begin with the ends: how far is it from nothing to a word of three letters, and how far back?",
        "Compare the last letters of both. Either the one in `first` is deleted, or the one in `second` is inserted, "
        "or they stand for each other, which costs 1 if they differ and 0 if they are equal. What is left is a smaller "
        "problem of the same kind.",
        "Many smaller problems come up again and again: fill a table, one row for each beginning of `first` and one "
        "column for each beginning of `second`. The first row is 0, 1, 2, ...; so is the first column; every other "
        "entry is the least of three neighbours, plus what the step costs. The answer is the last entry.",
    ],
    my_edit_distance,
    cases=_pairs(),
    read=whole_number,
    noun="the distance",
)


def _table(first, second, row=None, column=None, delete=1, insert=1, substitute=1, equal=0) -> list[list]:
    """The whole table of edit distances, with borders and costs that can be set wrong."""
    table = [list(range(len(second) + 1)) if row is None else [row] * (len(second) + 1)]
    for i, a in enumerate(first, start=1):
        table.append([i if column is None else column])
        for j, b in enumerate(second, start=1):
            step = table[i - 1][j - 1] + (equal if a == b else substitute)
            table[i].append(min(table[i - 1][j] + delete, table[i][j - 1] + insert, step))
    return table


@edit_distance.mistake
def compares_position_by_position(first, second):
    """You compare the two position by position and leave out what one has more than the other. A letter that was
    inserted or deleted moves all that follow it: let a position in one stand against another position in the other."""
    return sum(a != b for a, b in zip(first, second))


@edit_distance.mistake
def compares_positions_and_adds_the_rest(first, second):
    """You compare position by position and add the difference in length. One letter deleted at the front then makes
    every position differ, although a single deletion mends it."""
    return sum(a != b for a, b in zip(first, second)) + abs(len(first) - len(second))


@edit_distance.mistake
def compares_the_lengths(first, second):
    """This is the difference of the two lengths: two words of equal length can still differ in every letter."""
    return abs(len(first) - len(second))


@edit_distance.mistake
def compares_sets(first, second):
    """You compare which letters occur, as sets. A set knows neither the order of the letters nor how often each
    occurs."""
    return len(set(first) ^ set(second))


@edit_distance.mistake
def forgets_both_borders(first, second):
    """The first row and the first column of your table are all 0, as if getting from nothing to a word were free.
    They must count up: 0, 1, 2, ..."""
    return _table(first, second, row=0, column=0)[-1][-1]


@edit_distance.mistake
def forgets_the_first_row(first, second):
    """The first row of your table is all 0, so that inserting the beginning of `second` is free. It must count up:
    0, 1, 2, ..."""
    return _table(first, second, row=0)[-1][-1]


@edit_distance.mistake
def forgets_the_first_column(first, second):
    """The first column of your table is all 0, so that deleting the beginning of `first` is free. It must count up:
    0, 1, 2, ..."""
    return _table(first, second, column=0)[-1][-1]


@edit_distance.mistake
def pays_two_for_a_substitution(first, second):
    """Your substitution costs 2, or there is none, so that a deletion and an insertion take its place. One letter
    substituted for another counts once."""
    return _table(first, second, substitute=2)[-1][-1]


@edit_distance.mistake
def pays_for_equal_letters(first, second):
    """You count a step for two letters that are equal. Only letters that differ cost a substitution."""
    return _table(first, second, equal=1)[-1][-1]


@edit_distance.mistake
def never_inserts(first, second):
    """Inside your table nothing is ever inserted: the entry to the left, plus 1, is missing from the least of three."""
    return _table(first, second, insert=1000)[-1][-1]


@edit_distance.mistake
def never_deletes(first, second):
    """Inside your table nothing is ever deleted: the entry above, plus 1, is missing from the least of three."""
    return _table(first, second, delete=1000)[-1][-1]


@edit_distance.mistake
def counts_a_swap_once(first, second):
    """Two neighbours that changed places count as one edit in your distance. Here they count as two: a swap is not
    among the three edits."""
    return nltk.edit_distance(first, second, transpositions=True)


@edit_distance.mistake
def returns_one_entry_too_early(first, second):
    """Your answer is one row and one column away from the last entry, so that the last letters are never compared.
    The table has one row and one column more than there are letters."""
    return _table(first, second)[len(first) - 1][len(second) - 1]


@edit_distance.mistake
def runs_past_the_end(first, second):
    """Rows and columns are one ahead of the letters, because the first row and column stand for nothing: row i belongs
    to the letter `first[i - 1]`."""
    table = _table(first, second)
    for i in range(1, len(first) + 1):
        for j in range(1, len(second) + 1):
            table[i][j] = table[i - 1][j - 1] + (first[i] != second[j])
    return table[-1][-1]


@edit_distance.mistake
def counts_what_is_shared(first, second):
    """You count what the two have in common: the larger it is, the more alike they are. A distance is 0 for two equal
    words."""
    return (len(first) + len(second) - _table(first, second, substitute=2)[-1][-1]) // 2


@edit_distance.mistake
def returns_a_share(first, second):
    """You divide by the length of the longer one. The distance is the count itself; the error rate, in the next
    exercise, does the dividing."""
    return my_edit_distance(first, second) / max(len(first), len(second))


@edit_distance.mistake
def returns_a_float(first, second):
    """The numbers are right, but a count is a whole number: a table made with `np.zeros` holds floats. Ask for whole
    numbers, `dtype=int`, or return `int(...)`."""
    return float(my_edit_distance(first, second))


@edit_distance.mistake
def returns_the_table(first, second):
    """You return a whole list; if it is the table or its last row, the distance is its last entry."""
    return _table(first, second)[-1]


@edit_distance.mistake
def recurses_without_end(first, second):
    """Your recursion has no case that ends it: when one of the two is empty, the distance is the length of the
    other."""
    return min(recurses_without_end(first[1:], second) + 1, recurses_without_end(first, second[1:]) + 1)


@edit_distance.mistake(too_slow=True)
def remembers_nothing(first, second):
    """A recursion that remembers nothing solves the same small problems again and again: for two words of 14 letters,
    billions of times. Remember them, with `functools.cache` above the function or in a table."""
    if not first or not second:
        return len(first) + len(second)
    return min(
        remembers_nothing(first[1:], second) + 1,
        remembers_nothing(first, second[1:]) + 1,
        remembers_nothing(first[1:], second[1:]) + (first[0] != second[0]),
    )


# Exercise 2: error rate with several right answers


def my_phoneme_error_rate(answers: list, references: list) -> float:
    """Return the share of sounds that are wrong, against the nearest of the listed pronunciations of each word."""
    errors = sounds = 0
    for answer, listed in zip(answers, references):
        nearest = min(listed, key=lambda pronunciation: nltk.edit_distance(answer, pronunciation))
        errors += nltk.edit_distance(answer, nearest)
        sounds += len(nearest)
    return errors / sounds if sounds else 0.0


def _said(words: str) -> list:
    """The sounds of words that are written as "K AE T | T AH / T OW": a bar between words, a slash between answers."""
    return [[tuple(sounds.split()) for sounds in word.split("/")] for word in words.split("|")]


def _answers_and_references() -> list[tuple]:
    """Small cases first; no word has two nearest pronunciations of different lengths; no words at all comes last."""
    written = [
        ("K AE T", "K AE T"),
        ("K", "K S"),
        ("", "K"),
        ("AH K", "AA K"),
        ("S K AE T", "K AE T"),
        ("T OW", "T OW M EY / T OW"),
        ("T OW", "T AH M EY / T AA"),
        ("S | K AE T S", "K | K AE T S"),
        ("K AE T", "S"),
        ("R EH D", "R EH / R EH D IH NG"),
        ("R IY D Z | L AY V | S", "R EH D / R IY D | L IH V / L AY V | S AH N"),
        ("T AH M AA T OW | DH EH", "T AH M EY T OW / T AH M AA T OW | DH IY / S AH S"),
    ]
    cases = [([word[0] for word in _said(said)], _said(listed)) for said, listed in written]
    return [*cases, ([], [])]


phoneme_error_rate = FunctionExercise(
    "phoneme_error_rate",
    "Write `my_phoneme_error_rate(answers, references)`: the edits from each answer to the nearest of its listed "
    "pronunciations, summed over all words and divided by the number of sounds in those pronunciations; 0.0 for no "
    "words.",
    [
        "Take one word first. Which of its listed pronunciations is nearest to the answer, by edit distance? "
        "`nltk.edit_distance(a, b)` takes tuples of sounds, as your own does.",
        "Keep two sums over all words: the edits to the nearest pronunciation, and the sounds that it has. Divide "
        "once, at the end.",
        "`min(listed, key=...)` finds the nearest pronunciation, if the key is its edit distance from the answer. Mind "
        "the empty list: without words there is nothing to divide by.",
    ],
    my_phoneme_error_rate,
    cases=_answers_and_references(),
    read=number,
    noun="the error rate",
)


def _nearest(answer, listed):
    return min(listed, key=lambda pronunciation: my_edit_distance(answer, pronunciation))


def _share(errors, sounds) -> float:
    return sum(errors) / sum(sounds) if sum(sounds) else 0.0


def _edits(answers, references) -> list[int]:
    return [my_edit_distance(answer, _nearest(answer, listed)) for answer, listed in zip(answers, references)]


def _sounds(answers, references) -> list[int]:
    return [len(_nearest(answer, listed)) for answer, listed in zip(answers, references)]


@phoneme_error_rate.mistake
def takes_the_first_listed(answers, references):
    """You compare with the first listed pronunciation alone. Any listed one is right: take the nearest."""
    return my_phoneme_error_rate(answers, [listed[:1] for listed in references])


@phoneme_error_rate.mistake
def takes_the_farthest(answers, references):
    """You take the listed pronunciation that is farthest from the answer: `max` where `min` is needed."""
    farthest = [max(listed, key=lambda p: my_edit_distance(a, p)) for a, listed in zip(answers, references)]
    return my_phoneme_error_rate(answers, [[pronunciation] for pronunciation in farthest])


@phoneme_error_rate.mistake
def adds_all_listed(answers, references):
    """You add the edits to every listed pronunciation. One right answer is enough: add only those to the nearest."""
    edits = [my_edit_distance(answer, p) for answer, listed in zip(answers, references) for p in listed]
    return _share(edits, _sounds(answers, references))


@phoneme_error_rate.mistake
def averages_the_words(answers, references):
    """You average the words' own error rates, so that a sound in a short word weighs more than one in a long word. Sum
    the edits, sum the sounds, and divide once."""
    rates = [e / s for e, s in zip(_edits(answers, references), _sounds(answers, references))]
    return sum(rates) / len(rates) if rates else 0.0


@phoneme_error_rate.mistake
def divides_by_the_answers(answers, references):
    """You divide by the number of sounds in the answers. Then a system that says too much would look better: divide by
    the sounds of the references."""
    return _share(_edits(answers, references), [len(answer) for answer in answers])


@phoneme_error_rate.mistake
def divides_by_the_words(answers, references):
    """You divide by the number of words: that is the number of edits a word. Divide by the number of sounds."""
    return sum(_edits(answers, references)) / len(answers) if answers else 0.0


@phoneme_error_rate.mistake
def divides_by_the_first_listed(answers, references):
    """The edits are right, but you divide by the length of the first listed pronunciation, not by that of the nearest
    one."""
    lengths = [len(listed[0]) for listed in references]
    return _share(_edits(answers, references), lengths)


@phoneme_error_rate.mistake
def divides_by_all_listed(answers, references):
    """You divide by the sounds of all the listed pronunciations together. Only the nearest one of each word counts."""
    lengths = [sum(map(len, listed)) for listed in references]
    return _share(_edits(answers, references), lengths)


@phoneme_error_rate.mistake
def divides_whole_numbers(answers, references):
    """You divide with `//`, which drops everything after the point. A share needs `/`."""
    return sum(_edits(answers, references)) // max(1, sum(_sounds(answers, references)))


@phoneme_error_rate.mistake
def returns_percent(answers, references):
    """This is the error rate in percent, a hundred times too large. Return the share, between 0 and about 1."""
    return 100 * my_phoneme_error_rate(answers, references)


@phoneme_error_rate.mistake
def returns_what_is_right(answers, references):
    """This is 1 minus the error rate: the share that is right, not the share that is wrong."""
    return 1 - my_phoneme_error_rate(answers, references)


@phoneme_error_rate.mistake
def counts_wrong_words(answers, references):
    """You count the words that are wrong: that is the word error rate. Count the edits between the sounds."""
    wrong = [answer not in listed for answer, listed in zip(answers, references)]
    return sum(wrong) / len(wrong) if wrong else 0.0


@phoneme_error_rate.mistake
def takes_the_lowest_rate(answers, references):
    """You choose the pronunciation with the lowest rate, edits over length, which favours long ones. The nearest is the
    one with the fewest edits."""
    chosen = [min(listed, key=lambda p: my_edit_distance(a, p) / len(p)) for a, listed in zip(answers, references)]
    return my_phoneme_error_rate(answers, [[pronunciation] for pronunciation in chosen])


@phoneme_error_rate.mistake
def compares_letters(answers, references):
    """You joined the sounds into one text, so that its letters are compared: K for AH then costs two edits. Keep each
    sound as one item of the tuple."""
    listed_texts = [["".join(pronunciation) for pronunciation in listed] for listed in references]
    return my_phoneme_error_rate(["".join(answer) for answer in answers], listed_texts)


@phoneme_error_rate.mistake
def compares_sounds_by_position(answers, references):
    """You compare sounds that stand at the same position. One sound too many at the front then makes all others wrong:
    use the edit distance."""
    errors, sounds = 0, 0
    for answer, listed in zip(answers, references):
        distances = [compares_positions_and_adds_the_rest(answer, p) for p in listed]
        errors += min(distances)
        sounds += len(listed[distances.index(min(distances))])
    return errors / sounds if sounds else 0.0


@phoneme_error_rate.mistake
def divides_by_nothing(answers, references):
    """All is right except for empty lists: without words there is no sound to divide by. Return 0.0 for them."""
    return sum(_edits(answers, references)) / sum(_sounds(answers, references))


# Exercise 3: one rule

my_rule = ("", "sh", "", "SH")  # wherever "sh" stands, say SH

POINTS = 0.1  # percentage points by which a rule must lower the phoneme error
WORDS = 500  # development words on which it is measured
FEWEST = 20  # training words that a rule must fit, so as to be more than an exception


class Effect(NamedTuple):
    """What a rule does to the development words: phoneme errors in percent, and (word, answer before, answer after)."""

    before: float
    after: float
    better: list[tuple]
    worse: list[tuple]
    neither: list[tuple]

    @property
    def gain(self) -> float:
        return self.before - self.after


@cache
def _development_words() -> dict:
    words = sorted(data.cmu_split_by_stem().development.items())
    return dict(words[i * len(words) // WORDS] for i in range(WORDS))


@cache
def _start_rules() -> list[Rule]:
    return read_rules(up_to_step=1)


def _effect(before: str, letters: str, after: str, sounds: tuple) -> Effect:
    """What the rule changes when it is tried in front of the 26 rules that say one sound a letter."""
    words = _development_words()
    rule = Rule(0, before, letters, after, sounds, "", "")
    old, new = compile_rules(_start_rules()), compile_rules([rule, *_start_rules()])
    answers = [(word, old(word), new(word)) for word in words]
    better, worse, neither = [], [], []
    for word, was, now in answers:
        if was != now:
            gain = min(_edits_to(was, words[word])) - min(_edits_to(now, words[word]))
            (better if gain > 0 else worse if gain < 0 else neither).append((word, was, now))
    rates = [100 * my_phoneme_error_rate([answer[i] for answer in answers], list(words.values())) for i in (1, 2)]
    return Effect(*rates, better, worse, neither)


def _edits_to(answer: tuple, listed: list[tuple]) -> list[int]:
    return [nltk.edit_distance(answer, pronunciation) for pronunciation in listed]


def _training_words_that_fit(before: str, letters: str, after: str) -> int:
    fits = re.compile(f"(?:{before}){letters}(?:{after})").search
    return sum(fits(word) is not None for word in data.cmu_split_by_stem().training)


class RuleExercise(Exercise):
    """Write one letter-to-sound rule: it passes if the phoneme error on development words falls by enough."""

    def prepare(self) -> None:
        _development_words()
        _start_rules()

    def observe(self, attempt: object, seen: list) -> None:
        seen.append(self._examine(attempt))

    def judge(self, seen: list, run, seconds: float) -> tuple[str, list[str], str | None]:
        if seen:
            heading, paragraphs, mistake = seen[0]
            diagnosis = [known.diagnosis for known in self.mistakes if known.name == mistake]
            return heading, paragraphs + diagnosis, mistake
        reason = {
            "interrupted": "you interrupted the check.",
            "time": f"it takes more than {seconds:g} seconds. Is there a `+` or a `*` inside another one?",
        }.get(run.stopped, f"the check ended early, {run.stopped or run.error.__name__}.")
        return NOT_YET, [f"Your rule was not measured: {reason}"], None

    @property
    def source(self) -> str:
        return f"my_rule = {self.reference}".replace("'", '"')

    @property
    def stub(self) -> str:
        return "my_rule = ..."

    def _examine(self, attempt: object) -> tuple[str, list[str], str | None]:
        if problem := _not_a_rule(attempt):
            return NOT_YET, [problem], None
        before, letters, after, sounds = (str(part) for part in attempt)
        if found := _written_wrongly(before, letters, after, sounds):
            mistake, told = found
            return NOT_YET, [told], mistake
        rule = before, letters, after, tuple(sounds.split())
        effect = _effect(*rule)
        if effect.gain >= POINTS:
            return CORRECT, _told(rule, effect), None
        mistake, *more = self._why_it_does_not_help(rule, effect)
        return NOT_YET, _told(rule, effect) + more, mistake

    def _why_it_does_not_help(self, rule: tuple, effect: Effect) -> tuple:
        before, letters, after, _ = rule
        fits = _training_words_that_fit(before, letters, after)
        if (before or after) and _swapped_gain(rule) >= POINTS:
            return ("swaps_before_and_after",)
        if fits == 0:
            return ("never_fires",)
        if fits < FEWEST:
            return "learns_one_word_by_heart", f"It fits {fits} of the {_training_size():,} training words."
        if effect.better or effect.worse or effect.neither:
            return ("makes_it_worse",) if effect.gain < 0 else ("helps_too_little",)
        if any(re.search(f"(?:{before}){letters}(?:{after})", word) for word in _development_words()):
            return ("changes_nothing",)
        return "is_too_rare", f"It fits {fits:,} of the {_training_size():,} training words."


def _training_size() -> int:
    return len(data.cmu_split_by_stem().training)


def _swapped_gain(rule: tuple) -> float:
    before, letters, after, sounds = rule
    return _effect(after, letters, before, sounds).gain


def _not_a_rule(attempt: object) -> str | None:
    shape = 'A rule is four texts: (before, letters, after, sounds), as in ("", "th", "", "TH").'
    if type(attempt) not in (tuple, list):
        return f"{shape} Yours is {with_article(attempt)}."
    if len(attempt) != 4:
        return f"{shape} Yours has {len(attempt)}."
    named = list(zip(("before", "letters", "after", "sounds"), attempt))
    wrong = [f"{name} is not a text" for name, part in named if type(part) is not str]
    wrong += [f"{name} is longer than 100 characters" for name, part in named if type(part) is str and len(part) > 100]
    return f"{shape} In yours, {', '.join(wrong)}." if wrong else None


def _written_wrongly(before: str, letters: str, after: str, sounds: str) -> tuple[str, str] | None:
    """The name of the mistake in how a rule is written, with what was found, or None."""
    if not letters:
        return "uses_up_no_letter", "The second part of your rule, `letters`, is empty."
    if not re.fullmatch("[a-z]+", letters):
        return "letters_are_no_plain_letters", f"The second part of your rule is {letters!r}."
    if problem := _problem_with_pattern(before, after):
        return "is_no_pattern", problem
    unknown = [sound for sound in sounds.split() if sound not in SOUNDS]
    if not unknown:
        return None
    told = f"{', '.join(map(repr, unknown))} is not one of the {len(SOUNDS)} sounds."
    if any(sound.rstrip("012") in SOUNDS for sound in unknown):
        return "writes_the_stress", told
    if any(sound.upper() in SOUNDS for sound in unknown):
        return "writes_sounds_in_small_letters", told
    return "writes_letters_for_sounds", f"{told} They are {' '.join(sorted(SOUNDS))}."


def _problem_with_pattern(before: str, after: str) -> str | None:
    for name, pattern in (("before", before), ("after", after)):
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            return f"Python cannot read {name}, {pattern!r}: {error}."
    return None


def _told(rule: tuple, effect: Effect) -> list[str]:
    changed = len(effect.better) + len(effect.worse) + len(effect.neither)
    if not changed:
        return [
            f"On {WORDS} development words your rule changes nothing: {effect.before:.2f}% of the sounds are wrong."
        ]
    by = f"{abs(effect.gain):.2f} percentage points {'less' if effect.gain >= 0 else 'more'}"
    paragraphs = [
        f"Of the sounds of {WORDS} development words, {effect.before:.2f}% were wrong before your rule and "
        f"{effect.after:.2f}% are with it: {by}. To pass, a rule must lower it by at least {POINTS}.",
        f"Words that it changed: {changed}. For the better: {len(effect.better)}, for the worse: {len(effect.worse)}, "
        f"neither: {len(effect.neither)}.",
    ]
    for name, words in (("better", effect.better), ("worse", effect.worse)):
        if words:
            lines = [f"{word}: {_in_words(was)} became {_in_words(now)}" for word, was, now in words[:3]]
            paragraphs.append("\n".join([f"Some for the {name}:", *lines]))
    return paragraphs


def _in_words(sounds: tuple) -> str:
    return " ".join(sounds) or "nothing"


rule = RuleExercise(
    "rule",
    'Write one rule, `my_rule = (before, letters, after, sounds)`, such as ("", "th", "", "TH"), that lowers the '
    f"phoneme error of the 26 rules of one sound a letter by at least {POINTS} percentage points on {WORDS} "
    "development words.",
    [
        "Which two letters together make one sound in English, as th does in thin? Which letter is often silent?",
        "`before` and `after` are patterns: `^` is the beginning of the word, `$` its end, `[eiy]` one of three "
        "letters, and an empty text stands for anything. Sounds are written in capitals with spaces between them; no "
        "sound at all is an empty text.",
        "Two letters that are said as one: sh, ch, ck, ng, ll, ee. A letter that depends on the next: c before e, i or "
        "y. A letter that is silent at the end: e.",
    ],
    my_rule,
)

rule.mistakes = [
    Mistake(
        "uses_up_no_letter",
        ("", "", "$", "AH"),
        "A rule that uses up no letter would stand still in the word for ever: name at least one letter.",
    ),
    Mistake(
        "letters_are_no_plain_letters",
        ("", "[sz]h", "", "SH"),
        "It stands for itself, in the small letters a to z: patterns belong in `before` and `after`.",
    ),
    Mistake(
        "is_no_pattern",
        ("", "c", "[eiy", "S"),
        "Every bracket that opens must close, and `*`, `+` and `?` need something in front of them.",
    ),
    Mistake(
        "writes_the_stress",
        ("", "ee", "", "IY1"),
        "Stress has been removed from our dictionary: write the sound without a digit.",
    ),
    Mistake(
        "writes_sounds_in_small_letters",
        ("", "sh", "", "sh"),
        "Sounds are written in capitals, so that they are not taken for letters.",
    ),
    Mistake(
        "writes_letters_for_sounds",
        ("", "ph", "", "PH"),
        "The last part is what you hear, not what you see: say it aloud, then write its sounds with spaces between.",
    ),
    Mistake(
        "swaps_before_and_after",
        ("[eiy]", "c", "", "S"),
        "The other way round it would pass: `before` is what stands before the letters, and `after` what follows them.",
    ),
    Mistake(
        "never_fires",
        ("", "qz", "", "K"),
        "There is no word among the training words that it fits. Do the patterns ask for something impossible?",
    ),
    Mistake(
        "learns_one_word_by_heart",
        ("", "yacht", "", "Y AA T"),
        "That may be true, but it is a word learnt by heart, not a rule: find letters that many words share.",
    ),
    Mistake(
        "is_too_rare",
        ("", "tsch", "", "CH"),
        "None of the development words has it, so nothing changes. Find letters that more words share.",
    ),
    Mistake(
        "changes_nothing",
        ("", "b", "", "B"),
        "It fits, and says what was said before: the 26 rules already do this.",
    ),
    Mistake(
        "makes_it_worse",
        ("", "e", "", "IY"),
        "More goes wrong than before: look at the words that became worse, and leave them out by `before` or `after`.",
    ),
    Mistake(
        "helps_too_little",
        ("", "wr", "", "R"),
        "It is a step, but too small: find letters that more words share, or leave out the words that became worse.",
    ),
]

# Exercise 4: where two curves cross


def my_crossing(words: np.ndarray, first: np.ndarray, second: np.ndarray) -> float | None:
    """Return the number of words at which the error second falls below the error first, or None if it never does."""
    log_words = np.log(words)
    lead = first - second  # above zero where second has the lower error
    for i in range(len(words) - 1):
        if lead[i] <= 0 < lead[i + 1]:
            share = lead[i] / (lead[i] - lead[i + 1])  # of the way from point i to point i + 1
            return float(np.exp(log_words[i] + share * (log_words[i + 1] - log_words[i])))
    return None


def _curves() -> list[tuple]:
    """Words and two error curves: the crossing between two points, exactly at one, none, and more than one."""
    points = [
        ([10, 1000], [40, 40], [60, 20]),
        ([10, 1000], [40, 40], [50, 20]),
        ([10, 1000], [40, 40], [60, 50]),
        ([10, 1000], [40, 40], [30, 20]),
        ([10, 100, 1000], [50, 40, 30], [70, 45, 20]),
        ([10, 100, 1000], [50, 40, 30], [70, 40, 20]),
        ([10, 100, 1000], [40, 40, 40], [60, 40, 50]),
        ([10, 100, 1000], [40, 40, 40], [60, 50, 40]),
        ([10, 100, 1000, 10000], [40, 40, 40, 40], [30, 50, 45, 20]),
        ([10, 100, 1000, 10000], [40, 40, 40, 40], [60, 30, 50, 35]),
        ([30, 100, 300, 1000, 3000], [52, 49, 45, 43, 42], [71, 62, 55, 41, 30]),
    ]
    return [(np.array(words), np.array(first, float), np.array(second, float)) for words, first, second in points]


crossing = FunctionExercise(
    "crossing",
    "Write `my_crossing(words, first, second)`: the number of training words at which the error `second` falls below "
    "the error `first`, on straight lines between the measured points over the logarithm of words; None if it never "
    "falls below.",
    [
        "Look at `first - second`: what is its sign before the crossing, and what after it?",
        "Find the first two neighbouring points between which `first - second` goes from zero or less to more than "
        "zero. How far along the straight line between them is it zero?",
        "If that difference goes from -5 to 10, it is zero at 5/15 of the way. Go that share of the way from "
        "`np.log(words[i])` to `np.log(words[i + 1])`, and undo the logarithm with `np.exp`.",
    ],
    my_crossing,
    cases=_curves(),
    read=number_or_none,
    noun="the crossing",
)


def _place(words, first, second, find="first") -> tuple[int, float] | None:
    """The interval of the first or last crossing, and the share of the way to it."""
    lead = first - second
    places = [i for i in range(len(words) - 1) if lead[i] <= 0 < lead[i + 1]]
    if not places:
        return None
    i = places[0] if find == "first" else places[-1]
    return i, lead[i] / (lead[i] - lead[i + 1])


@crossing.mistake
def interpolates_over_words(words, first, second):
    """Your straight line runs over the number of words. The curves are drawn over its logarithm: interpolate between
    the logarithms, and undo the logarithm at the end."""
    place = _place(words, first, second)
    return place and words[place[0]] + place[1] * (words[place[0] + 1] - words[place[0]])


@crossing.mistake
def returns_the_point_before(words, first, second):
    """You return the last measured point before the crossing. The crossing lies between that point and the next."""
    place = _place(words, first, second)
    return place and words[place[0]]


@crossing.mistake
def returns_the_point_after(words, first, second):
    """You return the first measured point at which `second` is lower. By then the curves have already crossed."""
    place = _place(words, first, second)
    return place and words[place[0] + 1]


@crossing.mistake
def returns_the_index(words, first, second):
    """You return the position of a point in the list, not a number of words."""
    place = _place(words, first, second)
    return place and place[0]


@crossing.mistake
def returns_the_next_index(words, first, second):
    """You return a position in the list, that of the first point after the crossing, not a number of words."""
    place = _place(words, first, second)
    return place and place[0] + 1


@crossing.mistake
def takes_the_middle(words, first, second):
    """You take the middle between the two points. How near the crossing lies to one of them depends on how far
    apart the curves are at each."""
    place = _place(words, first, second)
    return place and np.sqrt(words[place[0]] * words[place[0] + 1])


@crossing.mistake
def leaves_the_logarithm(words, first, second):
    """You return the logarithm of the number of words: undo it with `np.exp`."""
    answer = my_crossing(words, first, second)
    return answer and np.log(answer)


@crossing.mistake
def leaves_the_logarithm_to_base_ten(words, first, second):
    """You return the logarithm to base 10 of the number of words: undo it with `10 ** answer`."""
    answer = my_crossing(words, first, second)
    return answer and np.log10(answer)


@crossing.mistake
def mixes_the_bases(words, first, second):
    """You take the logarithm to base 10 and undo it with `np.exp`, which belongs to the natural logarithm `np.log`."""
    answer = my_crossing(words, first, second)
    return answer and np.exp(np.log10(answer))


@crossing.mistake
def counts_from_the_wrong_end(words, first, second):
    """You go the right share of the way, but from the wrong end: from the point after the crossing towards the one
    before."""
    place = _place(words, first, second)
    return place and words[place[0] + 1] * (words[place[0]] / words[place[0] + 1]) ** place[1]


@crossing.mistake
def looks_for_the_wrong_direction(words, first, second):
    """You find where `first` falls below `second`. Asked for is where `second` falls below `first`."""
    return my_crossing(words, second, first)


@crossing.mistake
def takes_any_direction(words, first, second):
    """You take the first place where the curves cross in either direction. Asked for is where `second` goes from above
    to below."""
    found = [answer for answer in (my_crossing(words, first, second), my_crossing(words, second, first)) if answer]
    return min(found, default=None)


@crossing.mistake
def takes_the_last(words, first, second):
    """When the curves cross more than once, you return the last crossing. Asked for is the first: leave the loop
    there."""
    place = _place(words, first, second, find="last")
    return place and words[place[0]] * (words[place[0] + 1] / words[place[0]]) ** place[1]


@crossing.mistake
def misses_a_measured_point(words, first, second):
    """When the curves meet exactly at a measured point, you find nothing: allow their difference to be zero at the
    first of the two points, `<=` in place of `<`."""
    lead = first - second
    places = [i for i in range(len(words) - 1) if lead[i] < 0 < lead[i + 1]]
    return my_crossing(words[places[0] :], first[places[0] :], second[places[0] :]) if places else None


@crossing.mistake
def takes_a_touch(words, first, second):
    """Where the curves only touch, `second` does not fall below `first`: their difference must be more than zero
    at the second of the two points, `<` in place of `<=`."""
    lead = first - second
    for i in range(len(words) - 1):
        if lead[i] <= 0 <= lead[i + 1]:
            return words[i] * (words[i + 1] / words[i]) ** (lead[i] / (lead[i] - lead[i + 1]))
    return None


@crossing.mistake
def raises_without_a_crossing(words, first, second):
    """All is right where the curves cross. Where they never do, you look for a place that is not there: return None."""
    i, share = next(place for place in [_place(words, first, second)] if place)
    return words[i] * (words[i + 1] / words[i]) ** share


@crossing.mistake
def returns_zero_without_a_crossing(words, first, second):
    """Where the curves never cross you return 0, which reads as a crossing at no words at all. Return None."""
    return my_crossing(words, first, second) or 0


@crossing.mistake
def returns_the_last_point_without_a_crossing(words, first, second):
    """Where the curves never cross you return the last point, as if they crossed there. Return None."""
    return my_crossing(words, first, second) or words[-1]


@crossing.mistake
def rounds_to_whole_words(words, first, second):
    """You round to a whole number of words. Between measured points the crossing may have any value: keep the
    fraction."""
    answer = my_crossing(words, first, second)
    return answer and round(answer)
