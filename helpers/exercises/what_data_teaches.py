"""The exercises of lesson 3.3: the worth of repeats, a filter, a permutation test, a clue for repairs, two accounts."""

import math
import re
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from helpers import data
from helpers.exercises import (
    CORRECT,
    NOT_ATTEMPTED,
    NOT_YET,
    Exercise,
    FunctionExercise,
    Mistake,
    Outcome,
    Result,
    cannot_be_called,
    number,
    outcome,
    with_article,
)
from helpers.recordings.what_data_teaches import captions, drawings

# Exercise 1: what repeats are worth


def my_effective(unique: float, epochs: float, worth: float) -> float:
    """Return how much fresh text so many epochs over the unique text are worth."""
    repeats = epochs - 1  # the first time, all of the text is new
    return unique * (1 + worth * (1 - math.exp(-repeats / worth)))


effective = FunctionExercise(
    "effective",
    "Write `my_effective(unique, epochs, worth)`: the fresh text that `epochs` epochs over `unique` characters are "
    "worth, U (1 + R (1 - e^(-(n - 1) / R))), where U is `unique`, n is `epochs` and R is `worth`.",
    [
        "One epoch has no repeat, so it must be worth the text itself. How many repeats do n epochs have?",
        "For repeats without end, e to the power of a large negative number is nearly 0: all repeats together are "
        "worth `worth` times the text, and the first epoch comes on top.",
        "Take `math.exp(-(epochs - 1) / worth)` off 1, multiply by `worth`, add 1 for the first epoch, and multiply "
        "all by `unique`.",
    ],
    my_effective,
    cases=[
        (100, 1, 15),
        (100, 2, 15),
        (10, 3, 1),
        (25, 4, 15),
        (25, 2, 1000),
        (50, 3, 0.5),
        (25, 64, 15),
        (400, 16, 5.3),
        (100, 10_000, 4),
    ],
    read=number,
    noun="the effective text",
)


@effective.mistake
def counts_the_first_epoch_as_a_repeat(unique, epochs, worth):
    """You count the first epoch among the repeats. Of n epochs n - 1 are repeats, so one epoch is worth the text
    itself."""
    return my_effective(unique, epochs + 1, worth)


@effective.mistake
def forgets_the_first_epoch(unique, epochs, worth):
    """You leave the first epoch out: with one epoch you say 0. Add 1 before you multiply by `unique`."""
    return my_effective(unique, epochs, worth) - unique


@effective.mistake
def counts_every_epoch_in_full(unique, epochs, worth):
    """You count each repeat like fresh text. A repeat is worth less than the one before it: the law bends."""
    return unique * epochs


@effective.mistake
def counts_in_full_up_to_a_wall(unique, epochs, worth):
    """You count each repeat in full until nothing more counts. The law comes near its limit by and by, along e to the
    power of -(n - 1) / R."""
    return unique * min(epochs, 1 + worth)


@effective.mistake
def returns_the_limit(unique, epochs, worth):
    """You return what repeats without end are worth. Fewer repeats are worth less: the answer depends on `epochs`."""
    return unique * (1 + worth)


@effective.mistake
def forgets_the_minus(unique, epochs, worth):
    """The exponent lost its minus sign. Then the worth falls, and below zero: it is e to the power of
    -(n - 1) / R."""
    with np.errstate(all="ignore"):
        return unique * (1 + worth * (1 - np.exp((epochs - 1) / worth)))


@effective.mistake
def forgets_the_minus_and_overflows(unique, epochs, worth):
    """The exponent lost its minus sign, so e to the power of it is too large for a float. It is e to the power of
    -(n - 1) / R."""
    return unique * (1 + worth * (1 - math.exp((epochs - 1) / worth)))


@effective.mistake
def multiplies_in_the_exponent(unique, epochs, worth):
    """You multiply by R in the exponent. The more a repeat is worth, the slower its worth must fade: divide."""
    return unique * (1 + worth * (1 - math.exp(-(epochs - 1) * worth)))


@effective.mistake
def leaves_the_worth_out_of_the_exponent(unique, epochs, worth):
    """The exponent lacks the division by R. It is -(n - 1) / R."""
    return unique * (1 + worth * (1 - math.exp(-(epochs - 1))))


@effective.mistake
def leaves_the_worth_out_of_the_factor(unique, epochs, worth):
    """You do not multiply by R outside the power, so all repeats together are worth one text at most. They are worth R
    texts."""
    return unique * (1 + 1 - math.exp(-(epochs - 1) / worth))


@effective.mistake
def adds_what_is_lost(unique, epochs, worth):
    """You add R times the power itself. The power is what the repeats lack: take it off 1 first."""
    return unique * (1 + worth * math.exp(-(epochs - 1) / worth))


@effective.mistake
def takes_the_minus_into_the_bracket(unique, epochs, worth):
    """Your exponent is -n - 1: a bracket is missing. Write `-(epochs - 1) / worth`."""
    return unique * (1 + worth * (1 - math.exp((-epochs - 1) / worth)))


@effective.mistake
def returns_how_many_texts(unique, epochs, worth):
    """You return how many times the text it is. Multiply by `unique`."""
    return my_effective(1, epochs, worth)


@effective.mistake
def multiplies_only_the_first_epoch(unique, epochs, worth):
    """You multiply the first epoch alone by `unique`. The repeats are of the same text: put brackets around the sum."""
    return unique + worth * (1 - math.exp(-(epochs - 1) / worth))


@effective.mistake
def takes_powers_of_two(unique, epochs, worth):
    """You take powers of two. The law takes powers of e: `math.exp`."""
    return unique * (1 + worth * (1 - 2 ** (-(epochs - 1) / worth)))


