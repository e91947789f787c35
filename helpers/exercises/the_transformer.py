"""The exercises of lesson 2.4: how far a change reaches, a draw at a temperature, and compute for the same loss."""

import math
from itertools import pairwise

import numpy as np

from helpers.exercises import FunctionExercise, number, number_or_none, whole_number

# Exercise 1: how far a change reaches


def my_reach(length: int, position: int, layers: int, back: int) -> int:
    """Return how many of `length` positions can differ after the layers when the one at `position` changes."""
    return min(length - position, layers * back + 1)


reach = FunctionExercise(
    "reach",
    "Write `my_reach(length, position, layers, back)`: how many of `length` positions can differ after the layers, "
    "when the input at `position` (the first is 0) changes and each layer lets a position see itself and the `back` "
    "positions before it.",
    [
        "Take one layer and `back = 2` first. Which positions see the changed one? It is one of them.",
        "Each layer starts from what the one below has changed, so the change moves `back` positions further with each "
        "layer.",
        "The text ends: from `position` on there are only `length - position` positions that could differ. The smaller "
        "of the two numbers counts.",
    ],
    my_reach,
    cases=[
        (10, 9, 2, 2),
        (12, 11, 1, 1),
        (10, 3, 0, 3),
        (8, 3, 2, 0),
        (10, 2, 1, 2),
        (12, 5, 2, 3),
        (30, 4, 3, 1),
        (64, 19, 1, 2),
        (64, 19, 2, 2),
        (64, 60, 3, 5),
        (100, 10, 4, 7),
        (100, 90, 3, 3),
    ],
    read=whole_number,
    noun="the count",
)


@reach.mistake
def forgets_the_layers(length, position, layers, back):
    """You count one layer. The next layer starts from what this one has changed, and carries it `back` positions
    further."""
    return min(length - position, back + 1)


@reach.mistake
def runs_past_the_end(length, position, layers, back):
    """You count positions after the end of the text. From `position` on there are `length - position` of them."""
    return layers * back + 1


@reach.mistake
def leaves_the_changed_one_out(length, position, layers, back):
    """You leave out the changed position itself. It sees itself, so it differs too."""
    return min(length - position - 1, layers * back)


@reach.mistake
def looks_both_ways(length, position, layers, back):
    """You count positions on both sides. A position sees only what is before it, so nothing before the change can
    know of it."""
    return min(length - 1, position + layers * back) - max(0, position - layers * back) + 1


@reach.mistake
def looks_the_wrong_way(length, position, layers, back):
    """You count the positions before the change. They cannot see it: those after it look back and do."""
    return min(position + 1, layers * back + 1)


@reach.mistake
def counts_positions_from_one(length, position, layers, back):
    """Near the end you count one position too many: the first position is 0, so `length - position` are left."""
    return min(length - position + 1, layers * back + 1)


@reach.mistake
def multiplies_the_windows(length, position, layers, back):
    """You multiply what one layer reaches by itself for each layer. The windows lie one behind the other and overlap:
    each layer adds `back`."""
    return min(length - position, (back + 1) ** layers)


@reach.mistake
def counts_itself_in_each_layer(length, position, layers, back):
    """You add the changed position once a layer. It is one position, however many layers there are: each layer adds
    `back` new ones."""
    return min(length - position, layers * (back + 1))


@reach.mistake
def adds_layers_and_back(length, position, layers, back):
    """You add the layers and the positions back. Each layer moves the change on by `back`: multiply."""
    return min(length - position, layers + back)


@reach.mistake
def sees_everything_before(length, position, layers, back):
    """You count every later position, as in the lesson's Transformer. Here a layer sees only `back` positions back."""
    return length - position


@reach.mistake
def has_no_mask(length, position, layers, back):
    """You count every position, as without a mask. Here a position sees itself and `back` positions before it."""
    return length


@reach.mistake
def returns_the_last_place(length, position, layers, back):
    """You return the last position that differs. Asked is how many differ."""
    return min(length - 1, position + layers * back)


@reach.mistake
def lets_back_hold_the_position_itself(length, position, layers, back):
    """You count the position itself among the `back` ones. It sees itself and `back` others before it."""
    return min(length - position, layers * max(0, back - 1) + 1)


@reach.mistake
def returns_a_share(length, position, layers, back):
    """You divide by the length. Asked is the count."""
    return my_reach(length, position, layers, back) / length


# Exercise 2: a draw at a temperature


def my_share(scores: list, temperature: float) -> float:
    """Return the probability of drawing the token with the highest score."""
    scores = np.array(scores, float) / temperature
    powers = np.exp(scores - scores.max())  # the largest taken off: e to the 1000 is infinite
    return powers.max() / powers.sum()


