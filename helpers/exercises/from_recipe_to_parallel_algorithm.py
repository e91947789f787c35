"""The exercises of lesson 1.2: rounds of a tree, a scan with another operator, an operator of one's own, brackets."""

import itertools
import math
import operator
import random
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from helpers.exercises import FunctionExercise, Outcome, whole_number, with_article


class Operation:
    """An operation with a name, which a check can show and copy: it is the same one after copying.

    >>> Operation("add", operator.add), Operation("add", operator.add)(2, 3)
    (add, 5)
    """

    def __init__(self, name: str, function: Callable):
        self.name, self.function = name, function

    def __call__(self, one, other):
        return self.function(one, other)

    def __repr__(self) -> str:
        return self.name

    def __deepcopy__(self, memo) -> "Operation":
        return self


# Exercise 1: rounds of a tree reduction


def my_rounds(n: int) -> int:
    """Return in how many rounds a tree reduction makes one number out of n numbers."""
    rounds = 0
    while n > 1:
        n = (n + 1) // 2  # one without a partner goes on to the next round
        rounds += 1
    return rounds


rounds = FunctionExercise(
    "rounds",
    "Write `my_rounds(n)`: the number of rounds in which a tree reduction makes one number out of `n` numbers.",
    [
        "Draw it for 5 numbers. How many are left after each round, and what becomes of the one without a partner?",
        "After a round, half of the numbers are left, rounded up. Count how often you can do that until one is left.",
        "A loop while more than one is left: `n = (n + 1) // 2`, and one more round. A logarithm would do too, "
        "if it were exact: for a very large `n` it is not.",
    ],
    my_rounds,
    cases=[(n,) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 31, 32, 33, 1000, 1024, 1025, 2**49 + 1, 2**60 + 1)],
    read=whole_number,
    noun="the number of rounds",
)


@rounds.mistake
def counts_the_additions(n):
    """You count the additions: there are as many as in the recipe. Those of one round happen at the same time and count
    as one round."""
    return n - 1


@rounds.mistake
def halves_once(n):
    """That is the number of pairs in the first round. What is left must be paired again, until one number remains."""
    return n // 2


@rounds.mistake
def rounds_down(n):
    """You let the number without a partner disappear: halving must round up, `(n + 1) // 2`. With 3 numbers there
    are two rounds."""
    return max(n, 1).bit_length() - 1


@rounds.mistake
def rounds_to_the_nearest(n):
    """You round the logarithm to the nearest whole number. A part of a round is a whole round: round up."""
    return round(math.log2(n))


@rounds.mistake
def takes_one_round_too_many(n):
    """You count one round too many when `n` is a power of two: 8 numbers become 4, 2, 1, in three rounds."""
    return n.bit_length()


@rounds.mistake
def counts_the_levels(n):
    """You count the levels of the tree, the first row of numbers too. A round lies between two levels, so there is one
    fewer."""
    return my_rounds(n) + 1


@rounds.mistake
def takes_the_natural_logarithm(n):
    """You take the natural logarithm. Each round halves the numbers, so the logarithm is the one to base 2."""
    return math.ceil(math.log(n))


@rounds.mistake
def takes_the_decimal_logarithm(n):
    """You take the logarithm to base 10. Each round halves the numbers, so the logarithm is the one to base 2."""
    return math.ceil(math.log10(n))


@rounds.mistake
def returns_the_logarithm(n):
    """You return the logarithm itself, a float. Rounds are whole, and a part of one is a whole one."""
    return math.log2(n)


@rounds.mistake
def trusts_the_logarithm(n):
    """All is right but for very long lists: `math.log2` rounds, and 2**49 + 1 looks like 2**49 to it. Halve in a loop,
    or use `(n - 1).bit_length()`."""
    return math.ceil(math.log2(n))


@rounds.mistake
def takes_the_square_root(n):
    """That is the square root, or near it. Each round halves what is left: how often can you halve?"""
    return math.isqrt(n - 1) + (n > 1)