class MeasuredExercise(Exercise):
    """Write a function whose worth is measured: there is no one right answer to compare it with.

    `examine` yields findings (heading, paragraphs, name of the mistake), each better than the one before it, so that
    a check that is stopped tells what it knew by then.
    """

    def examine(self, attempt: Callable) -> Iterator[tuple[str, list[str], str | None]]:
        raise NotImplementedError

    def observe(self, attempt: object, seen: list) -> None:
        if problem := cannot_be_called(attempt, self.reference):
            seen.append((NOT_YET, [problem.sentence], None))
            return
        for finding in self.examine(attempt):
            seen.append(finding)  # one by one: what is there stays when the check is stopped

    def judge(self, seen: list, run, seconds: float) -> tuple[str, list[str], str | None]:
        if seen:
            heading, paragraphs, mistake = seen[-1]
            diagnosis = [known.diagnosis for known in self.mistakes if known.name == mistake]
            return heading, paragraphs + diagnosis, mistake
        reason = {
            "interrupted": "you interrupted the check.",
            "time": f"it takes more than {seconds:g} seconds for all cases together. Is there a loop that never ends?",
            "printed": "it printed more than a million characters.",
            "memory": "it took more than 500 MB of memory.",
            "input": "it asks for typed input, but everything that it needs is in its arguments.",
        }.get(run.stopped, f"it ended the check itself, by {run.error.__name__ if run.error else 'an error'}.")
        return NOT_YET, [f"Your function was not measured: {reason}"], None

    def mistake(self, diagnosis: str) -> Callable:
        """Add the decorated function, which makes a known mistake, with what to tell whoever makes it."""

        def add(wrong: Callable) -> Callable:
            self.mistakes.append(Mistake(wrong.__name__, wrong, diagnosis))
            return wrong

        return add


# Exercise 2: a filter for drawings

PAGES = 300  # of drawings, and as many of text
LINES = 16  # of a page of text: about as many characters as a drawing has
FIRST_SEED = 9_000_000_000  # of the drawings that judge: no lesson shows them
CAUGHT, FALSE_ALARMS = 0.95, 0.02  # at least, and at most


def my_drawing_filter(page: str) -> bool:
    """Return True for a page that is a drawing, and False for a page of text."""
    letters = {character for character in page.lower() if character.isalpha()}
    return len(letters) < 6  # a drawing has letters too, but few different ones


@cache
def _pages() -> tuple[list[str], list[str]]:
    """Drawings that no lesson shows, and pages of Python's documentation."""
    lines = data.text("python documentation").split("\n")
    starts = np.linspace(0, len(lines) - LINES, PAGES).astype(int)
    art = [drawings.page(FIRST_SEED + number) for number in range(PAGES)]
    return art, ["\n".join(lines[start : start + LINES]) for start in starts]


def _truth(value: object) -> Outcome:
    """True or False that came back from an attempt, or what came back instead."""
    if type(value) in (bool, np.bool_):
        return Outcome("answer", bool(value), f"returned {value}")
    found = number(value)
    if found.kind == "answer":
        return Outcome("a number", found.value, f"returned {found.value:g}, where True or False is needed")
    shown = f"{value[:40]!r}, a str" if type(value) is str else with_article(value)
    return Outcome("type", type(value) is str, f"returned {shown}, where True or False is needed")


class FilterExercise(MeasuredExercise):
    """Write a filter: it passes if it catches enough drawings and lets enough text through."""

    def prepare(self) -> None:
        _pages()

    def examine(self, attempt: Callable) -> Iterator[tuple[str, list[str], str | None]]:
        art, text = _pages()
        said = [outcome(attempt, (page,), _truth) for page in art + text]
        if all(one.kind == "not attempted" for one in said):
            yield NOT_ATTEMPTED, [], None
        elif unclear := [i for i, one in enumerate(said) if one.kind != "answer"]:
            yield _unclear_about(said, unclear)
        elif any(outcome(attempt, (page,), _truth) != one for page, one in zip(art + text, said)):
            yield NOT_YET, ["Asked twice about the same page, your function gave two answers."], "draws_by_lot"
        else:
            answers = np.array([one.value for one in said])
            yield _filtered(answers[:PAGES], answers[PAGES:])


def _unclear_about(said: list[Outcome], unclear: list[int]) -> tuple[str, list[str], str | None]:
    first = said[unclear[0]]
    kind = "drawing" if unclear[0] < PAGES else "page of text"
    told = [f"For {len(unclear)} of {len(said)} pages there was no answer. For one of them, a {kind}, your function "]
    told[0] += f"{first.sentence}."
    told += _excerpt("It begins:", (_pages()[0] + _pages()[1])[unclear[0]])
    mistake = None
    if {said[i].kind for i in unclear} == {"nothing"}:
        mistake = "says_nothing_at_all" if len(unclear) == len(said) else "says_nothing_of_some"
    elif first.kind == "raised" and first.value == "ZeroDivisionError":
        mistake = "divides_by_no_letters"
    elif first.kind == "a number":
        mistake = "returns_a_share"
    elif first.kind == "type" and first.value:
        mistake = "returns_a_word"
    return NOT_YET, told, mistake


def _excerpt(lead: str, page: str) -> list[str]:
    lines = [line[:60] for line in page.split("\n") if line.strip()][:5]
    return ["\n".join([lead, *lines])] if lines else []


def _filtered(of_art: np.ndarray, of_text: np.ndarray) -> tuple[str, list[str], str | None]:
    caught, alarms = of_art.mean(), of_text.mean()
    told = [
        f"Your filter catches {of_art.sum()} of {PAGES} drawings, {caught:.1%}; it must catch {CAUGHT:.0%} at least. "
        f"It raises a false alarm at {of_text.sum()} of {PAGES} pages of text, {alarms:.1%}; {FALSE_ALARMS:.0%} at "
        "most are allowed."
    ]
    if caught >= CAUGHT and alarms <= FALSE_ALARMS:
        return CORRECT, told, None
    art, text = _pages()
    if 0 < caught < CAUGHT:
        told += _excerpt("A drawing that it misses begins:", art[int(of_art.argmin())])
    if FALSE_ALARMS < alarms < 1:
        told += _excerpt("A page of text that it takes for a drawing begins:", text[int(of_text.argmax())])
    return NOT_YET, told, _why_it_filters_badly(of_art, of_text)


