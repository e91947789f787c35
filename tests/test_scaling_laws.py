"""Laws of loss over size and data, fitted to made-up losses of known laws; and the speed-ups of 2008."""

import numpy as np
import pytest

from helpers.recordings.scaling_laws import ladder, laws, speedups
from helpers.recordings.scaling_laws.laws import Curve, Law, Run

TRUE = Law(floor=1.2, by_size=20, size_power=0.4, by_data=60, data_power=0.35)
SIZES, HIDDEN = (9_000, 18_000, 31_000, 65_000, 111_000, 240_000), 418_000
DATA = 61_440 * 2.0 ** np.arange(6)


def made_up(law=TRUE, noise=0.0, seeds=1, draw=0, sizes=SIZES):
    """What runs would give if the law were true: their losses with so much noise in the logarithm."""
    draw = np.random.default_rng(draw)
    grid = [(size, data, seed) for size in sizes for data in DATA for seed in range(seeds)]
    return [Run(n, d, 6 * n * d, laws.loss(law, n, d) * np.exp(noise * draw.normal()), seed) for n, d, seed in grid]


@pytest.mark.parametrize("law", [TRUE, Law(0.5, 3, 0.2, 400, 0.6), Law(2, 500, 0.7, 9, 0.2)])
def test_the_fit_finds_the_law_that_made_the_losses(law):
    assert laws.fit(made_up(law)) == pytest.approx(law, rel=0.02)


def test_a_law_without_floor_is_found_without_floor():
    law = TRUE._replace(floor=0)
    assert laws.fit(made_up(law), floor=False) == pytest.approx(law, rel=0.02)
    assert laws.fit(made_up(law)).floor < 0.1


def test_one_wild_cell_hardly_moves_the_fit():
    runs = made_up()
    runs[7] = runs[7]._replace(loss=2 * runs[7].loss)
    assert laws.fit(runs) == pytest.approx(TRUE, rel=0.1)


def test_a_fit_does_not_hang_on_the_last_digit_of_the_losses():
    """Six lengths at each size: by size alone every curve between the middle two is as good for Huber's loss."""
    size, losses = laws.columns(laws.cells(ladder.recorded(ladder.SOURCE)), "size", "loss")
    draw = np.random.default_rng(0)
    found = [
        laws.loss(laws.fit_curve(size, losses * np.exp(1e-12 * draw.normal(size=len(losses)))), size) for _ in range(4)
    ]
    assert np.ptp(np.log(found), axis=0).max() < 1e-6


def test_a_wrong_form_gives_itself_away_on_what_is_held_out():
    runs = made_up(noise=0.005, seeds=3)
    truth = laws.loss(TRUE, HIDDEN, DATA[-1])
    right, wrong = (laws.predicted(runs, HIDDEN, DATA[-1:], floor, draws=30)[0] for floor in (True, False))
    assert right.low < truth < right.high
    assert wrong.high < truth
    errors = [laws.left_out(runs, laws.of_both(floor)) for floor in (True, False)]
    assert laws.error_ratio(*errors).high < 0.7


def test_intervals_hold_the_truth_about_as_often_as_they_should():
    found = [
        laws.intervals(made_up(noise=0.006, seeds=3, draw=draw), laws.split_power, draws=25, seed=draw)
        for draw in range(12)
    ]
    assert sum(low < laws.split_power(TRUE) < high for low, _, high in found) >= 9
    assert np.mean([high - low for low, _, high in found]) < 0.15


def test_predictions_hold_the_truth_about_as_often_as_they_should():
    inside = []
    for draw in range(8):
        found = laws.predicted(made_up(noise=0.006, seeds=3, draw=draw), HIDDEN, DATA, draws=30, seed=draw)
        hidden = laws.cells(made_up(noise=0.006, seeds=3, draw=100 + draw, sizes=(HIDDEN,)))
        inside += [low <= cell.loss <= high for (low, _, high), cell in zip(found, hidden, strict=True)]
    assert np.mean(inside) > 0.75
    assert all(high - low < 0.1 for low, _, high in found)


def test_laws_that_were_fitted_before_predict_what_a_number_of_draws_does():
    runs = made_up(noise=0.02, seeds=2)
    law = laws.fit(laws.cells(runs))
    fitted = [laws.fit(some, True, law) for some in laws.redrawn(runs, 20, 3)]
    assert laws.predicted(runs, HIDDEN, DATA, draws=fitted, seed=3) == laws.predicted(runs, HIDDEN, DATA, True, 20, 3)
    assert laws.predicted(runs, HIDDEN, DATA, draws=fitted[:10], seed=3) != laws.predicted(
        runs, HIDDEN, DATA, True, 20, 3
    )


def test_more_noise_is_a_wider_interval():
    wide, narrow = (laws.intervals(made_up(noise=n, seeds=3), laws.split_power, draws=20) for n in (0.02, 0.002))
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


def test_draws_take_cells_and_seeds_anew():
    runs = [Run(n, d, n * d, n + d / 10 + seed / 100, seed) for n in (1, 2, 3, 4) for d in (1, 2, 3) for seed in (0, 1)]
    drawn = list(laws.redrawn(runs, 20))
    assert all(len(some) == 12 and len({run.size for run in some}) >= 3 for some in drawn)
    assert len({run.loss for some in drawn for run in some}) == 36  # both seeds, the first twice, the second twice
    assert any(len({(run.size, run.data) for run in some}) < 12 for some in drawn)
    assert drawn == list(laws.redrawn(runs, 20)) != list(laws.redrawn(runs, 20, seed=1))


def test_too_few_sizes_are_refused():
    with pytest.raises(ValueError, match="three sizes"):
        laws.fit(made_up(sizes=(10, 20)))
    with pytest.raises(ValueError, match="three amounts"):
        laws.fit_curve([1, 2, 2], [3, 2, 2])