@rounds.mistake
def needs_a_round_for_one(n):
    """All is right but for a single number: there is nothing to add, so there is no round."""
    return max(1, my_rounds(n))


# Exercise 2: the running maximum as a scan


def my_running_maximum(numbers: list, larger: Callable) -> list:
    """Return the running maximum of numbers, with a longest chain of log2(n) calls of larger."""
    reach = 1
    while reach < len(numbers):
        pairs = zip(numbers, numbers[reach:])
        numbers = numbers[:reach] + [larger(left, right) for left, right in pairs]
        reach *= 2
    return numbers


def _larger(one: tuple, other: tuple) -> tuple:
    return max(one[0], other[0]), 1 + max(one[1], other[1])


larger = Operation("larger", _larger)


def _lists_to_scan() -> list[tuple]:
    """Lists of (value, round 0), the shortest first; rising and falling ones, and lengths that are no power of two."""
    lists = [
        [],
        [5],
        [1, 2],
        [2, 1],
        [1, 3, 2],
        [3, 1, 2],
        [1, 2, 3, 4],
        [4, 3, 2, 1],
        [2, 1, 4, 3, 5],
        [1, 5, 2, 6, 3, 7],
    ]
    draw = random.Random(0)
    lists += [[draw.randrange(-50, 50) for _ in range(n)] for n in (8, 9, 13, 16)]
    lists += [[9, *range(8)], list(range(64)), [draw.randrange(1000) for _ in range(100)]]
    return [([(value, 0) for value in values], larger) for values in sorted(lists, key=len)]


def running_values(value: object) -> Outcome:
    """A list of (value, round) pairs as one text: the values, and whether the last round is within 2 log2(n).

    >>> running_values([(3, 0), (3, 1), (7, 2)]).value
    '3, 3, 7 in at most 4 rounds'
    """
    if type(value) is tuple or type(value).__module__ == "itertools" or type(value) in (zip, map):
        value = list(value)
    if type(value) is not list:
        return Outcome("type", type(value).__name__, f"returned {with_article(value)}, where a list is needed")
    for item in value:
        if type(item) is not tuple or len(item) != 2 or not all(type(part) is int for part in item):
            sentence = "returned a list whose items are not the pairs (value, round) that `larger` gives"
            return Outcome("items", None, sentence)
    found = ", ".join(str(item[0]) for item in value) or "no values"
    most = 2 * (len(value) - 1).bit_length() if value else 0
    chain = max((item[1] for item in value), default=0)
    if chain > most:
        return Outcome("answer", f"{found} in more than {most} rounds", f"returned {found} after {chain} rounds")
    return Outcome("answer", f"{found} in at most {most} rounds", f"returned {found} after {chain} rounds")


running_maximum = FunctionExercise(
    "running_maximum",
    "Write `my_running_maximum(numbers, larger)`: the list with, at each place, the larger of all pairs up to there, "
    "with a longest chain of at most 2 log2(n) calls of `larger`.",
    [
        "Which line of the lesson's scans is about adding? Everything else may stay.",
        "Hillis and Steele: keep the first `reach` items, combine each of the others with the item `reach` places to "
        "its left, and double `reach`, until it is as long as the list.",
        "In each round, make a new list: `numbers[:reach] + [larger(a, b) for a, b in zip(numbers, numbers[reach:])]`. "
        "A list that is changed in place feeds new values to later places of the same round.",
    ],
    my_running_maximum,
    cases=_lists_to_scan(),
    read=running_values,
    noun="the running maximum",
)


def _doubling(numbers, larger, reach=1, times=2, until=lambda reach, n: reach < n):
    """The scan of Hillis and Steele with parts that can be set wrong."""
    while until(reach, len(numbers)):
        numbers = numbers[:reach] + [larger(a, b) for a, b in zip(numbers, numbers[reach:])]
        reach *= times
    return numbers