def _why_it_filters_badly(of_art: np.ndarray, of_text: np.ndarray) -> str:
    caught, alarms = of_art.mean(), of_text.mean()
    if caught == alarms == 1:
        return "calls_everything_a_drawing"
    if caught == alarms == 0:
        return "calls_nothing_a_drawing"
    if 1 - caught >= CAUGHT and 1 - alarms <= FALSE_ALARMS:
        return "says_it_the_other_way_round"
    if caught >= CAUGHT:
        return "takes_text_for_drawings"
    missed = [page for page, found in zip(_pages()[0], of_art) if not found]
    if np.mean([any(map(str.isalpha, page)) for page in missed]) > 0.9:
        return "misses_drawings_with_letters"
    return "misses_drawings" if alarms <= FALSE_ALARMS else "mistakes_one_for_the_other"


drawing_filter = FilterExercise(
    "drawing_filter",
    "Write `my_drawing_filter(page)`: True for a page that is a drawing in characters and False for a page of text, "
    f"so that it catches at least {CAUGHT:.0%} of {PAGES} drawings and raises a false alarm at no more than "
    f"{FALSE_ALARMS:.0%} of {PAGES} pages of text.",
    [
        "Look at some of each: `print(drawings.page(1))`, and a few lines of `data.text('python documentation')`. "
        "Which sign would never tell you wrong?",
        "Letters are a good sign, but two things get in the way. Some drawings are made of letters, such as o, x or v; "
        "and some pages of text are tables or lists of numbers, with few letters.",
        "Count not how many letters a page has, but how many *different* ones: `len(set(...))`. A drawing has a few "
        "shades; even a short text has most of the alphabet.",
    ],
    my_drawing_filter,
)


@drawing_filter.mistake("You call every page a drawing. That catches all, and leaves a model nothing to learn from.")
def calls_everything_a_drawing(page):
    return True


@drawing_filter.mistake("You call no page a drawing, so nothing is filtered.")
def calls_nothing_a_drawing(page):
    return False


@drawing_filter.mistake("The other way round it would pass: True must mean that the page is a drawing.")
def says_it_the_other_way_round(page):
    return not my_drawing_filter(page)


@drawing_filter.mistake(
    "Your filter is too eager: it catches enough drawings, but at the price of too much text. What do the pages that "
    "it throws away have that no drawing has?"
)
def takes_text_for_drawings(page):
    return re.search(r"([^\w\s])\1\1", page) is not None


@drawing_filter.mistake(
    "Nearly all drawings that it misses hold letters: their shades are signs such as o, x, v or l. A letter here and "
    "there, or many of the same, does not make a text."
)
def misses_drawings_with_letters(page):
    return sum(map(str.isalpha, page)) < 0.3 * len(page)


@drawing_filter.mistake(
    "Your filter is too careful: text is safe from it, but so are many drawings. Does it look for one sign that some "
    "drawings do not have?"
)
def misses_drawings(page):
    return "#" in page and my_drawing_filter(page)


@drawing_filter.mistake(
    "Too many drawings pass it, and too much text does not. One sign is not enough: drawings have ten sets of shades, "
    "and text has signs too."
)
def mistakes_one_for_the_other(page):
    return "#" in page


@drawing_filter.mistake("A number is not yet a decision. Compare it with a limit: `<` and `>` give True or False.")
def returns_a_share(page):
    return sum(map(str.isalpha, page)) / (1 + len(page))


@drawing_filter.mistake("Return True or False themselves, without quotes: every text but the empty one counts as true.")
def returns_a_word(page):
    return "drawing" if my_drawing_filter(page) else "text"


@drawing_filter.mistake("Does it end without `return`?")
def says_nothing_at_all(page):
    my_drawing_filter(page)


@drawing_filter.mistake("One of its ways ends without `return`: is there an `if` without an `else`?")
def says_nothing_of_some(page):
    if my_drawing_filter(page):
        return True


@drawing_filter.mistake("A drawing may hold no letter at all, and then there is nothing to divide by.")
def divides_by_no_letters(page):
    letters = [character for character in page if character.isalpha()]
    return len(set(letters)) / len(letters) < 0.05


@drawing_filter.mistake(
    "A filter must do the same each time, or nobody could tell what a model has learned from. Decide by the page alone."
)
def draws_by_lot(page):
    return bool(np.random.default_rng().random() < 0.5)


# Exercise 3: a permutation test


def my_p_value(far: np.ndarray, orders: np.ndarray) -> float:
    """Return the share of orders in which the pairs are at least as near as in truth, the true order among them."""
    rows = np.arange(len(far))
    true = far[rows, rows].mean()
    shuffled = np.array([far[rows, order].mean() for order in orders])
    return (1 + (shuffled <= true).sum()) / (1 + len(orders))


def _tests() -> list[tuple]:
    """Distances in quarters, so that all sums are exact and ties are ties; the smallest first."""
    draw = np.random.default_rng(33)
    cases = [(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1, 0]]))]
    cases += [(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1, 0], [0, 1]]))]
    cases += [(np.array([[1.0, 0.25], [0.5, 1.0]]), np.array([[1, 0], [1, 0], [0, 1]]))]
    for pairs, shuffles in ((3, 4), (3, 5), (4, 6), (4, 9), (5, 8), (5, 9)):
        far = draw.integers(1, 5, (pairs, pairs)) / 4
        far[np.arange(pairs), np.arange(pairs)] = draw.integers(0, 4, pairs) / 4
        cases.append((far, np.array([draw.permutation(pairs) for _ in range(shuffles)])))
    return cases


p_value = FunctionExercise(
    "p_value",
    "Write `my_p_value(far, orders)`: the share of orders of the meant words, the true one counted among them, whose "
    "mean distance is at most that of the true one, where `far[i, j]` is the distance of heard word i from meant word "
    "j and each row of `orders` tells for every heard word which meant word it is dealt.",
    [
        "In truth, heard word i goes with meant word i: these distances are `far[0, 0]`, `far[1, 1]` and so on.",
        "In a shuffled order, heard word i goes with meant word `order[i]`. Take the mean of `far[i, order[i]]`, for "
        "each order.",
        "Count the orders whose mean is at most the true one (`<=`), add 1 for the true order itself, and divide by "
        "the number of orders plus 1.",
    ],
    my_p_value,
    cases=_tests(),
    read=number,
    noun="the p-value",
)


