"""A town whose next words are known exactly, and four losses that learn them: plain, softened (twice), hand-weighted.

A line is who, where, and the word that comes next. Letters for axes: W who, P places, C channels, V words.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from helpers.models import Parameters

GROUPS = {
    "turn": ("left", "right", "straight", "back"),
    "fruit": ("banana", "apple", "pear", "plum"),
    "signal": ("stop", "wait", "slow", "go"),
}
WORDS = tuple(word for words in GROUPS.values() for word in words)
GROUP = np.repeat(np.arange(len(GROUPS)), 4)  # of each word
SAME = (GROUP[:, None] == GROUP).astype(np.float32)
PEOPLE = PLACES = 12
TOWNS = {"even": 0.5, "sharp": 3.0}  # how much one word of the group is preferred to another
CHANNELS, STEPS, RATE = 24, 400, 0.02
LINES = (100, 300, 1_000, 3_000, 10_000, 30_000)
LOSSES = ("plain", "by meaning", "evenly", "hand-weighted")

SHARES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)  # of a target that goes to other words
WEIGHTS = (0.1, 0.3, 1.0, 3.0, 10.0)  # of the expected cost in the hand-weighted loss
DECAYS = (0.0, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)

NEIGHBOURS = {"by meaning": SAME / SAME.sum(axis=1), "evenly": np.full_like(SAME, 1 / len(WORDS))}


def cost_of_saying(*dangerous: str) -> np.ndarray:
    """What each word costs where another came, [came, said]: 1 for any mistake, 10 for saying a dangerous word.

    >>> cost = cost_of_saying("go")
    >>> [float(cost[WORDS.index(came), WORDS.index(said)]) for came, said in (("stop", "go"), ("go", "stop"))]
    [10.0, 1.0]
    """
    cost = 1.0 - np.eye(len(WORDS))
    cost[:, [WORDS.index(word) for word in dangerous]] *= 10
    return cost


COSTS = {"at hand": cost_of_saying("left", "stop"), "changed": cost_of_saying("right", "wait")}


def truth(town: str, seed: int) -> np.ndarray:
    """The true probability of each word for every person and place: (W, P, V); words of other groups never come.

    >>> truth("even", 0).shape, float(truth("even", 0).sum(axis=-1).max().round(6))
    ((12, 12, 12), 1.0)
    """
    draw = np.random.default_rng(seed)
    asked = draw.integers(len(GROUPS), size=PLACES)  # the group that each place asks for
    people, places = draw.standard_normal((PEOPLE, 3)), draw.standard_normal((PLACES, 3))
    taste = np.einsum("wr,ps,rsv->wpv", people, places, draw.standard_normal((3, 3, len(WORDS)))) / 3
    likely = np.exp(TOWNS[town] * taste) * (asked[:, None] == GROUP)
    return likely / likely.sum(axis=-1, keepdims=True)


def draw_lines(town: str, lines: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each word came in so many lines to learn from, and in a fifth as many to tune with: two of (W, P, V).

    >>> [int(counts.sum()) for counts in draw_lines("even", 100, 0)]
    [100, 20]
    """
    draw, odds = np.random.default_rng([seed, lines]), truth(town, seed) / (PEOPLE * PLACES)
    parts = [draw.multinomial(some, odds.ravel() / odds.sum()) for some in (lines, lines // 5)]
    return tuple(part.reshape(odds.shape).astype(np.float32) for part in parts)


def fresh(key: Array) -> Parameters:
    """A small network's parameters: a vector for each person and place, one inner layer, and a head of zeros."""
    people, places, inner = jax.random.split(key, 3)
    return {
        "who": jax.random.normal(people, (PEOPLE, CHANNELS)),
        "where": jax.random.normal(places, (PLACES, CHANNELS)),
        "inner": jax.random.normal(inner, (CHANNELS, CHANNELS)) / CHANNELS**0.5,
        "head": jnp.zeros((CHANNELS, len(WORDS))),
    }


def log_odds(parameters: Parameters) -> Array:
    """The log of the probability that the network gives each word, for every person and place: (W, P, V)."""
    x = jnp.tanh(parameters["who"][:, None] + parameters["where"])  # (W, P, C)
    return jax.nn.log_softmax(jnp.tanh(x @ parameters["inner"]) @ parameters["head"])


def plain_loss(log_odds: Array, came: Array) -> Array:
    """The mean surprise, in nats, at the words that came: log_odds and counts (W, P, V) -> ()."""
    return -jnp.sum(came * log_odds) / jnp.sum(came)


def soft_loss(log_odds: Array, came: Array, neighbours: Array, share: float) -> Array:
    """The plain loss, with a share of each word that came handed to its neighbours (V, V): soft targets."""
    return plain_loss(log_odds, (1 - share) * came + share * came @ neighbours)


def weighted_loss(log_odds: Array, came: Array, cost: Array, weight: float) -> Array:
    """The plain loss and, weighted, the expected cost (V, V) of a word drawn from the model's own probabilities."""
    return plain_loss(log_odds, came) + weight * jnp.sum(came @ cost * jnp.exp(log_odds)) / jnp.sum(came)


class Model(NamedTuple):
    """What one loss has learned, (W, P, V) log-probabilities, with the strength and decay that tuned best."""

    log_odds: np.ndarray
    strength: float
    decay: float


@partial(jax.jit, static_argnames="loss")
def _trained(loss: str, came: Array, key: Array, strengths: Array, decays: Array) -> Array:
    def one(strength: Array, decay: Array) -> Array:
        def total(parameters: Parameters) -> Array:
            said = log_odds(parameters)
            if loss == "hand-weighted":
                value = weighted_loss(said, came, jnp.asarray(COSTS["at hand"]), strength)
            elif loss in NEIGHBOURS:
                value = soft_loss(said, came, jnp.asarray(NEIGHBOURS[loss]), strength)
            else:
                value = plain_loss(said, came)
            return value + decay * sum(jnp.sum(jnp.square(array)) for array in parameters.values())

        def step(state: tuple, _: None) -> tuple:
            parameters, memory = state
            updates, memory = adam.update(jax.grad(total)(parameters), memory)
            return (optax.apply_updates(parameters, updates), memory), None

        adam = optax.adam(optax.cosine_decay_schedule(RATE, STEPS))
        start = fresh(key)
        return log_odds(jax.lax.scan(step, (start, adam.init(start)), length=STEPS)[0][0])

    return jax.vmap(one)(strengths, decays)


def learn(loss: str, came: np.ndarray, tuning: np.ndarray, seed: int, way: str = "cheapest") -> Model:
    """The network trained by one of LOSSES, for the strength and weight decay that do best on the tuning lines.

    Each loss is tuned by what it is for: the hand-weighted one by its cost at hand, when words are chosen in one of
    WAYS; the others by their surprise.

    Raises ValueError for a loss that is not among LOSSES.
    """
    if loss not in LOSSES:
        raise ValueError(f"The losses are {', '.join(LOSSES)}, not {loss!r}.")
    strengths = (0.0,) if loss == "plain" else WEIGHTS if loss == "hand-weighted" else SHARES
    tried = [(strength, decay) for strength in strengths for decay in DECAYS]
    learned = np.asarray(_trained(loss, came, jax.random.key(seed), *map(jnp.array, zip(*tried, strict=True))))
    judged = [float(plain_loss(one, tuning)) for one in learned]
    if loss == "hand-weighted":
        costs = [cost(tuning, WAYS[way](one, "at hand"), "at hand") for one in learned]
        judged = [price + 1e-3 * surprise for price, surprise in zip(costs, judged, strict=True)]
    best = int(np.argmin(judged))
    return Model(learned[best], *tried[best])


def divergence(truth: np.ndarray, log_odds: np.ndarray) -> float:
    """How many bits more than the floor the model's surprise at the next word is, in the mean over all lines."""
    gap = np.where(truth > 0, truth * (np.log(np.where(truth > 0, truth, 1)) - log_odds), 0)
    return float(gap.sum(axis=-1).mean() / np.log(2))


def wrong_group(truth: np.ndarray, log_odds: np.ndarray) -> float:
    """The share of the model's words, drawn by its probabilities, that are of a group which never comes there."""
    return float(np.where(truth > 0, 0, np.exp(log_odds)).sum(axis=-1).mean())


def likeliest(log_odds: np.ndarray, costs: str) -> np.ndarray:
    """The word with the most probability, for every person and place, whatever it costs: (W, P)."""
    return log_odds.argmax(axis=-1)


def cheapest(log_odds: np.ndarray, costs: str) -> np.ndarray:
    """The word for which the model's own probabilities expect the least cost: (W, P)."""
    return (np.exp(log_odds) @ COSTS[costs]).argmin(axis=-1)


WAYS = {"likeliest": likeliest, "cheapest": cheapest}  # of choosing what to say


def cost(came: np.ndarray, said: np.ndarray, costs: str) -> float:
    """The mean cost of the words said (W, P) where these came: counts or probabilities (W, P, V).

    >>> came = np.zeros((1, 1, 12)); came[0, 0, WORDS.index("stop")] = 1
    >>> cost(came, np.array([[WORDS.index("left")]]), "at hand")
    10.0
    """
    each = np.take_along_axis(came @ COSTS[costs], said[..., None], axis=-1)
    return float(each.sum() / came.sum())


def measure(town: str, lines: int, loss: str, seed: int) -> dict[str, float]:
    """One loss on so many lines of one town: what it learned, judged by the truth."""
    right, drawn = truth(town, seed), draw_lines(town, lines, seed)
    model = learn(loss, *drawn, seed)
    row = {
        "strength": model.strength,
        "decay": model.decay,
        "bits_above_floor": divergence(right, model.log_odds),
        "wrong_group": wrong_group(right, model.log_odds),
    }
    for way, choose in reversed(WAYS.items()):
        if loss == "hand-weighted" and way != "cheapest":
            model = learn(loss, *drawn, seed, way)
        for costs in COSTS:
            row[f"{costs}, {way}"] = cost(right, choose(model.log_odds, costs), costs)
    return {name: round(value, 6) for name, value in row.items()}
