"""The exercises of lesson 2.5: directions never trained, the n-gram precision of BLEU, and a score for alignments."""

from collections import Counter

import numpy as np

from helpers.exercises import FunctionExercise, number, whole_number

# Exercise 1: directions that no training row ever showed


def my_zero_shot(languages: list[str], pairs: list[tuple[str, str]]) -> int:
    """Return how many directions between two different languages no pair trains, each pair being trained both ways."""
    seen = {frozenset(pair) for pair in pairs if pair[0] != pair[1]}
    return len(languages) * (len(languages) - 1) - 2 * len(seen)


zero_shot = FunctionExercise(
    "zero_shot",
    "Write `my_zero_shot(languages, pairs)`: in how many directions between two different `languages`, such as from "
    "Greek to Hindi, a translator was never trained, if each of the `pairs` was trained both ways.",
    [
        "Count all directions first: from each language to each other one. Then take away the trained ones.",
        "A pair is trained in both directions, however it is written: (Greek, Hindi) and (Hindi, Greek) are one pair. "
        "The list may hold a pair twice.",
        "A language with itself is no translation: leave such pairs out. `frozenset(pair)` does not know the order.",
    ],
    my_zero_shot,
    cases=[
        (["ISO", "Greek"], []),
        (["ISO", "Greek"], [("ISO", "Greek")]),
        (["ISO", "Greek", "Hindi"], [("ISO", "Greek")]),
        (["ISO", "Greek", "Hindi"], [("ISO", "Greek"), ("Hindi", "ISO")]),
        (["ISO", "Greek", "Hindi"], [("ISO", "ISO"), ("Greek", "Greek"), ("Hindi", "Hindi")]),
        (["ISO", "Greek", "Hindi", "Korean"], [("ISO", "Greek"), ("Greek", "ISO"), ("Hindi", "ISO")]),
        (["ISO", "Greek", "Hindi", "Korean"], [("ISO", "Greek"), ("ISO", "Greek"), ("Hindi", "Korean")]),
        (["A", "B", "C", "D", "E"], [("A", "B"), ("B", "C"), ("C", "A"), ("A", "C"), ("D", "D")]),
        (["A", "B", "C", "D", "E", "F"], [("A", "B"), ("A", "C"), ("A", "D"), ("A", "E"), ("A", "F"), ("F", "A")]),
    ],
    read=whole_number,
    noun="the count",
)


def _all(languages) -> int:
    return len(languages) * (len(languages) - 1)


@zero_shot.mistake
def counts_pairs(languages, pairs):
    """You count pairs. Each pair has two directions, and the translator must work in both."""
    return my_zero_shot(languages, pairs) // 2


@zero_shot.mistake
def takes_one_direction_away(languages, pairs):
    """You take one direction away for each pair. Each pair was trained both ways: take two."""
    return _all(languages) - len({frozenset(pair) for pair in pairs if pair[0] != pair[1]})


@zero_shot.mistake
def counts_repeated_pairs_again(languages, pairs):
    """You count every entry of the list. The same pair may stand there twice, or turned round: count it once."""
    return _all(languages) - 2 * sum(a != b for a, b in pairs)


@zero_shot.mistake
def counts_turned_pairs_again(languages, pairs):
    """You count a pair and the same pair turned round as two. Both directions were already taken away with the
    first."""
    return _all(languages) - 2 * len({pair for pair in pairs if pair[0] != pair[1]})


@zero_shot.mistake
def takes_directions_as_listed(languages, pairs):
    """You take away only the directions as they are listed. A pair was trained in both, whichever way round it is
    written."""
    return _all(languages) - len({pair for pair in pairs if pair[0] != pair[1]})


@zero_shot.mistake
def takes_a_language_with_itself_away(languages, pairs):
    """You take away a language paired with itself. That is no direction between two languages, so nothing is to be
    taken away for it."""
    return _all(languages) - 2 * len({frozenset(pair) for pair in pairs})


@zero_shot.mistake
def counts_from_each_to_itself(languages, pairs):
    """You count directions from a language to itself as well. Each of n languages has n - 1 others."""
    return my_zero_shot(languages, pairs) + len(languages)


@zero_shot.mistake
def counts_what_was_trained(languages, pairs):
    """This is the number of directions that were trained. Asked for are the others."""
    return _all(languages) - my_zero_shot(languages, pairs)