def _means(far, orders) -> tuple[float, np.ndarray]:
    rows = np.arange(len(far))
    return far[rows, rows].mean(), np.array([far[rows, order].mean() for order in orders])


@p_value.mistake
def forgets_the_true_order(far, orders):
    """You leave the true order out. It is one of the possible orders, so add 1 above and below: a p-value is never
    0."""
    true, shuffled = _means(far, orders)
    return (shuffled <= true).mean()


@p_value.mistake
def adds_one_above_only(far, orders):
    """You add 1 to the count, but not to the number of orders. The true order is one more of them, so a p-value is at
    most 1."""
    true, shuffled = _means(far, orders)
    return (1 + (shuffled <= true).sum()) / len(orders)


@p_value.mistake
def adds_one_below_only(far, orders):
    """You add 1 to the number of orders, but not to the count. The true order is as near as itself: it counts above,
    too."""
    true, shuffled = _means(far, orders)
    return (shuffled <= true).sum() / (1 + len(orders))


@p_value.mistake
def leaves_ties_out(far, orders):
    """You count only the orders that are nearer than the true one. One that is as near speaks for chance as well: take
    `<=`."""
    true, shuffled = _means(far, orders)
    return (1 + (shuffled < true).sum()) / (1 + len(orders))


@p_value.mistake
def counts_the_far_orders(far, orders):
    """You count the orders that are as far apart or farther. The question is how often chance brings the words as near
    as they were: `<=`."""
    true, shuffled = _means(far, orders)
    return (1 + (shuffled >= true).sum()) / (1 + len(orders))


@p_value.mistake
def returns_what_is_left(far, orders):
    """You take the answer off 1. A small p-value must mean that chance seldom does as well."""
    return 1 - my_p_value(far, orders)


@p_value.mistake
def returns_the_count(far, orders):
    """You return how many orders are as near. Divide by the number of orders, with the true one among them."""
    return my_p_value(far, orders) * (1 + len(orders))


@p_value.mistake
def shuffles_both_sides(far, orders):
    """You deal out the heard words and the meant ones in the same order, so that every word keeps its partner. Leave
    one side as it is: `far[rows, order]`."""
    true = np.diag(far).mean()
    shuffled = np.array([far[order, order].mean() for order in orders])
    return (1 + (shuffled <= true).sum()) / (1 + len(orders))


@p_value.mistake
def takes_whole_rows(far, orders):
    """You take the mean over whole rows of `far`, all distances of a heard word. Of each row only one counts, that of
    the partner: `far[i, order[i]]`."""
    true = np.diag(far).mean()
    shuffled = np.array([far[order].mean() for order in orders])
    return (1 + (shuffled <= true).sum()) / (1 + len(orders))


@p_value.mistake
def deals_out_the_heard_words(far, orders):
    """You deal out the heard words, `far[order[i], i]`. The rows of `orders` say which meant word goes to heard word i:
    `far[i, order[i]]`."""
    return my_p_value(far.T, orders)


@p_value.mistake
def counts_pairs(far, orders):
    """You count single pairs that came as near. An order is judged as a whole: by the mean of its pairs."""
    rows = np.arange(len(far))
    near = np.array([far[rows, order] <= np.diag(far) for order in orders])
    return (1 + near.sum()) / (1 + near.size)


@p_value.mistake
def compares_with_all_distances(far, orders):
    """You compare with the mean over all of `far`. What happened is the true order: the mean of `far[i, i]`."""
    shuffled = _means(far, orders)[1]
    return (1 + (shuffled <= far.mean()).sum()) / (1 + len(orders))


@p_value.mistake
def takes_the_nearest_pair(far, orders):
    """You compare the nearest pair of each order. All pairs count: take the mean."""
    rows = np.arange(len(far))
    shuffled = np.array([far[rows, order].min() for order in orders])
    return (1 + (shuffled <= np.diag(far).min()).sum()) / (1 + len(orders))


