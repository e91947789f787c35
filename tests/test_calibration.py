"""Calibration and surprise: against numbers worked out by hand, and with a learner's file in any state."""

import json
import warnings

import matplotlib.pyplot as plt
import pytest
from scipy import stats

from helpers import calibration, predictions
from helpers.predictions import Prediction

EARLY, LATE = "2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z"


def answer(number: int, sure: int, right: bool, **changes) -> Prediction:
    given = {
        "unit": "%", "guess": 30, "near": (20.0, 40.0), "confidence": sure, "guessed": EARLY,
        "measured": 24 if right else 70, "revealed": LATE,
    }  # fmt: skip
    return Prediction(f"made {number}", f"Question {number}?", **(given | changes))


MADE = [answer(i, 75, i < 3) for i in range(4)] + [answer(9, 99, False)]


def test_the_score_worked_out_by_hand():
    assert calibration.brier(MADE) == pytest.approx((3 * 0.25**2 + 0.75**2 + 0.99**2) / 5)
    assert calibration.brier([answer(1, 50, True), answer(2, 50, False)]) == 0.25
    assert "the same as always saying 50%" in calibration.score([answer(1, 50, True)], "x")
    assert "better than" in calibration.score([answer(1, 90, True)], "x")
    assert calibration.score(MADE, "you").startswith("Your Brier score: 0.3") and "of x: 0.3" in calibration.score(
        MADE, "x"
    )
    assert "worse than" in calibration.score(MADE, "x") and "a beginning" in calibration.score(MADE, "x")
    assert "a beginning" not in calibration.score(MADE * 4, "x")
    with pytest.raises(ValueError, match="no scored prediction"):
        calibration.brier([])


def test_the_points_count_what_was_said():
    first, second = calibration.points(MADE)
    assert (first.said, first.count, first.right) == (75, 4, 0.75)
    assert (second.said, second.count, second.right, second.low) == (99, 1, 0.0, 0.0)
    assert calibration.points([]) == []


@pytest.mark.parametrize("right, count", [(0, 1), (1, 1), (3, 4), (5, 10), (0, 30), (30, 30), (17, 60)])
def test_the_interval_is_wilsons(right, count):
    wanted = stats.binomtest(right, count).proportion_ci(method="wilson")
    assert calibration.interval(right, count) == pytest.approx((wanted.low, wanted.high), abs=1e-4)


def test_the_figure_says_its_counts_in_the_picture_and_in_words():
    ax, told = calibration.draw(MADE, "you")
    assert [text.get_text() for text in ax.texts] == ["4", "1"]
    assert "Said 75%: 75% of 4 right (30% to 95%)." in told and "for you, 5 answers" in told
    plt.close(ax.get_figure())


def test_the_greatest_surprise_stands_first():
    rows = calibration.surprises([answer(1, 99, True), answer(2, 50, False), *MADE, answer(5, 99, False, measured=90)])
    assert [row[0] for row in rows.rows][:3] == ["Question 5?", "Question 9?", "Question 3?"]
    assert rows.rows[0][1:] == ["30%", "90%", "99%", "no", "0.98"]
    assert len(calibration.surprises(MADE * 9).rows) == 10
    chosen = answer(1, 75, True, unit="", choices=("a", "b"), guess="a", near=None, measured="b")
    assert calibration.surprises([chosen]).rows[0][1:] == ["a", "b", "75%", "no", "0.56"]


def test_the_made_up_learner_is_always_the_same_and_is_told_as_made_up():
    made = calibration.made_up()
    assert made == calibration.made_up() and len(made) == 120
    assert all(one.question.startswith("Made-up question") and one.in_time and one.right is not None for one in made)
    sure = [one.right for one in made if one.confidence >= 90]
    assert sum(sure) / len(sure) < 0.8, "too sure, so that there is something to see"
    assert all(0 <= one.measured <= 100 for one in made)


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "predictions.json"
    monkeypatch.setenv(predictions.VARIABLE, str(path))
    return path


def keep(path, *made: Prediction) -> None:
    path.write_text(predictions._told(made), encoding="utf-8")


def test_an_empty_file_gives_a_clear_sentence(file):
    told = calibration.standing(predictions.everything(), predictions.scored())
    assert told.startswith("You have made no predictions yet") and "made-up learner" in told
    keep(file)
    assert calibration.standing(predictions.everything(), predictions.scored()) == told


def test_what_cannot_be_scored_is_kept_out(file):
    late = answer(1, 75, True, guessed=LATE, revealed=EARLY)
    unsure, unknown = answer(2, 75, True, confidence=None), answer(3, 75, True, measured=None, revealed=None)
    keep(file, late, unsure, unknown, answer(4, 90, True))
    told = calibration.standing(predictions.everything(), predictions.scored())
    assert told.startswith("4 guesses of yours, of which 1 can be scored")
    assert calibration.brier(predictions.scored()) == pytest.approx(0.01)
    assert "made-up" not in told
    keep(file, late)
    told = calibration.standing(predictions.everything(), predictions.scored())
    assert told.startswith("1 guess of yours, of which 0") and told.endswith("show a made-up learner.")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1, "predictions": [{"name": "x"}, 3, null]}'])
def test_a_damaged_file_stops_nothing(file, content):
    file.write_text(content)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        made = predictions.everything()
    assert made == [] and "damaged" in str(told[0].message)
    assert calibration.standing(made, predictions.scored()).startswith("You have made no predictions yet")


def test_an_odd_entry_stops_nothing(file):
    odd = answer(2, 75, True, near=None, measured="a text where a number was asked")
    keep(file, answer(1, 75, True), answer(3, 0, False), answer(4, 100, True), answer(5, 33, True, near=(30.0, 30.0)))
    table = json.loads(file.read_text())
    table["predictions"].append(json.loads(predictions._told([odd]))["predictions"][0])
    file.write_text(json.dumps(table))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = predictions.scored()
    assert len(made) == 4
    assert [point.said for point in calibration.points(made)] == [0, 33, 75, 100]
    assert len(calibration.surprises([*made, odd]).rows) == 5
    plt.close(calibration.draw(made, "you")[0].get_figure())
