"""The exercises of lesson 2.3: attention with a short reach, heads that share a key, and two halves of a softmax."""

import math

import numpy as np

from helpers.exercises import FunctionExercise, Outcome, number, with_article

DIGITS = 5  # significant digits that are kept of each number: enough to compare, few enough to read


def numbers_in_rows(value: object) -> Outcome:
    """An array, or lists of numbers, that came back from an attempt, or what came back instead.

    >>> numbers_in_rows(np.array([[0.5, 1.0]])).value, numbers_in_rows("0.5").kind
    ([[0.5, 1.0]], 'type')
    """
    if not hasattr(type(value), "__array__") and type(value) not in (list, tuple):
        return Outcome("type", type(value).__name__, f"returned {with_article(value)}, where an array is needed")
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        return Outcome("type", str(array.dtype), "returned an array of something else than numbers")
    if not np.isfinite(array).all():
        return Outcome("not finite", array.shape, "returned an array with nan or inf in it, as 0/0 or exp(1000) give")
    rounded = _rounded(array.tolist())
    return Outcome("answer", rounded, f"returned {rounded}")


def _rounded(value: float | list) -> float | list:
    if type(value) is list:
        return [_rounded(one) for one in value]
    return float(f"{value:.{DIGITS}g}")


def _rows(*shape: int, seed: int, size: float = 1.0) -> np.ndarray:
    """Numbers with one decimal, none of them zero, so that a case can be followed by hand."""
    random = np.random.default_rng(seed)
    return size * random.choice([-1.0, 1.0], shape) * random.integers(1, 20, shape) / 10


def _softmax(scores: np.ndarray, axis: int | tuple[int, ...] = -1) -> np.ndarray:
    with np.errstate(all="ignore"):  # a row that sees nothing has no largest score
        powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
        return powers / powers.sum(axis=axis, keepdims=True)


# Exercise 1: a short reach


def my_near_attention(query: np.ndarray, key: np.ndarray, value: np.ndarray, reach: int) -> np.ndarray:
    """Return, for each position, the mix of the values of itself and of the reach - 1 positions before it."""
    scores = query @ key.T / query.shape[1] ** 0.5
    back = np.arange(len(query))[:, None] - np.arange(len(key))  # how far behind the row's position the column's is
    scores = np.where((back >= 0) & (back < reach), scores, -np.inf)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True) @ value


def _near_cases() -> list[tuple]:
    sizes = [(2, 1, 1), (2, 2, 2), (3, 2, 2), (3, 4, 3), (4, 2, 2), (5, 3, 3), (6, 4, 2), (4, 4, 9)]
    cases = [(*(_rows(T, C, seed=10 * T + C + part) for part in range(3)), reach) for T, C, reach in sizes]
    large = [_rows(3, 4, seed=part, size=size) for part, size in ((1, 40.0), (2, 40.0), (3, 1.0))]
    return [*cases, (*large, 2)]


near_attention = FunctionExercise(
    "near_attention",
    "Write `my_near_attention(query, key, value, reach)`: scaled dot-product attention in which each position sees "
    "itself and the `reach - 1` positions before it.",
    [
        "Begin without any mask: scores, divided by the root of the width; softmax along each row; times the values.",
        "Row t may see column s when s is not after t, and less than `reach` before it. `np.arange(T)[:, None] - "
        "np.arange(T)` holds, in row t and column s, how far s is before t.",
        "Put minus infinity where a position may not look, before the softmax: `np.where(seen, scores, -np.inf)`. "
        "Take each row's largest score off before `np.exp`, or large scores give inf.",
    ],
    my_near_attention,
    cases=_near_cases(),
    read=numbers_in_rows,
    noun="the mix",
)


def _near(query, key, value, reach, first=0, further=0, root=None, axis=-1, both=False, transposed=False):
    """Near attention with its parts set wrong: columns from `first` back to `reach + further` back are seen."""
    back = np.arange(len(query))[:, None] - np.arange(len(key))
    back = np.abs(back) if both else back.T if transposed else back
    scores = query @ key.T / (query.shape[1] ** 0.5 if root is None else root)
    return _softmax(np.where((back >= first) & (back < reach + further), scores, -np.inf), axis) @ value


@near_attention.mistake
def forgets_the_root(query, key, value, reach):
    """The scores are not divided by the square root of the width, so the largest takes too much."""
    return _near(query, key, value, reach, root=1)