@p_value.mistake
def divides_whole_numbers(far, orders):
    """You divide with `//`, which drops everything after the point. A share needs `/`."""
    return float(my_p_value(far, orders) // 1)


@p_value.mistake
def returns_percent(far, orders):
    """You return per cent. Leave out the factor of 100."""
    return 100 * my_p_value(far, orders)


@p_value.mistake
def shuffles_in_place(far, orders):
    """The check keeps the distances that it gave you. Write into an array of your own: `far.copy()`."""
    for order in orders:
        far[:] = far[:, order]
    return my_p_value(far, orders)


# Exercise 4: a clue of one's own

NEAREST = 1_000  # words by sound that a clue has to score, besides the speakers' names
STRENGTHS = (0, 0.2, 0.5, 1)  # of a clue that goes from 0 to 1
PATIENCE = 20.0  # seconds for all candidates of all errors: edit distances take two or three
NEARER = 0.03  # by which share the typical place must come nearer to the top


def my_clue(heard: str, before: str, after: str, candidates: list) -> list:
    """Return how well each candidate fits, the higher the better: captions cut words short, or lengthen them."""
    heard = heard.lower()
    return [1 if heard in word or word in heard else 0 for word in candidates]


class Place(NamedTuple):
    """An error whose words a clue scores: what it is shown, and what it is not."""

    shown: tuple[str, str, str, list[str]]
    given: np.ndarray  # what the lesson's clues say of the candidates (N,), their weights tuned on the other errors
    right: int | None  # where the word that was meant stands among the candidates
    meant: str


@cache
def _places() -> list[Place]:
    """The errors of the lesson's repair, each with its nearest candidates in alphabetical order."""
    grid, cases, words = captions.GRIDS["sound, frequency, neighbours, names"], captions.cases(), _words()
    names = np.flatnonzero(np.isin(words, list(captions.speakers())))
    meant = [captions.plain(case.error.meant) for case in cases]
    kept, scores = [], []
    for case in cases:
        fits = captions.scores(case, captions.Weights())
        near = fits >= np.partition(fits, -NEAREST)[-NEAREST]  # with all that are as near as the last of them
        near[names] = True
        kept.append(np.flatnonzero(near & np.isfinite(fits)))  # what was heard is ruled out: minus infinity
        scores.append(_by_weights(case, kept[-1], grid))
    right = [_where(some, case.right) for some, case in zip(kept, cases)]
    found = np.array([[_found(row, place) for row in rows] for rows, place in zip(scores, right)])  # (cases, grid, 2)
    places = []
    for i, case in enumerate(cases):
        best = found[[word != meant[i] for word in meant]].sum(axis=(0, 2)).argmax()
        heard, *beside = captions.plain(case.error.heard), case.error.before, case.error.after
        places.append(Place((heard, *beside, words[kept[i]].tolist()), scores[i][best], right[i], meant[i]))
    return places


@cache
def _words() -> np.ndarray:
    return np.array(captions.vocabulary().words)


def _by_weights(case: captions.Case, some: np.ndarray, grid: tuple) -> np.ndarray:
    """What the given clues say of some candidates under each weights of a grid: (grid, candidates)."""
    sound, *others = (clue[some].astype(float) for clue in case.clues)
    return sound + np.array(grid) @ np.stack(others)


def _where(some: np.ndarray, word: int | None) -> int | None:
    found = np.flatnonzero(some == word)
    return int(found[0]) if len(found) else None


def _rank(scores: np.ndarray, right: int) -> float:
    """The place of the right word, from 1; the middle one of those that it shares with equals."""
    better = (scores > scores[right] + 1e-6).sum()
    return float(better + ((scores >= scores[right] - 1e-6).sum() - better + 1) / 2)


def _found(scores: np.ndarray, right: int | None) -> tuple[float, float]:
    """The chances that the right word stands first, and among the first five, ties drawn by lot."""
    if right is None:
        return 0.0, 0.0
    better = (scores > scores[right] + 1e-6).sum()
    equal = (scores >= scores[right] - 1e-6).sum() - better
    return float(np.clip((1 - better) / equal, 0, 1)), float(np.clip((5 - better) / equal, 0, 1))


class Repair(NamedTuple):
    """What a clue does to the errors, its strength tuned on the other ones."""

    first: float  # errors whose right word is suggested first, and what they were without the clue
    first_before: float
    five: float  # among the first five
    five_before: float
    ranks: np.ndarray  # the right word's place in the errors where it is a candidate, and what it was
    ranks_before: np.ndarray
    strengths: set[float]

    @property
    def nearer(self) -> float:
        """By which share the typical (geometric mean) place came nearer to the top."""
        return 1 - float(np.exp(np.log(self.ranks / self.ranks_before).mean()))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% bootstrap interval of `nearer`, over the errors."""
        changes = np.log(self.ranks / self.ranks_before)
        drawn = np.random.default_rng(0).choice(changes, (2_000, len(changes))).mean(axis=1)
        return tuple((1 - np.exp(np.quantile(drawn, (0.975, 0.025)))).tolist())

    @property
    def helps(self) -> bool:
        lost = self.first < self.first_before - 1e-6 or self.five < self.five_before - 1e-6
        return self.nearer >= NEARER and not lost


def _reachable() -> list[Place]:
    return [place for place in _places() if place.right is not None]


def _repair(clue: list[np.ndarray]) -> Repair:
    """What a clue does, given as one array of scores for each error: it is stretched to go from 0 to 1."""
    clue = [scores - scores.min() for scores in clue]
    top = max(scores.max() for scores in clue) or 1
    mixed = {
        i: place.given + np.outer(STRENGTHS, scores / top)  # (strengths, candidates)
        for i, (place, scores) in enumerate(zip(_places(), clue, strict=True))
        if place.right is not None
    }
    places = _reachable()
    meant = np.array([place.meant for place in places])
    ranks = np.array([[_rank(row, place.right) for row in rows] for rows, place in zip(mixed.values(), places)])
    chosen = [int(np.log(ranks[meant != word]).mean(axis=0).argmin()) for word in meant]
    found = [_found(rows[best], place.right) for rows, best, place in zip(mixed.values(), chosen, places)]
    before = [_found(place.given, place.right) for place in places]
    (first, five), (first_before, five_before) = np.sum(found, axis=0), np.sum(before, axis=0)
    strengths = {STRENGTHS[best] for best in chosen}
    ranks = ranks[np.arange(len(places)), chosen], ranks[:, 0]
    return Repair(first, first_before, five, five_before, *ranks, strengths)


def _scores(value: object) -> Outcome:
    """One number for each candidate that came back from an attempt, or what came back instead."""
    if type(value) in (str, bytes, dict, set, frozenset) or callable(value):
        return Outcome("type", type(value) is str, f"returned {with_article(value)}, not a list of numbers")
    if type(value) is types.GeneratorType:
        value.close()
        return Outcome("type", False, "returned a generator: put it into `list(...)`, or write a list in brackets")
    if type(value) in (list, tuple) and any(type(one) is str for one in value):
        return Outcome("type", True, "returned words, where numbers are needed")
    found = np.array(value, float)
    if not np.isfinite(found).all():
        return Outcome("not finite", None, "returned nan or inf for some candidates, as 0/0 or log(0) do")
    return Outcome("answer", found, "returned numbers")


# How a function would come to what was meant; a word that stands in captions.speakers() is known without the errors.
LOOKED_UP = {"caption_errors", "cases", "errors", "meant", "sayable"}
SHORTEST, MOST_ANSWERS = 4, 2  # letters of a word that is counted; how many of them may stand in an honest function


def _answers() -> set[str]:
    return {place.meant.lower() for place in _places() if len(place.meant) >= SHORTEST} - captions.speakers()


def _inside(function: object, seen: set | None = None) -> tuple[set[str], set[str]]:
    """The names that a learner's function uses, and the words of the texts that it holds, its own helpers included."""
    seen = set() if seen is None else seen
    code = getattr(function, "__code__", None)
    if type(code) is not types.CodeType or code in seen:
        return set(), set()
    seen.add(code)
    names, texts, inner = set(), [function.__defaults__], [code]
    while inner:
        code = inner.pop()
        names.update(code.co_names)
        inner += [one for one in code.co_consts if type(one) is types.CodeType]
        texts += [one for one in code.co_consts if type(one) is not types.CodeType]
    texts += [cell.cell_contents for cell in function.__closure__ or ()]
    used = [function.__globals__[name] for name in names if name in function.__globals__]
    words = set(re.findall(r"\w+", " ".join(_texts(texts + used)).lower()))
    for helper in used:
        if type(helper) is types.FunctionType and helper.__module__ == function.__module__:
            more_names, more_words = _inside(helper, seen)
            names, words = names | more_names, words | more_words
    return names, words


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """All texts in a value of Python's own kinds."""
    if type(value) is str:
        yield value
    elif type(value) in (list, tuple, set, frozenset, dict) and depth < 4:
        parts = [*value, *value.values()] if type(value) is dict else value
        for part in parts:
            yield from _texts(part, depth + 1)


class ClueExercise(MeasuredExercise):
    """Write a clue to what was meant: it passes if it brings the right words nearer to the top."""

    def check(self, attempt: object, seconds: float = PATIENCE) -> Result:
        return super().check(attempt, seconds)

    def prepare(self) -> None:
        _places()

    def examine(self, attempt: Callable) -> Iterator[tuple[str, list[str], str | None]]:
        said = [outcome(attempt, place.shown, _scores) for place in _places()]
        if all(one.kind == "not attempted" for one in said):
            yield NOT_ATTEMPTED, [], None
            return
        if problem := _problem(attempt, said):
            yield problem
            return
        clue = [one.value for one in said]
        found = _repair(clue)
        told = _told(found)
        if found.helps:
            yield CORRECT, told, None
            return
        yield NOT_YET, told, _why_it_does_not_help(found)
        if _repair([-scores for scores in clue]).helps:
            yield NOT_YET, told, "gives_high_scores_to_what_is_far"
            return
        small = list(said)
        for i, place in enumerate(_places()):
            heard, *others = place.shown
            if heard != heard.lower():
                small[i] = outcome(attempt, (heard.lower(), *others), _scores)
        fit = all(_fits(place, one) for place, one in zip(_places(), small))
        if fit and _repair([one.value for one in small]).helps:
            yield NOT_YET, told, "compares_capitals_with_small_letters"


def _fits(place: Place, said: Outcome) -> bool:
    return said.kind == "answer" and said.value.shape == (len(place.shown[3]),)


def _problem(attempt: Callable, said: list[Outcome]) -> tuple[str, list[str], str | None] | None:
    """What keeps a clue from being measured, or None."""
    for place, one in zip(_places(), said):
        call, count = f"For {place.shown[0]!r} your function", len(place.shown[3])
        if one.kind != "answer":
            mistake = {"nothing": "ends_without_return", "changed": "changes_the_candidates"}.get(one.kind)
            mistake = "rules_words_out" if one.kind == "not finite" else mistake
            mistake = "returns_words" if one.kind == "type" and one.value else mistake
            return NOT_YET, [f"{call} {one.sentence}."], mistake
        if one.value.shape == ():
            return NOT_YET, [f"{call} returned one number; there are {count:,} candidates."], "returns_one_number"
        if one.value.shape != (count,):
            sizes = " by ".join(f"{size:,}" for size in one.value.shape)
            return NOT_YET, [f"{call} returned {sizes} numbers; there are {count:,} candidates."], "leaves_words_out"
    if all(np.ptp(one.value) == 0 for one in said):
        return NOT_YET, ["Your function gives all candidates of an error the same score."], "says_the_same_of_all"
    again = outcome(attempt, _places()[0].shown, _scores)
    if not (_fits(_places()[0], again) and np.array_equal(again.value, said[0].value)):
        return NOT_YET, ["Asked twice about the same error, your function gave two answers."], "scores_by_lot"
    names, words = _inside(attempt)
    if looked := sorted(LOOKED_UP & (names | words)):
        return NOT_YET, [f"Your function uses `{looked[0]}`, where the answers stand."], "looks_the_answers_up"
    if len(written := sorted(_answers() & words)) > MOST_ANSWERS:
        told = f"Your function names {len(written)} of the words that were meant, such as {' and '.join(written[:2])}."
        return NOT_YET, [told], "writes_the_answers_down"
    return None


def _why_it_does_not_help(found: Repair) -> str:
    if found.strengths == {0}:
        return "tells_nothing_new"
    return "helps_too_little" if found.nearer > 0 else "makes_it_worse"


def _told(found: Repair) -> list[str]:
    errors, low, high = len(_places()), *found.interval
    before, after = (np.exp(np.log(ranks).mean()) for ranks in (found.ranks_before, found.ranks))
    by = "as near to the top as before" if abs(found.nearer) < 5e-4 else f"{_in_words(found.nearer)} the top"
    told = [
        f"Of {errors} errors, the right word is suggested first in {found.first / errors:.1%} with your clue and in "
        f"{found.first_before / errors:.1%} without it; among the first five in {found.five / errors:.1%} with it and "
        f"in {found.five_before / errors:.1%} without it.",
        f"In the {len(found.ranks)} errors where it is a candidate at all, its typical place is {after:.1f}, and was "
        f"{before:.1f}: {by}. To pass: {NEARER:.0%} nearer at least, and no fewer errors repaired. Your clue counts "
        f"{_strengths(found.strengths)} as much as one sound, tuned on the errors where another word was meant.",
    ]
    if low < high:
        chance = "No change lies inside, so it may be luck." if low <= 0 <= high else "No change lies outside."
        told.append(f"The 95% interval: from {_in_words(low)} the top to {_in_words(high)} it. {chance}")
    moved = np.log(found.ranks / found.ranks_before)
    for name, order in (("better", np.argsort(moved, kind="stable")), ("worse", np.argsort(-moved, kind="stable"))):
        some = [i for i in order if (moved[i] < -1e-9 if name == "better" else moved[i] > 1e-9)][:3]
        lines = [
            f"{_reachable()[i].shown[0]} for {_reachable()[i].meant}: place {found.ranks_before[i]:g} became "
            f"{found.ranks[i]:g}"
            for i in some
        ]
        if lines:
            told.append("\n".join([f"Some for the {name}:", *lines]))
    return told


def _in_words(nearer: float) -> str:
    return f"{abs(nearer):.1%} {'nearer to' if nearer >= 0 else 'farther from'}"


def _strengths(strengths: set[float]) -> str:
    return " or ".join(f"{strength:g}" for strength in sorted(strengths)) + " times"


clue = ClueExercise(
    "clue",
    "Write `my_clue(heard, before, after, candidates)`: a list with one number for each candidate, the higher the "
    "better it fits in place of what was heard between `before` and `after`, which brings the right words' typical "
    f"place at least {NEARER:.0%} nearer to the top and repairs no fewer errors.",
    [
        "The given clues know the sound, how frequent a word is, its neighbours and the speakers' names. What do they "
        "not see? Say *Luk*, and think of the name that was meant: what became of its end?",
        "The captions' letters tell something beside their sounds: how a word begins, which consonants it has, which "
        "letters stand side by side. Candidates are in small letters; what was heard may have capitals.",
        "Captions cut unknown words short: look whether what was heard stands in the candidate, `heard.lower() in "
        "word`, or the other way round. One number for each word: `[1 if ... else 0 for word in candidates]`.",
    ],
    my_clue,
)


@clue.mistake("Give a number to each candidate, in their order: a list of as many numbers as there are candidates.")
def returns_one_number(heard, before, after, candidates):
    return len(heard)


@clue.mistake("Give a number to each candidate, in their order, also to those that do not fit.")
def leaves_words_out(heard, before, after, candidates):
    return [1 for word in candidates if word[0] == heard[0].lower()]


@clue.mistake("Asked is how well each candidate fits, as a number, not which one fits best.")
def returns_words(heard, before, after, candidates):
    return [word for word in candidates if word[0] == heard[0].lower()]


@clue.mistake("Does it end without `return`?")
def ends_without_return(heard, before, after, candidates):
    my_clue(heard, before, after, candidates)


@clue.mistake("The numbers must stand in the order of the candidates: sort a copy, `sorted(candidates)`, if you must.")
def changes_the_candidates(heard, before, after, candidates):
    candidates.sort(key=len)
    return my_clue(heard, before, after, candidates)


@clue.mistake("A candidate that does not fit gets a low number, such as 0; minus infinity rules it out for ever.")
def rules_words_out(heard, before, after, candidates):
    return [0.0 if fits else float("-inf") for fits in my_clue(heard, before, after, candidates)]


@clue.mistake("Such a clue changes no order: it must tell the candidates apart.")
def says_the_same_of_all(heard, before, after, candidates):
    return [len(heard)] * len(candidates)


@clue.mistake("A clue that is drawn by lot helps one error and harms the next. Decide by what it is given.")
def scores_by_lot(heard, before, after, candidates):
    return np.random.default_rng().random(len(candidates))


@clue.mistake(
    "With the other sign it would pass: a high score must mean that the word fits, so a distance needs a minus."
)
def gives_high_scores_to_what_is_far(heard, before, after, candidates):
    return [1 - fits for fits in my_clue(heard, before, after, candidates)]


@clue.mistake(
    "With `heard.lower()` it would pass: the candidates are in small letters, and what was heard may have capitals."
)
def compares_capitals_with_small_letters(heard, before, after, candidates):
    return [int(heard in word or word in heard) for word in candidates]


@clue.mistake(
    "It finds what it knows already, and would help with no other talk. Use what was heard and what stands beside it."
)
def looks_the_answers_up(heard, before, after, candidates):
    meant = {captions.plain(error.meant).lower() for error in captions.errors()}
    return [int(word in meant) for word in candidates]


@clue.mistake("You have seen the answers, so a list of them measures your memory, not the clue. Leave them out.")
def writes_the_answers_down(heard, before, after, candidates):
    return [int(word in {"laws", "prediction", "efficacy", "novel", "beatles"}) for word in candidates]


@clue.mistake(
    "The tuning gives it no weight: the other clues know this already, or it has nothing to do with the errors."
)
def tells_nothing_new(heard, before, after, candidates):
    return [-abs(len(word) - len(heard)) for word in candidates]


@clue.mistake(
    "It is a step, but too small, or at the price of a repair. Look at those for the worse: which words does it favour "
    "wrongly?"
)
def helps_too_little(heard, before, after, candidates):
    return [int(word[0] == heard[0].lower()) for word in candidates]


@clue.mistake(
    "On the errors with which its strength was tuned it helps; on those left out it harms. That is what leaving out is "
    "for."
)
def makes_it_worse(heard, before, after, candidates):
    return [int(word[0] == heard[0].lower()) + int(word[-1] == heard[-1].lower()) for word in candidates]


# Exercise 5: two accounts

TOLERANCE = 3  # times too large or too small that a stated number may be
ACCOUNTS = ("captions", "summary", "neither")


def my_account(years: float, times: float, captions: float, summary: float) -> str:
    """Return which account states the fall in ten years that fits a fall by so many times in so many years."""
    fall = times ** (10 / years)  # in ten years, at the same pace
    off = {name: max(said / fall, fall / said) for name, said in (("captions", captions), ("summary", summary))}
    nearer = min(off, key=off.get)
    return nearer if off[nearer] <= TOLERANCE else "neither"


def _one_account(value: object) -> Outcome:
    """The name of an account that came back from an attempt, or what came back instead."""
    if type(value) is str and value in ACCOUNTS:
        return Outcome("answer", value, f"returned {value!r}")
    shown = f"{value[:40]!r}" if type(value) is str else with_article(value)
    names = ", ".join(map(repr, ACCOUNTS[:2]))
    return Outcome("type", type(value).__name__, f"returned {shown}, where {names} or 'neither' is needed")


account = FunctionExercise(
    "account",
    "Write `my_account(years, times, captions, summary)`: a price falls to one part in `times` over `years` years, at "
    "the same pace all the time, and the two accounts state how many times less it costs after ten years, `captions` "
    'and `summary`; return "captions" or "summary", whichever is nearer as a ratio, or "neither" where both are more '
    f"than {TOLERANCE} times too large or too small.",
    [
        "A price that falls a hundredfold in twenty years falls tenfold in ten, and tenfold again: ten times ten. What "
        "does that say about the number for ten years?",
        "The same pace means the same factor each year, `times ** (1 / years)`, and ten of these factors multiplied "
        "for ten years.",
        "How far a stated number is off is a ratio: `max(said / fall, fall / said)`. Compare the two ratios, and look "
        f"last whether the smaller one is above {TOLERANCE}.",
    ],
    my_account,
    cases=[
        (10, 100, 100, 2),
        (10, 2, 100, 2),
        (20, 100, 5, 100),
        (20, 10_000, 100, 2),
        (15, 1_000, 100, 2),
        (5, 10, 100, 2),
        (20, 4, 100, 2),
        (20, 100, 4, 18),
        (20, 10_000, 4, 1_000),
        (10, 50, 1_000, 2),
        (20, 10_000, 20, 45),
        (20, 10_000, 290, 1_000),
        (40, 10_000, 25, 5),
        (5, 3, 6, 80),
        (30, 8, 7, 30),
    ],
    read=_one_account,
    noun="the answer",
)


def _nearer(fall, captions, summary, tolerance=TOLERANCE) -> str:
    off = [max(said / fall, fall / said) for said in (captions, summary)]
    return "neither" if min(off) > tolerance else ACCOUNTS[int(np.argmin(off))]


@account.mistake
def shares_the_fall_out_evenly(years, times, captions, summary):
    """You share the fall out over the years in a straight line. At the same pace, each year divides the price by the
    same factor: ten years take the power of 10 / `years`."""
    return _nearer(times * 10 / years, captions, summary)


@account.mistake
def takes_the_whole_fall(years, times, captions, summary):
    """You compare with the fall over all the years. The accounts speak of ten."""
    return _nearer(times, captions, summary)


@account.mistake
def turns_the_power_over(years, times, captions, summary):
    """You take the power of `years` / 10. If the fall took longer than ten years, ten years of it are less: the power
    is 10 / `years`."""
    return _nearer(times ** (years / 10), captions, summary)


@account.mistake
def takes_the_fall_of_one_year(years, times, captions, summary):
    """You compare with the fall of one year. Ten years multiply ten of them."""
    return _nearer(times ** (1 / years), captions, summary)


@account.mistake
def takes_the_difference(years, times, captions, summary):
    """You compare differences. A number that is 2 times too large is nearer than one 3 times too small, although its
    difference may be larger: compare ratios."""
    fall = times ** (10 / years)
    name = "captions" if abs(captions - fall) <= abs(summary - fall) else "summary"
    said = {"captions": captions, "summary": summary}[name]
    return name if max(said / fall, fall / said) <= TOLERANCE else "neither"


@account.mistake
def always_takes_a_side(years, times, captions, summary):
    """You always take a side. Both accounts can be wrong: then say "neither"."""
    return _nearer(times ** (10 / years), captions, summary, tolerance=math.inf)


@account.mistake
def asks_for_both(years, times, captions, summary):
    """You say "neither" where one of the two is too far off. One that fits is enough."""
    fall = times ** (10 / years)
    off = [max(said / fall, fall / said) for said in (captions, summary)]
    return "neither" if max(off) > TOLERANCE else ACCOUNTS[int(np.argmin(off))]


@account.mistake
def takes_the_first_that_fits(years, times, captions, summary):
    """Where both accounts come near enough you take the captions. The nearer one counts."""
    fall = times ** (10 / years)
    fits = [max(said / fall, fall / said) <= TOLERANCE for said in (captions, summary)]
    return ACCOUNTS[fits.index(True)] if any(fits) else "neither"


@account.mistake
def looks_for_large_numbers_only(years, times, captions, summary):
    """A number that is far too small counts as near with you. Too small is as wrong as too large: take the larger of
    `said / fall` and `fall / said`."""
    fall = times ** (10 / years)
    off = [said / fall for said in (captions, summary)]
    return "neither" if min(off) > TOLERANCE else ACCOUNTS[int(np.argmin(off))]


@account.mistake
def exchanges_the_accounts(years, times, captions, summary):
    """You name the account that is farther off. Return the nearer one."""
    found = _nearer(times ** (10 / years), captions, summary)
    return {"captions": "summary", "summary": "captions"}.get(found, found)


@account.mistake
def believes_the_captions(years, times, captions, summary):
    """You always believe the captions. They came nearer more often than the summary, but that is no rule: reckon each
    case."""
    return "captions"


@account.mistake
def believes_the_summary(years, times, captions, summary):
    """You always believe the summary. Reckon each case."""
    return "summary"


@account.mistake
def believes_neither(years, times, captions, summary):
    """You always say "neither". Reckon how much a fall at that pace is in ten years."""
    return "neither"


@account.mistake
def believes_the_larger(years, times, captions, summary):
    """You take the account with the larger number. Reckon how much a fall at that pace is in ten years."""
    return "captions" if captions >= summary else "summary"


@account.mistake
def returns_the_fall(years, times, captions, summary):
    """You return the fall in ten years. The answer is the name of an account, a text."""
    return times ** (10 / years)


@account.mistake
def returns_the_number_of_the_account(years, times, captions, summary):
    """You return the place of an account. Return its name, a text."""
    return ACCOUNTS.index(my_account(years, times, captions, summary))