@zero_shot.mistake
def forgets_the_training(languages, pairs):
    """These are all directions. Take away those that were trained."""
    return _all(languages)


@zero_shot.mistake
def leaves_lonely_languages_out(languages, pairs):
    """You count only languages that stand in some pair. A language that stands in none must be translated, too."""
    return my_zero_shot([language for language in languages if any(language in pair for pair in pairs)], pairs)


@zero_shot.mistake
def takes_two_from_half(languages, pairs):
    """You take two directions for each trained pair from the number of all pairs. Take them from the number of all
    directions, which is twice as large."""
    return my_zero_shot(languages, pairs) - _all(languages) // 2


@zero_shot.mistake
def returns_a_float(languages, pairs):
    """Your count is a float. Use `//` in place of `/`, or do not divide at all."""
    return float(my_zero_shot(languages, pairs))


# Exercise 2: the precision inside BLEU


def my_precision(answer: list[str], reference: list[str], n: int) -> float:
    """Return the share of the answer's n-grams that the reference has too, none counted more often than there."""
    said, wanted = (Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1)) for text in (answer, reference))
    return (said & wanted).total() / max(1, said.total())


def _texts() -> list[tuple]:
    pairs = [
        ("5", "5", 1),
        ("5", "6", 1),
        ("de de de", "5 de marzo de 2019", 1),
        ("5 de marzo de 2019", "5 de marzo de 2019", 2),
        ("6 de marzo de 2019", "5 de marzo de 2019", 2),
        ("5 de marzo", "5 de marzo de 2019", 1),
        ("5 de marzo de 2019 de", "5 de marzo", 1),
        ("marzo de 5 de 2019", "5 de marzo de 2019", 2),
        ("March 5, 2019", "March 5, 2019", 3),
        ("5 March 2019", "March 5, 2019", 2),
        ("de de de de", "de de 5 de", 2),
        ("5 6", "6 5", 2),
        ("5", "5 6", 2),
        ("1 2 3 4 5 6", "1 2 3 9 4 5", 3),
    ]
    return [(answer.split(), reference.split(), n) for answer, reference, n in pairs]


precision = FunctionExercise(
    "precision",
    "Write `my_precision(answer, reference, n)`: the share of the answer's runs of `n` words that the reference has "
    "too, each counted at most as often as it stands in the reference, and 0 for an answer of fewer than `n` words.",
    [
        "List the answer's runs of n words: they begin at the places 0 to len(answer) - n. Do the same for the "
        "reference.",
        "An answer of three times the same word must not score three times for a word that the reference has once: "
        "count both lists, and let the smaller of the two counts be the match.",
        "Two `Counter`s joined by `&` keep the smaller counts. Their total, divided by how many runs the answer has, "
        "is the precision. Tuples can be counted, lists cannot.",
    ],
    my_precision,
    cases=_texts(),
    read=number,
    noun="the precision",
)


def _runs(text, n, step=1, end=None) -> list[tuple]:
    return [tuple(text[i : i + n]) for i in range(0, len(text) - n + 1 if end is None else end, step)]


def _matches(said, wanted) -> int:
    return (Counter(said) & Counter(wanted)).total()


@precision.mistake
def does_not_clip(answer, reference, n):
    """You count a run as often as the answer repeats it. Count it at most as often as the reference has it, or
    *de de de* would be a perfect answer."""
    said, wanted = _runs(answer, n), _runs(reference, n)
    return sum(run in wanted for run in said) / max(1, len(said))


@precision.mistake
def compares_sets_of_runs(answer, reference, n):
    """You compare sets, which forget how often a run occurs. Count the runs, in the answer and in the reference."""
    said, wanted = set(_runs(answer, n)), set(_runs(reference, n))
    return len(said & wanted) / max(1, len(said))


@precision.mistake
def matches_each_run_once(answer, reference, n):
    """You match each different run once. If both have it twice, both count."""
    said = _runs(answer, n)
    return len(set(said) & set(_runs(reference, n))) / max(1, len(said))


@precision.mistake
def divides_by_the_reference(answer, reference, n):
    """You divide by the runs of the reference: that says how much of it was found. Precision asks how much of the
    answer is right, and divides by the answer's runs."""
    wanted = _runs(reference, n)
    return _matches(_runs(answer, n), wanted) / max(1, len(wanted))


