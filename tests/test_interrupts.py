"""What was interrupted while JAX lowered it is compiled once afterwards, not at every call.

The interruption comes where it does harm; that it may come at any moment is in test_rough_weather.py, in a real kernel.
"""

import itertools
import time

import jax
import jax.numpy as jnp
import pytest
from jax._src.interpreters import mlir, pxla

from helpers import interrupts, training, widgets
from helpers.exercises import start_here as exercises

COMPILED = "/jax/core/compile/backend_compile_duration"


@pytest.fixture
def compiled():
    """A list that grows by one entry with each compilation."""
    found = []

    def listen(event: str, seconds: float, **_) -> None:
        if event == COMPILED:
            found.append(seconds)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture
def cut(monkeypatch):
    """A function that does something, by default an interruption, the next time that JAX lowers anything."""

    def prepare(happening=None):
        def lower(*given, **named):
            monkeypatch.setattr(pxla.mlir, "lower_jaxpr_to_module", whole)
            (happening or interrupt)()
            return whole(*given, **named)

        whole = mlir.lower_jaxpr_to_module
        monkeypatch.setattr(pxla.mlir, "lower_jaxpr_to_module", lower)

    yield prepare
    jax.clear_caches()


def interrupt() -> None:
    raise KeyboardInterrupt


def new_function():
    return jax.jit(lambda x: jnp.sin(x) * 2)


def test_jax_needs_it(cut, compiled):
    """Once this fails, JAX mends itself: `recover` and what calls it can go."""
    function, x = new_function(), jnp.ones(3)
    cut()
    with pytest.raises(KeyboardInterrupt):
        function(x)
    del compiled[:]
    for _ in range(3):
        function(x)
    assert len(compiled) == 3
    interrupts.recover()
    for _ in range(3):
        function(x)
    assert len(compiled) == 4


def test_a_training_that_was_stopped_can_begin_again(cut, compiled, capsys):
    def train():
        return training.fit(loss, {"a": jnp.zeros(2)}, itertools.repeat((1.0,)), lambda _: 1.0, steps=9)

    def loss(parameters, x):
        return jnp.sum((parameters["a"] - x) ** 2)

    jax.clear_caches()
    training.new_optimiser({"a": jnp.zeros(2)})
    cut()
    train()
    assert "Stopped by hand" in capsys.readouterr().out
    del compiled[:]
    train()
    again = len(compiled)
    train()
    assert len(compiled) == again


def test_a_widget_whose_answer_was_stopped_can_answer_again(cut, compiled):
    function = new_function()
    explorer = widgets.Explorer(lambda n: f"{function(jnp.ones(n)).sum()}", n=range(1, 9))
    cut()
    explorer.knobs["n"].value = 4
    assert "The last answer still stands." in explorer.message.value
    for value in (5, 4, 5, 4):
        explorer.knobs["n"].value = value
    del compiled[:]
    for value in (5, 4, 5, 4):
        explorer.knobs["n"].value = value
    assert compiled == []


def test_after_an_attempt_that_was_stopped_jax_compiles_once(cut, compiled):
    function, x = new_function(), jnp.ones(3)

    def wait() -> None:
        while True:
            time.sleep(0.01)

    cut(wait)
    result = exercises.share.check(lambda *_: function(x), seconds=0.3)
    assert "was stopped" in str(result)
    del compiled[:]
    for _ in range(3):
        function(x)
    assert len(compiled) == 1
