"""The exercises of lesson 2.1: perplexity, absolute discounting, the entropy of a message, the cheapest word."""

import math

import numpy as np

from helpers.exercises import FunctionExercise, number, whole_number

# Exercise 1: perplexity


def my_perplexity(odds: list) -> float:
    """Return the perplexity of a model that gave these probabilities to the tokens that came."""
    surprise = [-math.log2(p) for p in odds]
    return 2 ** (sum(surprise) / len(surprise))


perplexity = FunctionExercise(
    "perplexity",
    "Write `my_perplexity(odds)`: 2 to the power of the mean surprise, in bits, at tokens to which a model gave these "
    "probabilities.",
    [
        "How surprised, in bits, is somebody who gave a probability of 1/4 to what came?",
        "Take the surprise -log2(p) of each probability, then their mean: that is the cross-entropy. The perplexity is "
        "2 to its power.",
        "`math.log2` is the logarithm to base 2. Two probabilities of 1/4 have a mean surprise of 2 bits, and 2 ** 2 "
        "is 4.",
    ],
    my_perplexity,
    cases=[([0.25, 0.25],), ([0.5],), ([1.0, 1.0],), ([0.5, 0.125],), ([0.9, 0.05, 0.3],), ([0.01, 0.99, 0.5, 0.2],)],
    read=number,
    noun="the perplexity",
)


def _surprise(odds) -> list[float]:
    return [-math.log2(p) for p in odds]


@perplexity.mistake
def stops_at_the_cross_entropy(odds):
    """This is the mean surprise in bits, the cross-entropy. The perplexity is 2 to its power."""
    return float(np.mean(_surprise(odds)))


@perplexity.mistake
def averages_one_over_p(odds):
    """You take the mean of 1/p. The mean is taken of the surprises, and the power of 2 comes after it: one unlikely
    token would weigh far too much."""
    return float(np.mean([1 / p for p in odds]))


@perplexity.mistake
def one_over_the_mean(odds):
    """You take 1 over the mean probability. Surprises are averaged, not probabilities."""
    return 1 / float(np.mean(odds))


@perplexity.mistake
def mixes_the_bases(odds):
    """Your surprise is in natural units (`math.log`), and you raise 2 to it. Take `math.log2`, or raise e."""
    return 2 ** float(np.mean([-math.log(p) for p in odds]))


@perplexity.mistake
def raises_e_to_the_bits(odds):
    """Your surprise is in bits, and you raise e to it. With bits, raise 2."""
    return math.exp(np.mean(_surprise(odds)))


@perplexity.mistake
def forgets_the_minus(odds):
    """You forgot the minus sign: the logarithm of a probability is below zero, and surprise is above it."""
    return 2 ** -float(np.mean(_surprise(odds)))


@perplexity.mistake
def sums_the_surprise(odds):
    """You raise 2 to the sum of the surprises. Divide it by the number of tokens, or a longer text would always be more
    perplexing."""
    return 2 ** sum(_surprise(odds))


@perplexity.mistake
def weighs_by_the_odds(odds):
    """You weigh each surprise by its probability, as for the entropy of a distribution. Here every token came once: all
    weigh the same."""
    return 2 ** sum(p * s for p, s in zip(odds, _surprise(odds)))


@perplexity.mistake
def divides_by_one_too_few(odds):
    """You divide the sum of the surprises by one less than the number of tokens. Every token counts."""
    return 2 ** (sum(_surprise(odds)) / (len(odds) - 1))


@perplexity.mistake
def takes_the_worst(odds):
    """You look at the most surprising token alone. The mean is over all of them."""
    return 1 / min(odds)


@perplexity.mistake
def takes_the_last(odds):
    """You look at the last token alone: does your loop overwrite what it should add up?"""
    return 1 / odds[-1]


# Exercise 2: absolute discounting


def my_discounted(followed: str, letter: str, shorter: float, discount: float) -> float:
    """Return the probability of letter after a context that these letters followed, by absolute discounting."""
    if not followed:
        return shorter
    taken = discount * len(set(followed))  # one discount for each kind of letter
    left = max(followed.count(letter) - discount, 0)
    return (left + taken * shorter) / len(followed)