@running_maximum.mistake
def goes_step_by_step(numbers, larger):
    """The values are right, but the longest chain is as long as the list: either each result waits for the one before,
    as in the recipe, or the reach does not double after each round. Places that are 1, 2, 4, 8 apart must meet, all of
    a round at once."""
    return list(itertools.accumulate(numbers, larger))


@running_maximum.mistake
def does_one_round(numbers, larger):
    """You combine neighbours once: each place then knows two numbers. Go on with twice the reach, until it spans the
    whole list."""
    return _doubling(numbers, larger, until=lambda reach, n: reach == 1 and n > 1)


@running_maximum.mistake
def stops_a_round_early(numbers, larger):
    """Your loop ends one round too early, so that the far end of the list does not know its beginning. Go on while
    `reach` is smaller than the length."""
    return _doubling(numbers, larger, until=lambda reach, n: 2 * reach < n)


@running_maximum.mistake
def begins_at_two(numbers, larger):
    """Your first reach is 2, so that direct neighbours never meet. Begin with 1."""
    return _doubling(numbers, larger, reach=2)


@running_maximum.mistake
def triples(numbers, larger):
    """Your reach grows too fast: after one round each place knows two numbers, so the next reach is 2, then 4. With 3
    some are left out."""
    return _doubling(numbers, larger, times=3)


@running_maximum.mistake
def drops_the_beginning(numbers, larger):
    """Your list gets shorter in each round: the first `reach` items have nobody to their left, and stay as they are."""
    reach = 1
    while reach < len(numbers):
        numbers = [larger(a, b) for a, b in zip(numbers, numbers[reach:])]
        reach *= 2
    return numbers


@running_maximum.mistake
def puts_the_beginning_at_the_end(numbers, larger):
    """You keep the first `reach` items, but put them behind the others. They belong in front."""
    reach = 1
    while reach < len(numbers):
        numbers = [larger(a, b) for a, b in zip(numbers, numbers[reach:])] + numbers[:reach]
        reach *= 2
    return numbers


@running_maximum.mistake
def looks_to_the_right(numbers, larger):
    """You combine each place with those to its right: that is the running maximum from the end. Look to the left."""
    return my_running_maximum(numbers[::-1], larger)[::-1]