@precision.mistake
def divides_by_both(answer, reference, n):
    """You divide by the mean of both numbers of runs. Precision divides by the answer's alone."""
    said, wanted = _runs(answer, n), _runs(reference, n)
    return 2 * _matches(said, wanted) / max(1, len(said) + len(wanted))


@precision.mistake
def divides_by_the_words(answer, reference, n):
    """You divide by the number of words. An answer of five words has four runs of two: divide by the runs."""
    return _matches(_runs(answer, n), _runs(reference, n)) / max(1, len(answer))


@precision.mistake
def takes_single_words(answer, reference, n):
    """You compare single words whatever `n` is. Take runs of `n` words that follow one another."""
    return my_precision(answer, reference, 1)


@precision.mistake
def misses_the_last_run(answer, reference, n):
    """The last run is missing: runs begin at 0 to len(answer) - n, and `range` leaves its end out."""
    said, wanted = (_runs(text, n, end=max(0, len(text) - n)) for text in (answer, reference))
    return _matches(said, wanted) / max(1, len(said))


@precision.mistake
def keeps_short_runs(answer, reference, n):
    """Your last runs have fewer than `n` words: slices at the end are cut off silently. Stop at len(answer) - n."""
    said, wanted = (_runs(text, n, end=len(text)) for text in (answer, reference))
    return _matches(said, wanted) / max(1, len(said))


@precision.mistake
def takes_every_nth_run(answer, reference, n):
    """Your runs do not overlap. One begins at every word, not at every n-th."""
    said, wanted = _runs(answer, n, step=n), _runs(reference, n, step=n)
    return _matches(said, wanted) / max(1, len(said))


@precision.mistake
def compares_places(answer, reference, n):
    """You compare the runs place by place. A run may stand anywhere in the reference."""
    said, wanted = _runs(answer, n), _runs(reference, n)
    return sum(a == b for a, b in zip(said, wanted)) / max(1, len(said))


@precision.mistake
def forgets_the_order(answer, reference, n):
    """Within a run the order of the words is lost. Compare tuples, not sets or sorted lists."""
    said, wanted = ([tuple(sorted(run)) for run in _runs(text, n)] for text in (answer, reference))
    return _matches(said, wanted) / max(1, len(said))


@precision.mistake
def punishes_short_answers(answer, reference, n):
    """You also punish a short answer. BLEU does that once, outside the precisions; leave it out here."""
    return my_precision(answer, reference, n) * min(1.0, np.exp(1 - len(reference) / len(answer)))


@precision.mistake
def divides_by_nothing(answer, reference, n):
    """All is right but for an answer shorter than `n` words: it has no runs, so you divide by zero. Return 0 there."""
    said = _runs(answer, n)
    return _matches(said, _runs(reference, n)) / len(said)


@precision.mistake
def returns_percent(answer, reference, n):
    """You return a percentage. Asked for is the share, from 0 to 1."""
    return 100 * my_precision(answer, reference, n)


# Exercise 3: does attention fall where it should?


def my_alignment(weights: np.ndarray, answer_fields: str, source_fields: str) -> float:
    """Return the share of the answer's day, month and year characters that look most at the same field."""
    looked = [source_fields[place] for place in np.argmax(weights, axis=1)]
    hits = [field == at for field, at in zip(answer_fields, looked, strict=True) if field != "-"]
    return sum(hits) / len(hits)


def _aligned() -> list[tuple]:
    random = np.random.default_rng(5)
    fields = [
        ("d", "d"),
        ("dm", "md"),
        ("d-m", "m-d"),
        ("dd-mmm", "mmm-d"),
        ("d-mm-yyyy", "yyyy-mm-d"),
        ("d----mmmmm----yyyy", "yyyy-mm-dd"),
        ("mmm-dd--yyyy", "d--mm-yyyy--"),
    ]
    cases = []
    for answer, source in fields:
        for noise in (0.3, 0.9):
            true = np.array([[a == s for s in source] for a in answer], float)
            noisy = true + noise * 3 * random.random(true.shape)
            cases.append(((noisy / noisy.sum(axis=1, keepdims=True)).round(3), answer, source))
    return cases


alignment = FunctionExercise(
    "alignment",
    "Write `my_alignment(weights, answer_fields, source_fields)`: of the answer's characters that belong to day, month "
    "or year, the share whose largest weight falls on a character of the same field in the source.",
    [
        "`weights` has a row for each character of the answer and a column for each of the source. The place that a "
        "row looks at most is its argmax.",
        "`source_fields[place]` names the field at that place. Compare it with the field of the answer's character.",
        "Characters marked `-` belong to no field: leave those rows out, above and below the line of the fraction.",
    ],
    my_alignment,
    cases=_aligned(),
    read=number,
    noun="the share",
)