discounted = FunctionExercise(
    "discounted",
    "Write `my_discounted(followed, letter, shorter, discount)`: what the discount leaves of the letter's count, plus "
    "all that was taken times the shorter context's probability, divided by the number of letters that followed, and "
    "`shorter` alone where none did.",
    [
        "From how many counts is a discount taken? Add them up: that is what the shorter context may give away.",
        "A letter that never followed has no count to take from: nothing may fall below zero. Its whole probability "
        "comes from the shorter context.",
        "(max(count - discount, 0) + discount * kinds * shorter) / len(followed), where `kinds` is the number of "
        "different letters in `followed`. Where `followed` is empty, return `shorter`.",
    ],
    my_discounted,
    cases=[
        ("", "a", 0.3, 0.5),
        ("a", "a", 0.5, 0.5),
        ("a", "b", 0.5, 0.5),
        ("aaba", "a", 0.25, 0.75),
        ("aaba", "c", 0.1, 0.75),
        ("eeoeaoeeoe", "o", 0.2, 0.9),
        ("eeoeaoeeoe", "z", 0.001, 0.9),
        ("tttttttt", "t", 0.1, 0.25),
    ],
    read=number,
    noun="the probability",
)


def _left(followed, letter, discount) -> float:
    return max(followed.count(letter) - discount, 0)


def _taken(followed, discount) -> float:
    return discount * len(set(followed))


@discounted.mistake
def forgets_the_shorter_context(followed, letter, shorter, discount):
    """You take the discount and give it to nobody: the probabilities sum to less than one. What was taken goes to the
    shorter context's opinion."""
    return _left(followed, letter, discount) / len(followed) if followed else shorter


@discounted.mistake
def gives_back_one_discount(followed, letter, shorter, discount):
    """You give away one discount. It was taken from every kind of letter that followed: multiply it by their number."""
    return (_left(followed, letter, discount) + discount * shorter) / len(followed) if followed else shorter


@discounted.mistake
def counts_letters_as_kinds(followed, letter, shorter, discount):
    """You give away a discount for every letter. It was taken once from each kind of letter: `len(set(followed))`
    times."""
    taken = discount * len(followed)
    return (_left(followed, letter, discount) + taken * shorter) / len(followed) if followed else shorter


@discounted.mistake
def goes_below_zero(followed, letter, shorter, discount):
    """For a letter that never followed you take the discount from nothing. Stop at zero: `max(..., 0)`."""
    left = followed.count(letter) - discount
    return (left + _taken(followed, discount) * shorter) / len(followed) if followed else shorter


@discounted.mistake
def takes_nothing(followed, letter, shorter, discount):
    """You add the shorter context's share but take no discount from the count: the probabilities sum to more than
    one."""
    return (followed.count(letter) + _taken(followed, discount) * shorter) / len(followed) if followed else shorter


@discounted.mistake
def only_for_unseen_letters(followed, letter, shorter, discount):
    """You ask the shorter context only about letters that never followed. Here its share goes to every letter."""
    if letter in followed:
        return _left(followed, letter, discount) / len(followed)
    return _taken(followed, discount) * shorter / len(followed) if followed else shorter


@discounted.mistake
def divides_only_the_counts(followed, letter, shorter, discount):
    """You divide the discounted count by the number of letters, but not what was taken. Both are parts of it."""
    if not followed:
        return shorter
    return _left(followed, letter, discount) / len(followed) + _taken(followed, discount) * shorter


@discounted.mistake
def forgets_what_was_counted(followed, letter, shorter, discount):
    """You return the shorter context's part alone. What the discount left of the count comes first."""
    return _taken(followed, discount) * shorter / len(followed) if followed else shorter


@discounted.mistake
def divides_by_the_kinds(followed, letter, shorter, discount):
    """You divide by the number of different letters. Counts become probabilities when divided by how many letters
    followed."""
    kinds = len(set(followed))
    return (_left(followed, letter, discount) + _taken(followed, discount) * shorter) / kinds if kinds else shorter