@pytest.mark.parametrize(("by", "better"), [("flops", "flops"), ("size", "size")])
def test_the_better_predictor_is_the_one_that_the_loss_hangs_on(by, better):
    runs = [run._replace(loss=1 + 50 / getattr(run, by) ** 0.2) for run in made_up()]
    flops, size = (laws.left_out(runs, laws.of_one(name)) for name in ("flops", "size"))
    ratio = laws.error_ratio(flops, size, draws=200)
    assert (ratio.high < 0.1) if better == "flops" else (ratio.low > 10)


def test_what_is_left_out_is_not_known_to_the_fit():
    asked = []

    def spy(inside):
        asked.append(inside)
        return lambda outside: np.array([1.0 for cell in outside if cell not in inside])

    errors = laws.left_out(made_up(), spy)
    assert errors.shape == (2, 36) and len(asked) == 12
    assert errors[0] == pytest.approx([-np.log(cell.loss) for cell in laws.cells(made_up())])


def test_the_best_size_grows_with_the_budget_as_its_power_says():
    sizes = np.geomspace(1e2, 1e9, 4_000)
    budgets = np.geomspace(1e12, 1e16, 5)
    best = [sizes[laws.best_split(TRUE, budget, sizes, 6 * sizes)[0]] for budget in budgets]
    power = np.polyfit(np.log(budgets), np.log(best), 1)[0]
    assert power == pytest.approx(laws.split_power(TRUE), abs=0.003)


def test_no_other_split_of_the_budget_is_better():
    sizes, flops = np.array([1e3, 1e4, 1e5, 1e6]), np.array([9e3, 7e4, 6.5e5, 6e6])
    best, data, least = laws.best_split(TRUE, 1e11, sizes, flops)
    losses = [laws.loss(TRUE, n, 1e11 / each) for n, each in zip(sizes, flops)]
    assert least == min(losses) == losses[best] and data == 1e11 / flops[best]


PLAIN = Curve(1.5, 30, 0.4)
CHANGES = {
    "shifts": Curve(1.5, 30 / 0.7**0.4, 0.4),  # worth 0.7 of the data
    "tilts": Curve(1.5, 30 * 4e5**0.12, 0.52),
    "nothing to see": PLAIN,
}


def noisy(curve, draw, noise=0.002):
    return laws.loss(curve, DATA) * np.exp(noise * np.random.default_rng(draw).normal(size=len(DATA)))


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_is_seen_for_what_it_is(kind):
    found = [laws.compare(DATA, noisy(PLAIN, 3), noisy(CHANGES[kind], draw), draws=40) for draw in (4, 5, 6)]
    assert [change.kind for change in found].count(kind) >= 2
    tilt = CHANGES[kind].power - PLAIN.power
    assert sum(change.tilt.low <= tilt <= change.tilt.high for change in found) >= 2


def test_less_data_is_worth_less():
    exact = laws.compare(DATA, laws.loss(PLAIN, DATA), laws.loss(CHANGES["shifts"], DATA), draws=2)
    assert exact.worth.middle == pytest.approx(0.7, rel=0.01)
    own = laws.compare(DATA, laws.loss(PLAIN, DATA), laws.loss(CHANGES["shifts"], DATA), common_floor=False, draws=2)
    assert own.worth.middle == pytest.approx(0.7, rel=0.01)


def test_another_floor_reads_as_a_tilt_unless_each_may_have_its_own():
    higher = PLAIN._replace(floor=1.6)
    common, own = (
        laws.compare(DATA, noisy(PLAIN, 1, 5e-4), noisy(higher, 2, 5e-4), both, draws=30) for both in (True, False)
    )
    assert common.kind == "tilts" and common.tilt.high < 0
    assert own.tilt.low < 0 < own.tilt.high


def test_a_jump_is_below_what_the_shorter_runs_promise():
    plain, changed = noisy(PLAIN, 1), noisy(CHANGES["shifts"], 2)
    promised = laws.jump(DATA, plain, changed, draws=40)
    assert promised.low < changed[-1] < promised.high
    jumped = np.append(changed[:-1], 0.95 * changed[-1])
    assert laws.jump(DATA, plain, jumped, draws=40) == promised  # the last loss is not known to it
    assert jumped[-1] < promised.low


def test_slopes_of_a_power_law_are_its_power_and_bend_at_a_floor():
    exact, bent = (laws.slopes(DATA, laws.loss(Curve(floor, 30, 0.4), DATA)) for floor in (0, 1))
    assert exact == pytest.approx(0.4)
    assert (np.diff(bent) < 0).all() and bent.max() < 0.4
    assert laws.slopes([1, 2], [[2, 2], [1, 2]]).tolist() == [[1, 0]]


def test_between_measurements_losses_are_read_off_a_straight_line_of_logarithms():
    assert laws.read_off([1, 100], [4, 1], 10) == pytest.approx(2)
    with pytest.raises(ValueError, match="between"):
        laws.read_off([1, 100], [4, 1], 101)


def test_the_speed_ups_of_2008_by_hand():
    slow, fair = speedups.published("classification"), speedups.published("classification", speedups.FAIR)
    program = speedups.by_program(slow, fair)
    assert program == pytest.approx((81 / 24, 138 / 5))
    assert speedups.share_of_program(8, 2) == pytest.approx(2 / 3)
    assert speedups.share_of_program(50, 50) == 0 and speedups.share_of_program(50, 1) == 1


def test_what_the_authors_do_not_say_is_not_made_up():
    with pytest.raises(ValueError, match="no speed-up of training"):
        speedups.published("training", speedups.FAIR)
    with pytest.raises(ValueError, match="above one"):
        speedups.share_of_program(1, 1)