@running_maximum.mistake
def returns_the_maximum(numbers, larger):
    """You return the maximum of all, once. A scan returns one result for each place."""
    while len(numbers) > 1:
        numbers = [larger(a, b) for a, b in zip(numbers[::2], numbers[1::2])] + numbers[len(numbers) // 2 * 2 :]
    return numbers


@running_maximum.mistake
def repeats_the_maximum(numbers, larger):
    """You return the maximum of all at every place. Each place may only know the numbers up to there."""
    return returns_the_maximum(numbers, larger) * len(numbers)


@running_maximum.mistake
def leaves_out_its_own_number(numbers, larger):
    """Your results are moved by one place: each leaves out the number at its own place."""
    found = my_running_maximum(numbers, larger)
    return found[:1] + found[:-1] if found else found


@running_maximum.mistake
def sorts(numbers, larger):
    """You sort the numbers. The running maximum keeps the order: it is the largest so far, place by place."""
    return sorted(numbers)


@running_maximum.mistake
def returns_the_numbers(numbers, larger):
    """You return the numbers as they came. Was the new list of each round kept, as in `numbers = ...`?"""
    return list(numbers)


# Exercise 3: an operator for totals that start again


def my_combine(left: tuple, right: tuple) -> tuple:
    """Return two neighbouring stretches (starts, total) as one."""
    starts = left[0] or right[0]
    return starts, right[1] if right[0] else left[1] + right[1]


def _stretches() -> list[tuple]:
    values = [(False, 0), (False, 2), (False, -3), (True, 5), (True, 0), (True, -1), (False, 7)]
    first = [((False, 2), (False, 3)), ((False, 2), (True, 3)), ((True, 2), (False, 3)), ((True, 2), (True, 3))]
    return [*first, *itertools.product(values, repeat=2)]


def stretch(value: object) -> Outcome:
    """A pair (starts, total), as a truth value and a whole number.

    >>> stretch((np.bool_(True), 3)).value
    (True, 3)
    """
    if type(value) is list:
        return Outcome("list", None, "returned a list, where a tuple `(starts, total)` is needed")
    if type(value) is not tuple or len(value) != 2:
        return Outcome(
            "type", type(value).__name__, f"returned {with_article(value)}, where `(starts, total)` is needed"
        )
    starts, total = value
    if type(starts) in (int, np.bool_):
        starts = bool(starts)
    if type(starts) is not bool or type(total) is not int:
        return Outcome("parts", None, "returned a tuple whose parts are not a truth value and a whole number")
    return Outcome("answer", (starts, total), f"returned {(starts, total)}")


combine = FunctionExercise(
    "combine",
    "Write `my_combine(left, right)`: two neighbouring stretches `(starts, total)` as one, where `total` counts from "
    "the last start in the stretch and `starts` says whether there is one.",
    [
        "Try two single items first: `(False, 2)` then `(True, 3)`. What is the total of the new day?",
        "If a new day begins in the right stretch, what came before it does not matter for the total. If not, the left "
        "stretch's total runs on into the right one.",
        "A new day begins somewhere in the whole if it begins in the left or in the right stretch. So the first part "
        "is `left[0] or right[0]`; the second is `right[1]` if `right[0]`, else the sum.",
    ],
    my_combine,
    cases=_stretches(),
    read=stretch,
    noun="the combined stretch",
)


@combine.mistake
def always_adds(left, right):
    """You add in every case. Where a day begins in the right stretch, the left total belongs to an earlier day."""
    return left[0] or right[0], left[1] + right[1]


@combine.mistake
def looks_at_the_left_start(left, right):
    """You drop the left total when the *left* stretch has a start. That day is still going on: it is a start in the
    right stretch that ends it."""
    return left[0] or right[0], right[1] if left[0] else left[1] + right[1]


@combine.mistake
def forgets_earlier_starts(left, right):
    """You keep only the right stretch's flag. A start in the left one is a start of the whole: else, when a third
    stretch comes in front, its total leaks into a day that is not its own."""
    return right[0], right[1] if right[0] else left[1] + right[1]


@combine.mistake
def keeps_the_left_flag(left, right):
    """You keep only the left stretch's flag. A start in the right one is a start of the whole too."""
    return left[0], right[1] if right[0] else left[1] + right[1]


@combine.mistake
def needs_both_starts(left, right):
    """Your flag is true only where both stretches have a start. One is enough: `or`, not `and`."""
    return left[0] and right[0], right[1] if right[0] else left[1] + right[1]


@combine.mistake
def wants_exactly_one_start(left, right):
    """Your flag is false where both stretches have a start. Two starts are a start too: `or`."""
    return left[0] != right[0], right[1] if right[0] else left[1] + right[1]


@combine.mistake
def begins_at_zero(left, right):
    """At a start you set the total to 0. The new day's own first takings count: they are the right total."""
    return left[0] or right[0], 0 if right[0] else left[1] + right[1]


@combine.mistake
def keeps_the_old_day(left, right):
    """At a start you keep the left total and drop the right one. It is the new day that goes on."""
    return left[0] or right[0], left[1] if right[0] else left[1] + right[1]


@combine.mistake
def turns_the_flag_round(left, right):
    """You add where a new day begins and drop the left total where none does: the two cases are the wrong way
    round."""
    return left[0] or right[0], left[1] + right[1] if right[0] else right[1]


@combine.mistake
def starts_if_either(left, right):
    """You drop the left total whenever either stretch has a start. If the start is in the left one, its day runs on
    into the right one, and the totals add up."""
    starts = left[0] or right[0]
    return starts, right[1] if starts else left[1] + right[1]


@combine.mistake
def never_starts(left, right):
    """Your flag is always False, so that the stretch forgets that a day began in it."""
    return False, right[1] if right[0] else left[1] + right[1]


@combine.mistake
def swaps_the_parts(left, right):
    """You return the total first. The order is `(starts, total)`."""
    starts, total = my_combine(left, right)
    return total, starts


@combine.mistake
def returns_the_total(left, right):
    """You return the total alone. A stretch is `(starts, total)`: the flag is needed when the next one is combined."""
    return my_combine(left, right)[1]


@combine.mistake
def returns_a_list(left, right):
    """The parts are right, but it is a list: what goes into the scan again must be of the same kind, a tuple."""
    return list(my_combine(left, right))


# Exercise 4: is it associative?


def my_is_associative(operation: Callable, values: list) -> bool:
    """Return whether the brackets may move for all triples of the values."""
    triples = itertools.product(values, repeat=3)
    return all(operation(operation(a, b), c) == operation(a, operation(b, c)) for a, b, c in triples)


def _times(one: tuple, other: tuple) -> tuple:
    """The product of two matrices [[a, b], [c, d]], each written as (a, b, c, d)."""
    (a, b, c, d), (e, f, g, h) = one, other
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h


OPERATIONS = [
    (Operation("add", operator.add), [1, 2, 3]),
    (Operation("subtract", operator.sub), [1, 2, 3]),
    (Operation("maximum", max), [3, 1, 2]),
    (Operation("average", lambda a, b: Fraction(a + b) / 2), [1, 2, 4]),
    (Operation("distance", lambda a, b: abs(a - b)), [2, 5, 9]),
    (Operation("join", operator.add), ["a", "b", "c"]),
    (Operation("first", lambda a, b: a), [1, 2, 3]),
    (Operation("power", operator.pow), [2, 1, 3]),
    (Operation("matrix_product", _times), [(1, 1, 0, 1), (1, 0, 1, 1), (0, 1, 1, 0)]),
    (Operation("greatest_common_divisor", math.gcd), [12, 18, 30]),
    (Operation("add_one_more", lambda a, b: a + b + 1), [1, 5, 2]),
    (Operation("subtract", operator.sub), [0]),
    (Operation("subtract", operator.sub), [0, 0]),
    (Operation("subtract", operator.sub), [5, 0]),
    (Operation("subtract", operator.sub), [0, 5]),
    (Operation("exclusive_or", operator.xor), [1, 0]),
    (Operation("not_both", lambda a, b: 1 - a * b), [0, 1]),
    (Operation("add", operator.add), []),
    (Operation("add", operator.add), [1e16, 1.0, -1e16]),
    (Operation("rock_paper_scissors", lambda a, b: a if (a - b) % 3 < 2 else b), [0, 1, 2]),
    (Operation("capped_sum", lambda a, b: min(10, a + b)), [3, 6, 9]),
    (Operation("capped_sum", lambda a, b: min(10, a + b)), [8, -3, 5]),
    (Operation("one_then_two", lambda a, b: 7 if (a, b) == (1, 2) else 0), [1, 2]),
    (Operation("first_if_in_order", lambda a, b: a if a <= b else 0), [1, 2]),
    (Operation("same_or_next", lambda a, b: a if a == b else (a + 1) % 3), [0, 1, 2]),
]


def truth(value: object) -> Outcome:
    """True or False that came back from an attempt, NumPy's own included.

    >>> truth(np.bool_(False)).value
    False
    """
    if type(value) is np.bool_:
        value = bool(value)
    if type(value) is not bool:
        return Outcome("type", type(value).__name__, f"returned {with_article(value)}, where True or False is needed")
    return Outcome("answer", value, f"returned {value}")


is_associative = FunctionExercise(
    "is_associative",
    "Write `my_is_associative(operation, values)`: True where `operation(operation(a, b), c)` equals "
    "`operation(a, operation(b, c))` for all choices of a, b and c among the values, else False.",
    [
        "Begin with three values: compute both ways of setting the brackets, and compare.",
        "Take every choice of three, with repetition and in every order: three loops, one in the other, or "
        "`itertools.product(values, repeat=3)`.",
        "Return False at the first choice for which the two sides differ. Return True only after all choices have been "
        "tried, after the loops and not inside them.",
    ],
    my_is_associative,
    cases=sorted(OPERATIONS, key=lambda case: len(case[1])),
    read=truth,
    noun="the right answer",
)


def _brackets_may_move(operation, triples) -> bool:
    return all(operation(operation(a, b), c) == operation(a, operation(b, c)) for a, b, c in triples)


@is_associative.mistake
def asks_for_the_order(operation, values):
    """You test whether the two inputs may change places: that is commutativity. Associativity keeps the order and moves
    the brackets."""
    return all(operation(a, b) == operation(b, a) for a, b in itertools.product(values, repeat=2))


@is_associative.mistake
def asks_for_both(operation, values):
    """You ask for more than was asked: an operation whose inputs may not change places, such as joining texts, can
    still be associative."""
    return asks_for_the_order(operation, values) and my_is_associative(operation, values)


@is_associative.mistake
def changes_the_order_too(operation, values):
    """On the right side your letters stand in another order, as in `operation(c, operation(a, b))`. Only the brackets
    move: a, b, c stay in their order."""
    triples = itertools.product(values, repeat=3)
    return all(operation(operation(a, b), c) == operation(c, operation(a, b)) for a, b, c in triples)


@is_associative.mistake
def tries_one_triple(operation, values):
    """You try one choice of three values. It may happen to agree: try them all."""
    return _brackets_may_move(operation, [(values * 3)[:3]] if values else [])


@is_associative.mistake
def returns_too_early(operation, values):
    """You return True after the first choice that agrees. A no can come early; a yes must wait for all choices."""
    return _brackets_may_move(operation, itertools.islice(itertools.product(values, repeat=3), 1))


@is_associative.mistake
def looks_at_the_last(operation, values):
    """Your answer is that of the last choice: each turn of the loop overwrites what the one before found. One
    disagreement is enough for a no."""
    return _brackets_may_move(operation, list(itertools.product(values, repeat=3))[-1:])


@is_associative.mistake
def accepts_any_agreement(operation, values):
    """You say yes where some choice agrees: `any` where `all` is needed."""
    triples = itertools.product(values, repeat=3)
    return any(operation(operation(a, b), c) == operation(a, operation(b, c)) for a, b, c in triples)


@is_associative.mistake
def wants_different_values(operation, values):
    """You leave out choices in which a value occurs twice. The same number may stand at two places of a list."""
    return _brackets_may_move(operation, itertools.permutations(values, 3))


@is_associative.mistake
def keeps_the_values_in_order(operation, values):
    """You try only choices in the order of the list, as `itertools.combinations` does. In a real list they come in any
    order, and more than once: `itertools.product(values, repeat=3)`."""
    return _brackets_may_move(operation, itertools.combinations_with_replacement(values, 3))


@is_associative.mistake
def takes_neighbours(operation, values):
    """You try neighbours in the list only. Every choice of three values may meet: `itertools.product`."""
    return _brackets_may_move(operation, zip(values, values[1:], values[2:]))


@is_associative.mistake
def answers_the_other_question(operation, values):
    """Yes and no are the wrong way round: True means that the brackets may move."""
    return not my_is_associative(operation, values)


@is_associative.mistake
def uses_two_values(operation, values):
    """You use a twice, and never a third value: `operation(operation(a, b), a)`. Three places need three loops."""
    return _brackets_may_move(operation, ((a, b, a) for a, b in itertools.product(values, repeat=2)))


@is_associative.mistake
def compares_with_one_value(operation, values):
    """You use one value three times. Nearly every operation agrees with itself there: take all choices of three."""
    return _brackets_may_move(operation, ((a, a, a) for a in values))


@is_associative.mistake
def always_yes(operation, values):
    """You always say yes. Is anything compared, and does the comparison reach the `return`?"""
    return True


@is_associative.mistake
def always_no(operation, values):
    """You always say no. Is the `return False` inside the `if` that finds a difference?"""
    return False