@discounted.mistake
def gives_zero_without_counts(followed, letter, shorter, discount):
    """All is right where letters followed. After a context that was never seen you return 0: there the shorter context
    decides."""
    return my_discounted(followed, letter, shorter, discount) if followed else 0


@discounted.mistake
def divides_by_nothing(followed, letter, shorter, discount):
    """All is right where letters followed. After a context that was never seen you divide by zero: return what the
    shorter context says."""
    return (_left(followed, letter, discount) + _taken(followed, discount) * shorter) / len(followed)


# Exercise 3: the entropy of a message


def my_message_entropy(again: float) -> float:
    """Return the entropy, in bits, of all that a robot says, when each beep is followed by another with this odds."""
    choice = -sum(p * math.log2(p) for p in (again, 1 - again) if p > 0)
    return choice / (1 - again)  # entropy = choice + again * entropy


message_entropy = FunctionExercise(
    "message_entropy",
    "Write `my_message_entropy(again)`: the entropy, in bits, of the whole message of a robot that says beep and, "
    "after each beep, once more with a probability `again` from 0 to below 1, until it stops.",
    [
        "How large is the surprise, on average, at the one choice after a beep: once more, or stop?",
        "Call the entropy of the whole message h. After the first choice, with probability `again`, a whole new "
        "message of the same kind follows: h = choice + again * h.",
        "Solve it for h. And mind `again` = 0: a choice with one possible outcome is no surprise, though log2(0) does "
        "not exist.",
    ],
    my_message_entropy,
    cases=[(0.5,), (0.0,), (0.25,), (0.75,), (0.9,), (0.1,)],
    read=number,
    noun="the entropy",
)


def _choice(again) -> float:
    return -sum(p * math.log2(p) for p in (again, 1 - again) if p > 0)


@message_entropy.mistake
def counts_one_choice(again):
    """This is the entropy of one choice. The robot chooses again after every further beep."""
    return _choice(again)


@message_entropy.mistake
def counts_the_choices_after_the_first(again):
    """You count the choices after further beeps, and leave out the one after the first. A message with one beep took a
    choice too."""
    return _choice(again) * again / (1 - again)


@message_entropy.mistake
def goes_one_step_deep(again):
    """You add one further choice and stop. After that one, a third may follow: the message inside the message has the
    same entropy as the whole."""
    return _choice(again) * (1 + again)


@message_entropy.mistake
def divides_by_again(again):
    """You divide by `again`. From h = choice + again * h follows h * (1 - again) = choice."""
    return _choice(again) / again if again else 0.0


@message_entropy.mistake
def uses_natural_logarithms(again):
    """Your entropy is in natural units: for bits, take `math.log2`."""
    return my_message_entropy(again) * math.log(2)


@message_entropy.mistake
def forgets_the_other_outcome(again):
    """You count the surprise at going on, and leave out the surprise at stopping. The mean is over both outcomes."""
    return -again * math.log2(again) / (1 - again) if again else 0.0


@message_entropy.mistake
def comes_out_below_zero(again):
    """Your entropy is below zero: surprise is minus the logarithm."""
    return -my_message_entropy(again)


@message_entropy.mistake
def counts_the_beeps(again):
    """This is how many beeps to expect. Each stands for a choice, and each choice has its own entropy."""
    return 1 / (1 - again)


@message_entropy.mistake
def takes_the_logarithm_of_the_beeps(again):
    """This is the logarithm of how many beeps to expect, as if all lengths up to it were equally likely and no other
    came."""
    return math.log2(1 / (1 - again))


@message_entropy.mistake
def takes_the_logarithm_of_zero(again):
    """All is right while `again` is above 0. At 0 you take the logarithm of zero: an outcome that never comes adds
    nothing."""
    return -(again * math.log2(again) + (1 - again) * math.log2(1 - again)) / (1 - again)


# Exercise 4: the cheapest word