share = FunctionExercise(
    "share",
    "Write `my_share(scores, temperature)`: the probability with which the token of the highest score is drawn at a "
    "temperature.",
    [
        "Without a temperature it is the softmax: e to the power of each score, divided by the sum of these.",
        "The temperature divides the scores, before anything else is done to them.",
        "Take the largest score off all of them before `np.exp`: the shares stay the same, and nothing overflows.",
    ],
    my_share,
    cases=[
        ([1.0, 2.0], 1.0),
        ([0.0, 0.0, 0.0], 0.5),
        ([2.0, 1.0, 0.5], 0.5),
        ([1.0, 3.0, 2.0], 2.0),
        ([0.3, 0.1, 0.2, 0.25], 1.5),
        ([-5.0, -1.0, -2.5, -1.5], 0.8),
        ([4.0, 4.5], 0.1),
        ([1000.0, 1001.0, 999.0], 1.0),
    ],
    read=number,
    noun="the probability",
)


def _softmax(scores) -> np.ndarray:
    powers = np.exp(np.array(scores, float) - max(scores))
    return powers / powers.sum()


@share.mistake
def multiplies_by_the_temperature(scores, temperature):
    """You multiply the scores by the temperature. A low temperature must make the likeliest token likelier: divide."""
    return my_share(scores, 1 / temperature)


@share.mistake
def leaves_the_temperature_out(scores, temperature):
    """Your answer does not depend on the temperature. It divides the scores before the softmax."""
    return my_share(scores, 1)


@share.mistake
def divides_the_probability(scores, temperature):
    """You divide the probability by the temperature; then the probabilities no longer sum to one. Divide the scores,
    and take the softmax after that."""
    return _softmax(scores).max() / temperature


@share.mistake
def forgets_to_share_again(scores, temperature):
    """You raise each probability to the power of one over the temperature, which is right, and stop there. The results
    no longer sum to one: divide by their sum."""
    return _softmax(scores).max() ** (1 / temperature)


@share.mistake
def overflows(scores, temperature):
    """`np.exp(1000)` is infinite, and infinite divided by infinite is nan. Take the largest score off first: the shares
    stay the same."""
    with np.errstate(all="ignore"):
        powers = np.exp(np.array(scores, float) / temperature)
        return powers.max() / powers.sum()


@share.mistake
def overflows_with_an_error(scores, temperature):
    """`math.exp(1000)` is larger than any float. Take the largest score off first: the shares stay the same."""
    powers = [math.exp(score / temperature) for score in scores]
    return max(powers) / sum(powers)


@share.mistake
def returns_the_surprise(scores, temperature):
    """You return the surprise, minus the logarithm of the probability. Asked is the probability itself."""
    return -math.log(my_share(scores, temperature))


@share.mistake
def returns_the_place(scores, temperature):
    """You return which token has the highest score. Asked is how likely it is to be drawn."""
    return int(np.argmax(scores))


@share.mistake
def takes_the_first_token(scores, temperature):
    """You return the probability of the first token. The one with the highest score may stand anywhere."""
    return _softmax(np.array(scores) / temperature)[0]


@share.mistake
def takes_the_last_token(scores, temperature):
    """You return the probability of the last token. The one with the highest score may stand anywhere."""
    return _softmax(np.array(scores) / temperature)[-1]


@share.mistake
def takes_the_least_likely(scores, temperature):
    """You return the smallest probability. The highest score belongs to the largest one."""
    return _softmax(np.array(scores) / temperature).min()


@share.mistake
def takes_powers_of_two(scores, temperature):
    """You take powers of two. The softmax takes powers of e."""
    return my_share(np.array(scores) * math.log(2), temperature)


@share.mistake
def shares_without_powers(scores, temperature):
    """You divide the score by the sum of the scores. Scores may be negative or zero: take e to the power of each
    first."""
    scores = np.array(scores) / temperature
    with np.errstate(all="ignore"):
        return scores.max() / scores.sum()


@share.mistake
def divides_by_the_largest(scores, temperature):
    """You divide by the largest power, so that your answer is always 1. Divide by the sum of all."""
    return 1.0


@share.mistake
def returns_percent(scores, temperature):
    """You return per cent. Leave out the factor of 100."""
    return 100 * my_share(scores, temperature)


# Exercise 3: compute for the same loss


def my_times(first: list, second: list) -> float | None:
    """Return how many times the compute of the last run of `first` the curve `second` needs for that run's loss."""
    compute, target = first[-1]
    if second[0][1] <= target:
        return None
    for (before, high), (after, low) in pairwise(second):
        if high > target >= low:
            share = (high - target) / (high - low)
            return before * (after / before) ** share / compute
    return None