@near_attention.mistake
def divides_by_the_width(query, key, value, reach):
    """You divide the scores by the width. Divide by its square root, since that is how far the sum spreads."""
    return _near(query, key, value, reach, root=query.shape[1])


@near_attention.mistake
def takes_the_root_of_the_length(query, key, value, reach):
    """You divide by the root of the number of positions. The sum in a score runs over the width, `query.shape[1]`."""
    return _near(query, key, value, reach, root=len(query) ** 0.5)


@near_attention.mistake
def sums_over_the_queries(query, key, value, reach):
    """Your softmax runs down the columns. Each query shares out one whole among the keys, so each row sums to one."""
    return _near(query, key, value, reach, axis=0)


@near_attention.mistake
def sums_over_everything(query, key, value, reach):
    """Your softmax runs over the whole table at once. Each row is a look-up of its own and sums to one."""
    return _near(query, key, value, reach, axis=(0, 1))


@near_attention.mistake
def looks_ahead(query, key, value, reach):
    """Your mask lies the wrong way round: each position sees those after it, in place of those before."""
    return _near(query, key, value, reach, transposed=True)


@near_attention.mistake
def looks_both_ways(query, key, value, reach):
    """Your mask lets a position see as far ahead as back. Those after it are hidden, however near."""
    return _near(query, key, value, reach, both=True)


@near_attention.mistake
def reaches_one_too_far(query, key, value, reach):
    """You see `reach` positions before, and the position itself: one too many, since the position counts too."""
    return _near(query, key, value, reach, further=1)


@near_attention.mistake
def leaves_itself_out(query, key, value, reach):
    """A position may see itself, but your mask hides it, and the first position then sees nothing at all."""
    return _near(query, key, value, reach, first=1)


@near_attention.mistake
def ignores_the_reach(query, key, value, reach):
    """You mask what comes after, as the causal mask does. What lies `reach` or more before is to be hidden too."""
    return _near(query, key, value, len(query))


@near_attention.mistake
def masks_nothing(query, key, value, reach):
    """Every position sees every other. Hide those after it, and those `reach` or more before it."""
    return _softmax(query @ key.T / query.shape[1] ** 0.5) @ value


def _seen(query, reach):
    back = np.arange(len(query))[:, None] - np.arange(len(query))
    return (back >= 0) & (back < reach)


@near_attention.mistake
def masks_after_the_softmax(query, key, value, reach):
    """You mask after the softmax, so the shares that are left no longer sum to one. Mask the scores before it."""
    return (_softmax(query @ key.T / query.shape[1] ** 0.5) * _seen(query, reach)) @ value


@near_attention.mistake
def masks_with_zero(query, key, value, reach):
    """You set the hidden scores to 0, but e to the 0 is 1: they still get a share. Set them to minus infinity."""
    return _softmax(query @ key.T / query.shape[1] ** 0.5 * _seen(query, reach)) @ value


@near_attention.mistake
def does_not_take_the_largest_off(query, key, value, reach):
    """Right for small scores, but e to the power of a large one is infinite. Take each row's largest score off
    first, which changes no share."""
    with np.errstate(all="ignore"):
        powers = np.exp(np.where(_seen(query, reach), query @ key.T / query.shape[1] ** 0.5, -np.inf))
        return powers / powers.sum(axis=1, keepdims=True) @ value


@near_attention.mistake
def does_not_divide_by_the_sum(query, key, value, reach):
    """The powers are not divided by their sum, so they are no shares: each row must sum to one."""
    scores = np.where(_seen(query, reach), query @ key.T / query.shape[1] ** 0.5, -np.inf)
    return np.exp(scores - scores.max(axis=1, keepdims=True)) @ value


@near_attention.mistake
def returns_the_shares(query, key, value, reach):
    """You return the shares. Mix the values with them, by one more product."""
    return _softmax(np.where(_seen(query, reach), query @ key.T / query.shape[1] ** 0.5, -np.inf))


# Exercise 2: heads that share a key


