"""The Transformer against a slow one in NumPy, JAX's own attention, finite differences, and what must not leak."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from helpers import models

VOCABULARY, WIDTH, LAYERS, HEADS = 11, 12, 2, 3


@pytest.fixture(scope="module")
def parameters():
    """A small model with every array random, the projections that start at zero too."""
    fresh = models.transformer_parameters(jax.random.key(0), VOCABULARY, WIDTH, LAYERS, HEADS)
    random = np.random.default_rng(1)
    return {name: jnp.asarray(random.normal(0, 0.5, array.shape), jnp.float32) for name, array in fresh.items()}


@pytest.fixture(scope="module")
def tokens():
    return np.random.default_rng(2).integers(0, VOCABULARY, (2, 9))


def slow_normalise(vector):
    return [x / (sum(y * y for y in vector) / len(vector) + 1e-6) ** 0.5 for x in vector]


def slow_rotate(vector, position):
    """Each pair of channels (i, i + half) as one complex number, turned by an angle of its own."""
    half = len(vector) // 2
    turned = [(vector[i] + 1j * vector[i + half]) * np.exp(1j * position / 1000 ** (i / half)) for i in range(half)]
    return [z.real for z in turned] + [z.imag for z in turned]


def slow_attention(parameters, layer, sequence, prefix):
    """Position by position, head by head: what each position reads, and from where."""
    normal = np.array([slow_normalise(x) for x in sequence])
    query, key, value = (normal @ parameters[name][layer] for name in ("query", "key", "value"))
    mixed, weights, size = np.zeros_like(normal), np.zeros((HEADS, len(normal), len(normal))), WIDTH // HEADS
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        for t in range(len(normal)):
            seen = [s for s in range(len(normal)) if s <= t or s < prefix]
            q = np.array(slow_rotate(slow_normalise(query[t, part]), t)) * parameters["sharpness"][layer, head]
            scores = [q @ slow_rotate(slow_normalise(key[s, part]), s) / size**0.5 for s in seen]
            weights[head, t, seen] = np.exp(scores) / np.exp(scores).sum()
            mixed[t, part] = weights[head, t] @ value[:, part]
    return mixed @ parameters["mix"][layer], weights


def slow_transformer(parameters, sequence, prefix=0):
    parameters = {name: np.asarray(array, np.float64) for name, array in parameters.items()}
    x, weights = np.array([slow_normalise(parameters["embedding"][token]) for token in sequence]), []
    for layer in range(LAYERS):
        change, seen = slow_attention(parameters, layer, x, prefix)
        x = x + change
        hidden = np.array([slow_normalise(row) for row in x]) @ parameters["up"][layer]
        x = x + np.maximum(hidden, 0) ** 2 @ parameters["down"][layer]
        weights.append(seen)
    return np.array([slow_normalise(row) for row in x]) @ parameters["head"], np.array(weights)


@pytest.mark.parametrize("prefix", [None, [4, 7]])
def test_the_transformer_agrees_with_a_slow_one(parameters, tokens, prefix):
    prefixes = prefix if prefix is None else jnp.array(prefix)
    scores = models.transformer(parameters, tokens, prefixes)
    weights = models.attention_weights(parameters, tokens, prefixes)
    for row in range(2):
        slow_scores, slow_weights = slow_transformer(parameters, tokens[row], prefix[row] if prefix else 0)
        np.testing.assert_allclose(scores[row], slow_scores, atol=2e-4)
        np.testing.assert_allclose(weights[row], slow_weights, atol=1e-5)


@pytest.mark.parametrize("prefix", [None, [2, 5]])
def test_attention_agrees_with_jax(prefix):
    random = np.random.default_rng(0)
    query, key, value = (jnp.asarray(random.normal(size=(2, 6, 3, 4)), jnp.float32) for _ in range(3))
    mask = models.visible(6, prefix if prefix is None else jnp.array(prefix))
    ours = jnp.einsum("bhts,bshd->bthd", models.attention_from(query, key, mask), value)
    np.testing.assert_allclose(ours, jax.nn.dot_product_attention(query, key, value, mask=mask), atol=1e-6)


def test_changing_a_token_changes_no_score_before_it(parameters, tokens):
    for t in range(tokens.shape[1]):
        changed = tokens.copy()
        changed[:, t] = (changed[:, t] + 1) % VOCABULARY
        differs = np.abs(models.transformer(parameters, changed) - models.transformer(parameters, tokens)).max((0, 2))
        assert (differs[:t] == 0).all()
        assert (differs[t:] > 0).all()


def test_a_prefix_is_seen_in_both_directions_and_what_follows_is_not(parameters, tokens):
    prefix = jnp.array([4, 4])
    before = models.transformer(parameters, tokens, prefix)
    for t, seen_from in [(3, 0), (0, 0), (5, 5), (8, 8)]:
        changed = tokens.copy()
        changed[:, t] = (changed[:, t] + 1) % VOCABULARY
        differs = np.abs(models.transformer(parameters, changed, prefix) - before).max((0, 2))
        assert (differs[:seen_from] == 0).all()
        assert (differs[seen_from:] > 0).all()


def test_each_row_has_its_own_prefix(parameters, tokens):
    together = models.transformer(parameters, tokens, jnp.array([3, 6]))
    for row, prefix in enumerate([3, 6]):
        alone = models.transformer(parameters, tokens[row : row + 1], jnp.array([prefix]))
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)


def test_attention_weights_sum_to_one_and_are_zero_where_nothing_is_visible(parameters, tokens):
    weights = models.attention_weights(parameters, tokens)
    assert weights.shape == (2, LAYERS, HEADS, 9, 9)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)
    assert (np.triu(weights, k=1) == 0).all()


def test_gradients_agree_with_finite_differences(parameters, tokens):
    with jax.enable_x64(True):
        exact = {name: jnp.asarray(np.asarray(array), jnp.float64) for name, array in parameters.items()}
        loss = lambda parameters: jnp.mean(jax.nn.log_softmax(models.transformer(parameters, tokens))[..., 3])  # noqa: E731
        check_grads(jax.jit(loss), (exact,), order=1, modes=["rev"], eps=1e-6, atol=1e-6, rtol=1e-6)


def test_rotated_products_depend_on_the_distance_alone():
    query, key = np.random.default_rng(0).normal(size=(2, 1, 1, 1, 8))
    products = (
        models.rotate(np.tile(query, (1, 12, 1, 1)))[0, :, 0] @ models.rotate(np.tile(key, (1, 12, 1, 1)))[0, :, 0].T
    )
    for distance in range(-11, 12):
        diagonal = np.diagonal(products, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], atol=1e-5)
    assert np.ptp(products[0]) > 0.1


def test_a_fresh_model_finds_every_token_equally_likely():
    fresh = models.transformer_parameters(jax.random.key(3), VOCABULARY, WIDTH, LAYERS, HEADS)
    scores = models.transformer(fresh, np.arange(10).reshape(1, 10))
    assert (scores == 0).all()


def test_the_key_decides_the_parameters():
    first, same, other = (models.transformer_parameters(jax.random.key(key), 5, 8, 1, 2) for key in (0, 0, 1))
    assert all((first[name] == same[name]).all() for name in first)
    assert not (first["query"] == other["query"]).all()


def test_a_width_that_the_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match="width 12 cannot be shared by 4 heads"):
        models.transformer_parameters(jax.random.key(0), 5, width=12, heads=4)