times = FunctionExercise(
    "times",
    "Write `my_times(first, second)`: how many times the compute of the last run of `first` the curve `second` needs "
    "for that run's loss, where each curve is a list of (compute, loss) with rising compute, and points are joined by "
    "straight lines over the logarithm of the compute; the first time counts; None where `second` never comes down to "
    "it or is there from its first point on.",
    [
        "The last pair of `first` holds the compute to compare with and the loss to be reached.",
        "Walk along `second` in pairs of neighbours, until one has a loss above the target and the next has not.",
        "Between them, go the same share of the way in the logarithm of the compute as in the loss: "
        "`before * (after / before) ** share`. Then divide by the compute of `first`.",
    ],
    my_times,
    cases=[
        ([(1, 3.0), (2, 2.0)], [(1, 3.0), (2, 2.5), (4, 2.0)]),
        ([(1, 3.0), (2, 2.0)], [(1, 3.0), (4, 1.0)]),
        ([(1, 2.5), (4, 2.0)], [(1, 2.6), (2, 2.2), (8, 1.7)]),
        ([(1, 2.5), (4, 2.0)], [(0.5, 2.4), (1, 1.9), (4, 1.6)]),
        ([(10, 2.4), (20, 2.1), (40, 1.9)], [(10, 3.0), (40, 2.5), (160, 2.2)]),
        ([(10, 2.4), (20, 2.1), (40, 1.9)], [(10, 3.0), (40, 2.3), (160, 1.8), (640, 1.7)]),
        ([(1, 2.5), (4, 2.0)], [(1, 2.4), (2, 1.8), (4, 2.2), (8, 1.9)]),
        ([(1, 2.5), (4, 2.0)], [(1, 1.9), (2, 1.8)]),
    ],
    read=number_or_none,
    noun="the ratio",
)


def _stretch(first, second):
    """The compute and loss on both sides of the target, and the share of the way between them."""
    for (before, high), (after, low) in pairwise(second):
        if high > first[-1][1] >= low:
            return before, after, (high - first[-1][1]) / (high - low)
    return None


@times.mistake
def joins_over_the_compute_itself(first, second):
    """You join the points by straight lines over the compute. The lines are straight over its logarithm."""
    found = _stretch(first, second)
    return found and (found[0] + found[2] * (found[1] - found[0])) / first[-1][0]


@times.mistake
def takes_the_next_point(first, second):
    """You take the first measured point at or below the loss. The curve comes there earlier, between two points."""
    found = _stretch(first, second)
    return found and found[1] / first[-1][0]


@times.mistake
def takes_the_point_before(first, second):
    """You take the last measured point above the loss. The curve comes there later, between two points."""
    found = _stretch(first, second)
    return found and found[0] / first[-1][0]


@times.mistake
def divides_the_other_way(first, second):
    """You divide the other way round: more than 1 must mean that `second` needs more compute."""
    answer = my_times(first, second)
    return answer and 1 / answer


@times.mistake
def returns_the_compute(first, second):
    """You return the compute itself. Divide it by the compute of the last run of `first`."""
    answer = my_times(first, second)
    return answer and answer * first[-1][0]


@times.mistake
def subtracts(first, second):
    """You return the difference of the two computes. Asked is how many times: divide."""
    answer = my_times(first, second)
    return answer and (answer - 1) * first[-1][0]


@times.mistake
def compares_the_losses(first, second):
    """You compare losses. Asked is the compute for the same loss."""
    return second[-1][1] / first[-1][1]


@times.mistake
def takes_the_first_run(first, second):
    """You take the loss and the compute of the first run of `first`. Its last run is the one to match."""
    return my_times(first[:1], second)


@times.mistake
def exchanges_the_curves(first, second):
    """You ask what `first` needs for the loss of `second`. It is the other way round."""
    return my_times(second, first)


@times.mistake
def draws_the_line_on(first, second):
    """Where `second` never comes down to the loss you draw its last line on. Nobody has measured there: return None."""
    if (answer := my_times(first, second)) is not None:
        return answer
    (before, high), (after, low) = second[-2:]
    return before * (after / before) ** ((high - first[-1][1]) / (high - low)) / first[-1][0]


@times.mistake
def returns_the_last_point_without_reaching(first, second):
    """Where `second` never comes down to the loss you return its last compute, as if it had. Return None."""
    answer = my_times(first, second)
    return second[-1][0] / first[-1][0] if answer is None else answer


@times.mistake
def takes_the_last_time(first, second):
    """Where `second` crosses the loss more than once you take the last time. The first time counts."""
    return (
        my_times(first, second)
        and [
            before * (after / before) ** ((high - first[-1][1]) / (high - low)) / first[-1][0]
            for (before, high), (after, low) in pairwise(second)
            if high > first[-1][1] >= low
        ][-1]
    )


@times.mistake
def takes_the_first_point_below(first, second):
    """Where the first point of `second` is below the loss already you take its compute. It came there earlier, nobody
    has measured when: return None."""
    return second[0][0] / first[-1][0] if second[0][1] <= first[-1][1] else my_times(first, second)


@times.mistake
def returns_zero_without_reaching(first, second):
    """Where `second` never comes down to the loss you return 0, which reads as no compute at all. Return None."""
    return my_times(first, second) or 0


@times.mistake
def returns_infinity_without_reaching(first, second):
    """Where `second` never comes down to the loss you return infinity. It might with more compute, nobody knows: return
    None."""
    return my_times(first, second) or math.inf
