"""Lesson 1.5's arithmetic of tokens a dollar, as the notebook writes it, against a worked case and its tables."""

import json

import numpy as np
import pytest

from helpers import course, data

NOTEBOOK = "1_accelerated_computing/5_the_token_factory.ipynb"


@pytest.fixture(scope="module")
def lesson() -> dict:
    """The names that the lesson's own cells define for its price: chip_seconds, tokens_a_dollar, the H100."""
    path = course.ROOT / "notebooks" / NOTEBOOK
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    namespace = {"data": data, "np": np}
    for name in ("chips = ", "def chip_seconds("):
        exec(next(source for source in sources if name in source), namespace)
    return namespace


def test_the_worked_case_of_a_rented_h100(lesson):
    """Two operations for each of 5e11 parameters; 989 or 1,979 TFLOP/s, 40% of them; $2.50 or $4 an hour."""
    price = lesson["tokens_a_dollar"]
    assert price() == pytest.approx(0.57e6, rel=0.01)
    assert price(bits=8) == pytest.approx(1.14e6, rel=0.01)
    assert price(dollars_an_hour=4) == pytest.approx(0.36e6, rel=0.02)
    assert price(dollars_an_hour=4, bits=8) == pytest.approx(0.71e6, rel=0.01)


def test_1e18_operations_a_dollar_are_3_56_dollars_an_hour_at_all_of_the_peak(lesson):
    assert lesson["tokens_a_dollar"](dollars_an_hour=3.56, utilisation=1) == pytest.approx(1e6, rel=0.001)


def test_a_step_of_eight_h100_takes_18_7_milliseconds(lesson):
    memory, arithmetic = lesson["chip_seconds"](batch=1, bits=8)
    assert memory / 8 == pytest.approx(18.7e-3, rel=0.005)
    assert arithmetic < memory


def test_one_text_alone_gives_9650_tokens_a_dollar_and_a_million_need_a_batch_of_104(lesson):
    price = lesson["tokens_a_dollar"]
    assert price(batch=1, bits=8) == pytest.approx(9_650, rel=0.001)
    assert price(batch=103, bits=8) < 1e6 <= price(batch=104, bits=8)


def test_a_cache_makes_a_token_dearer_and_is_not_shared(lesson):
    memory = [lesson["chip_seconds"](batch=batch, context=1_000)[0] for batch in (1e9, 2e9)]
    assert memory == pytest.approx([516_096e3 / 3.35e12] * 2, rel=0.01)


def test_every_price_has_its_sources_and_can_be_divided():
    rows = data.table("price_of_words")
    assert {row["kind"] for row in rows} == {"paperback", "talk", "writing", "model"}
    assert len({row["what"] for row in rows}) == len(rows)
    for row in rows:
        assert float(row["dollars"]) > 0 < float(row["words"])
        assert len(row["price_source"]) > 10
        assert len(row["how_counted"]) > 5


def test_every_assumption_lies_within_its_range_and_has_its_sources(lesson):
    for row in data.table("token_price_assumptions"):
        assert float(row["low"]) <= float(row["central"]) <= float(row["high"])
        assert float(row["low"]) < float(row["high"])
        assert all(row[f"{end}_source"] for end in ("low", "central", "high"))
        assert lesson["tokens_a_dollar"](**{row["argument"]: float(row["high"])}) > 0