def my_shared_attention(query: np.ndarray, key: np.ndarray, value: np.ndarray, heads: int) -> np.ndarray:
    """Return (T, C) from query (T, C), cut into heads that all use the one key and value (T, C / heads)."""
    T, C = query.shape
    cut = query.reshape(T, heads, C // heads).swapaxes(0, 1)  # (H, T, C / H)
    scores = cut @ key.T / key.shape[1] ** 0.5  # (H, T, T)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares = powers / powers.sum(axis=-1, keepdims=True)
    return (shares @ value).swapaxes(0, 1).reshape(T, C)


def _shared_cases() -> list[tuple]:
    sizes = [(2, 1, 1), (2, 2, 1), (3, 2, 2), (2, 3, 2), (4, 3, 2), (3, 1, 4), (5, 2, 4)]  # positions, heads, width
    return [
        (_rows(T, H * D, seed=T + 7 * H), _rows(T, D, seed=T + 7 * H + 1), _rows(T, D, seed=T + 7 * H + 2), H)
        for T, H, D in sizes
    ]


shared_attention = FunctionExercise(
    "shared_attention",
    "Write `my_shared_attention(query, key, value, heads)`: attention without a mask, in which the `heads` parts of "
    "the query (T, C) share one key and one value (T, C / heads), joined again to (T, C).",
    [
        "A head is a run of neighbouring columns of the query. Which columns belong to the second of 3 heads, if "
        "there are 6?",
        "Cut with `query.reshape(T, heads, C // heads)`, then swap the first two axes: (H, T, C / H). A product with "
        "`key.T` now gives every head's table of scores, (H, T, T).",
        "The root is that of a head's width, `key.shape[1]`. The softmax runs along the last axis. At the end, swap "
        "the first two axes back before you reshape to (T, C).",
    ],
    my_shared_attention,
    cases=_shared_cases(),
    read=numbers_in_rows,
    noun="the mix",
)


def _cut(query, heads):
    return query.reshape(len(query), heads, -1).swapaxes(0, 1)


def _join(mixed):
    return mixed.swapaxes(0, 1).reshape(mixed.shape[1], -1)


def _mixed(query, key, value, heads, root=None, axis=-1):
    """What each head says, (H, T, C / H), with the root and the softmax's axis set wrong."""
    return _softmax(_cut(query, heads) @ key.T / (key.shape[1] ** 0.5 if root is None else root), axis) @ value


@shared_attention.mistake
def cuts_without_swapping(query, key, value, heads):
    """You reshape to (heads, T, width) directly. That cuts the text into pieces: split the columns first, then swap
    the axes."""
    return _join(_softmax(query.reshape(heads, len(query), -1) @ key.T / key.shape[1] ** 0.5) @ value)


@shared_attention.mistake
def joins_without_swapping(query, key, value, heads):
    """You reshape to (T, C) without swapping the axes back, so rows of one head follow one another as if they were
    different heads."""
    return _mixed(query, key, value, heads).reshape(query.shape)


@shared_attention.mistake
def deals_the_columns_out(query, key, value, heads):
    """You deal the columns out in turn, like cards. A head is a run of neighbouring columns: `reshape(T, heads, C //
    heads)`."""
    cut = query.reshape(len(query), -1, heads).transpose(2, 0, 1)
    return _join(_softmax(cut @ key.T / key.shape[1] ** 0.5) @ value)


@shared_attention.mistake
def collects_the_columns_in_turn(query, key, value, heads):
    """You join by taking one column of each head in turn. Each head's columns stay side by side."""
    return _mixed(query, key, value, heads).transpose(1, 2, 0).reshape(query.shape)


@shared_attention.mistake
def takes_the_root_of_the_whole_width(query, key, value, heads):
    """You divide by the root of the whole width C. The sum in a score runs over one head's columns: use their
    number."""
    return _join(_mixed(query, key, value, heads, root=query.shape[1] ** 0.5))


@shared_attention.mistake
def leaves_the_root_out(query, key, value, heads):
    """The scores are not divided by the square root of a head's width."""
    return _join(_mixed(query, key, value, heads, root=1))


@shared_attention.mistake
def divides_by_the_heads_width(query, key, value, heads):
    """You divide the scores by a head's width. Divide by its square root."""
    return _join(_mixed(query, key, value, heads, root=key.shape[1]))


@shared_attention.mistake
def shares_out_over_the_queries(query, key, value, heads):
    """Your softmax runs over the queries. The shares of one query over all keys sum to one: take the last axis."""
    return _join(_mixed(query, key, value, heads, axis=1))


@shared_attention.mistake
def shares_out_over_the_heads(query, key, value, heads):
    """Your softmax runs over the heads. Each head is a look-up of its own: take the last axis."""
    return _join(_mixed(query, key, value, heads, axis=0))


@shared_attention.mistake
def shares_out_over_a_whole_table(query, key, value, heads):
    """Your softmax runs over a head's whole table at once. Each of its rows sums to one."""
    return _join(_mixed(query, key, value, heads, axis=(1, 2)))


@shared_attention.mistake
def takes_the_mean_of_the_heads(query, key, value, heads):
    """You take the mean of the heads. They are laid side by side, so that the result is as wide as the query."""
    return _mixed(query, key, value, heads).mean(axis=0)


@shared_attention.mistake
def answers_with_the_heads_apart(query, key, value, heads):
    """You return the heads apart, (heads, T, width). Lay them side by side: (T, C)."""
    return _mixed(query, key, value, heads)


@shared_attention.mistake
def adds_the_causal_mask(query, key, value, heads):
    """You hide what comes after. No mask is asked for here: every position sees all."""
    scores = _cut(query, heads) @ key.T / key.shape[1] ** 0.5
    return _join(_softmax(np.where(np.tril(np.ones(scores.shape[1:], bool)), scores, -np.inf)) @ value)


@shared_attention.mistake
def asks_with_the_first_head_alone(query, key, value, heads):
    """Every head asks with the first part of the query. The key is shared, the queries are not."""
    return np.tile(_mixed(query, key, value, heads)[0], heads)


# Exercise 3: two halves of a softmax


def my_merge(left: tuple, right: tuple) -> tuple:
    """Return (largest, total, mixed) over all keys from the same three over each half of them."""
    largest = max(left[0], right[0])
    shrink, other = math.exp(left[0] - largest), math.exp(right[0] - largest)
    total = shrink * left[1] + other * right[1]
    return largest, total, [shrink * a + other * b for a, b in zip(left[2], right[2], strict=True)]


def state(value: object) -> Outcome:
    """The three parts that came back from an attempt, or what came back instead.

    >>> state((1.0, 2.0, np.array([0.5]))).value, state((1.0, 2.0)).kind
    ((1.0, 2.0, [0.5]), 'type')
    """
    if type(value) not in (list, tuple) or len(value) != 3:
        kind = with_article(value) if type(value) not in (list, tuple) else f"{len(value)} values"
        return Outcome("type", kind, f"returned {kind}, where three are needed: largest, total, mixed")
    parts = number(value[0]), number(value[1]), numbers_in_rows(value[2])
    for name, part in zip(("largest", "total", "mixed"), parts, strict=True):
        if part.kind != "answer":
            return Outcome(part.kind, part.value, f"{part.sentence}, as `{name}`")
    largest, total = (_rounded(float(part.value)) for part in parts[:2])
    told = (largest, total, parts[2].value)
    return Outcome("answer", told, f"returned {told}")


merge = FunctionExercise(
    "merge",
    "Write `my_merge(left, right)`: what the online softmax keeps, `(largest, total, mixed)`, over all keys from the "
    "same three over each half of them.",
    [
        "Take one key on each side, with scores 1 and 3 and values a and b. Each side keeps its score, a sum of 1, "
        "and its value. What would one machine keep that sees both keys?",
        "The sums of the two sides are on different scales: each was made with its own largest score taken off. Bring "
        "both to the larger one before you add.",
        "A side that took `m` off is brought to `largest` by the factor `math.exp(m - largest)`, its total and each "
        "number of its mix alike. For the side that has the largest this is 1.",
    ],
    my_merge,
    cases=[
        ((1.0, 1.0, [2.0]), (1.0, 1.0, [4.0])),
        ((1.0, 1.0, [2.0]), (3.0, 1.0, [4.0])),
        ((2.0, 1.5, [1.0, -1.0]), (-1.0, 2.5, [3.0, 0.5])),
        ((-2.0, 1.2, [0.4, 0.9]), (-0.5, 3.0, [-1.5, 2.0])),
        ((0.5, 2.0, [0.3, -0.7, 1.1]), (0.9, 1.75, [0.6, 0.2, -2.0])),
        ((-math.inf, 0.0, [0.0, 0.0]), (0.7, 1.3, [0.4, -0.2])),
        ((1000.0, 1.5, [1.0, 2.0]), (1001.0, 2.5, [-1.0, 0.5])),
    ],
    read=state,
    noun="the merged state",
)


def _merge(left, right, factors, largest=max, of_total=True, of_mix=True):
    """The merge with other factors, or with factors on one part alone."""
    top = largest(left[0], right[0])
    one, other = factors(left[0], right[0], top)
    total = one * left[1] + other * right[1] if of_total else left[1] + right[1]
    pairs = zip(left[2], right[2], strict=True)
    return top, total, [one * a + other * b if of_mix else a + b for a, b in pairs]


def _right_factors(left, right, top):
    return math.exp(left - top), math.exp(right - top)


@merge.mistake
def adds_without_rescaling(left, right):
    """You add the two sides as they are. Each took its own largest score off, so they are on different scales."""
    return _merge(left, right, lambda *_: (1, 1))


@merge.mistake
def rescales_the_total_alone(left, right):
    """You rescale the totals and add the mixes as they are. The mixes need the same factors."""
    return _merge(left, right, _right_factors, of_mix=False)


@merge.mistake
def rescales_the_mix_alone(left, right):
    """You rescale the mixes and add the totals as they are. The totals need the same factors."""
    return _merge(left, right, _right_factors, of_total=False)


@merge.mistake
def rescales_the_wrong_way(left, right):
    """Your factors grow where they should shrink: the side with the smaller score counts less. The exponent is its
    own score less the largest."""
    return _merge(left, right, lambda a, b, top: (math.exp(min(top - a, 700)), math.exp(top - b)))


@merge.mistake
def swaps_the_factors(left, right):
    """Each side has the other's factor: the side that has the largest score keeps its numbers as they are."""
    return _merge(left, right, lambda a, b, top: (math.exp(b - top), math.exp(a - top)))


@merge.mistake
def rescales_the_left_alone(left, right):
    """You bring the left side to the right one's scale, as if the right one always had the larger score."""
    return _merge(left, right, lambda a, b, top: (math.exp(a - b), 1))


@merge.mistake
def keeps_the_right_score(left, right):
    """You keep the right side's score as the largest. Keep the larger of the two, or the powers grow without bound."""
    return _merge(left, right, lambda a, b, top: (math.exp(a - b), 1), largest=lambda a, b: b)


@merge.mistake
def adds_the_scores(left, right):
    """You add the two largest scores. The largest of all keys is the larger of the two."""
    return left[0] + right[0], *my_merge(left, right)[1:]


@merge.mistake
def takes_the_smaller_score(left, right):
    """You keep the smaller of the two scores. With the larger one taken off, no power is above 1."""
    return _merge(left, right, lambda a, b, top: tuple(math.exp(min(x - top, 700)) for x in (a, b)), largest=min)


@merge.mistake
def divides_by_the_total(left, right):
    """You divide the mix by the total. That is the last step of all, after every merge: until then keep them apart."""
    top, total, mixed = my_merge(left, right)
    return top, total, [number / total for number in mixed]


@merge.mistake
def takes_the_mean_of_the_mixes(left, right):
    """You take the mean of the two mixes. They are sums, so rescale and add them."""
    top, total, _ = my_merge(left, right)
    return top, total, [(a + b) / 2 for a, b in zip(left[2], right[2], strict=True)]


@merge.mistake
def weighs_the_mixes_by_the_totals(left, right):
    """You multiply each mix by its total, as for a mean. The mixes are not divided yet: their totals are in them."""
    top, total, _ = my_merge(left, right)
    one, other = _right_factors(left[0], right[0], top)
    pairs = zip(left[2], right[2], strict=True)
    return top, total, [one * left[1] * a + other * right[1] * b for a, b in pairs]


@merge.mistake
def joins_the_lists(left, right):
    """You lay the two mixes end to end, as `+` does with lists. Add them number by number."""
    top, total, _ = my_merge(left, right)
    one, other = _right_factors(left[0], right[0], top)
    return top, total, [one * a for a in left[2]] + [other * b for b in right[2]]


@merge.mistake
def takes_powers_of_two(left, right):
    """Your factors are powers of 2. The softmax takes powers of e: `math.exp`."""
    return _merge(left, right, lambda a, b, top: (2 ** (a - top), 2 ** (b - top)))


@merge.mistake
def leaves_the_scores_scale(left, right):
    """You multiply by e to the largest score itself. That undoes what was taken off, and overflows for large scores."""
    return _merge(left, right, lambda a, b, top: (math.exp(a), math.exp(b)))