def _looked(weights, axis=1) -> list[int]:
    return np.argmax(weights, axis=axis).tolist()


@alignment.mistake
def counts_the_rest_as_well(weights, answer_fields, source_fields):
    """You count the rows marked `-` as well. They stand between the fields and belong to none: leave them out."""
    hits = [a == source_fields[i] for a, i in zip(answer_fields, _looked(weights))]
    return sum(hits) / len(hits)


@alignment.mistake
def divides_by_all_characters(weights, answer_fields, source_fields):
    """You leave the rows marked `-` out of the hits but divide by all rows. Divide by the rows that you judged."""
    hits = [a == source_fields[i] for a, i in zip(answer_fields, _looked(weights)) if a != "-"]
    return sum(hits) / len(answer_fields)


@alignment.mistake
def looks_down_the_columns(weights, answer_fields, source_fields):
    """Your argmax runs down the columns. Each row is a character of the answer: take the argmax of each row,
    `axis=1`."""
    hits = [answer_fields[i] == s for i, s in zip(_looked(weights, axis=0), source_fields) if s != "-"]
    return sum(hits) / len(hits)


@alignment.mistake
def adds_the_weights(weights, answer_fields, source_fields):
    """You add up the weights on the right field. Asked for is only whether the largest one falls there: a hit or a
    miss."""
    shares = [
        sum(w for w, s in zip(row, source_fields) if s == a) for row, a in zip(weights, answer_fields) if a != "-"
    ]
    return sum(shares) / len(shares)


@alignment.mistake
def takes_the_smallest(weights, answer_fields, source_fields):
    """You take the smallest weight of each row. A row looks most at its largest: argmax, not argmin."""
    return my_alignment(-weights, answer_fields, source_fields)


@alignment.mistake
def expects_the_diagonal(weights, answer_fields, source_fields):
    """You call it a hit where the place in the source equals the place in the answer. Languages order the fields
    differently: compare fields, not places."""
    hits = [i == j for i, (a, j) in enumerate(zip(answer_fields, _looked(weights))) if a != "-"]
    return sum(hits) / len(hits)


@alignment.mistake
def shifts_the_source(weights, answer_fields, source_fields):
    """Your places are off by one: the column numbered 0 is the first character of the source."""
    return my_alignment(weights, answer_fields, source_fields[-1] + source_fields[:-1])


@alignment.mistake
def counts_any_field(weights, answer_fields, source_fields):
    """You call it a hit wherever some field is looked at. A day must look at the day, not at the year."""
    hits = [source_fields[i] != "-" for a, i in zip(answer_fields, _looked(weights)) if a != "-"]
    return sum(hits) / len(hits)


@alignment.mistake
def leaves_out_looks_between_the_fields(weights, answer_fields, source_fields):
    """You leave out the rows that look at a `-` of the source. Those are misses: they count below the line."""
    hits = [a == source_fields[i] for a, i in zip(answer_fields, _looked(weights)) if "-" not in (a, source_fields[i])]
    return sum(hits) / max(1, len(hits))


@alignment.mistake
def averages_over_fields(weights, answer_fields, source_fields):
    """You average day, month and year, so that a short day weighs as much as a long month. Every character counts
    the same here."""
    shares = []
    for field in sorted(set(answer_fields) - {"-"}):
        hits = [source_fields[i] == field for a, i in zip(answer_fields, _looked(weights)) if a == field]
        shares.append(sum(hits) / len(hits))
    return sum(shares) / len(shares)


@alignment.mistake
def counts_misses(weights, answer_fields, source_fields):
    """This is the share of misses. Asked for are the hits."""
    return 1 - my_alignment(weights, answer_fields, source_fields)


@alignment.mistake
def returns_a_count(weights, answer_fields, source_fields):
    """You return how many hits there are. Divide by how many characters were judged."""
    return sum(a == source_fields[i] for a, i in zip(answer_fields, _looked(weights)) if a != "-")


@alignment.mistake
def returns_percent_of_hits(weights, answer_fields, source_fields):
    """You return a percentage. Asked for is the share, from 0 to 1."""
    return 100 * my_alignment(weights, answer_fields, source_fields)