def my_cheapest(odds: list, costs: list) -> int:
    """Return the place of the word that is cheapest to say on average: costs[came][said]."""
    expected = [sum(p * costs[came][said] for came, p in enumerate(odds)) for said in range(len(odds))]
    return expected.index(min(expected))


def _choices() -> list[tuple]:
    draw = np.random.default_rng(0)
    cases = [
        ([0.6, 0.4], [[0, 1], [10, 0]]),
        ([0.6, 0.4], [[0, 1], [1, 0]]),
        ([0.2, 0.8], [[0, 1], [1, 0]]),
        ([0.5, 0.3, 0.2], [[0, 1, 1], [10, 0, 1], [10, 1, 0]]),
        ([0.5, 0.3, 0.2], [[0, 10, 1], [1, 0, 1], [1, 10, 0]]),
    ]
    for words in (3, 4, 5, 5):
        costs = draw.integers(1, 20, (words, words))
        np.fill_diagonal(costs, 0)
        cases.append((draw.dirichlet(np.ones(words)).round(2).tolist(), costs.tolist()))
    return cases


cheapest = FunctionExercise(
    "cheapest",
    "Write `my_cheapest(odds, costs)`: the place of the word whose expected cost is least; `odds[came]` is a word's "
    "probability to come, and `costs[came][said]` what it costs to say one where another came.",
    [
        "Say you have decided on the first word. What will it cost on average, over all the words that may come?",
        "For each word that you could say, add `odds[came] * costs[came][said]` over all words that may come. Then "
        "find the least of these sums.",
        "`min(range(len(odds)), key=...)` gives the place of the least, if the key is the sum for that place.",
    ],
    my_cheapest,
    cases=_choices(),
    read=whole_number,
    noun="the cheapest word's place",
)


def _expected(odds, costs) -> np.ndarray:
    return np.array(odds) @ np.array(costs)


@cheapest.mistake
def says_the_likeliest(odds, costs):
    """You say the likeliest word and never look at the costs. A mistake with it may be so dear that a less likely word
    is cheaper."""
    return int(np.argmax(odds))


@cheapest.mistake
def swaps_came_and_said(odds, costs):
    """You read the costs the wrong way round: the first index is what came, the second what was said."""
    return int((np.array(costs) @ np.array(odds)).argmin())


@cheapest.mistake
def takes_the_dearest(odds, costs):
    """You take the word with the highest expected cost: the least is wanted."""
    return int(_expected(odds, costs).argmax())


@cheapest.mistake
def ignores_the_odds(odds, costs):
    """You add up the costs as if every word came equally often. Weigh each with the probability of what came."""
    return int(np.array(costs).sum(axis=0).argmin())


@cheapest.mistake
def fears_the_worst(odds, costs):
    """You look at the dearest single mistake of each word. Asked for is the average: a dear mistake that is unlikely
    may be worth its risk."""
    return int((np.array(odds)[:, None] * np.array(costs)).max(axis=0).argmin())


@cheapest.mistake
def returns_the_cost(odds, costs):
    """You return the least expected cost itself. Asked for is the place of the word that has it."""
    return float(_expected(odds, costs).min())


@cheapest.mistake
def counts_from_one(odds, costs):
    """Your places are one too high: Python counts from 0."""
    return my_cheapest(odds, costs) + 1


@cheapest.mistake
def weighs_with_what_was_said(odds, costs):
    """You weigh each cost with the probability of the word that is said. It is what comes that decides the cost: weigh
    with `odds[came]`."""
    return int((np.array(odds) * np.array(costs).sum(axis=0)).argmin())


@cheapest.mistake
def returns_all_costs(odds, costs):
    """You return the expected costs of all words. Asked for is the place of the least of them."""
    return _expected(odds, costs).tolist()


@cheapest.mistake
def takes_the_least_single_cost(odds, costs):
    """You take the least single cost of each word, which is 0 for being right. Add up what it costs over all that may
    come."""
    return int(np.array(costs).min(axis=0).argmin())
