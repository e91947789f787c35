"""Lesson 2.1, predict the next token: four skills in one model or four, and four losses in a town of known odds."""

from helpers.recordings import Row, Table
from helpers.recordings.predict_the_next_token import skills, town

SEEDS, MORE_SEEDS = tuple(range(5)), tuple(range(5, 15))
LINES = 64  # of one skill in a step of its own model
ALL_LINES = LINES * len(skills.SKILLS)


def measure_skills(taught: str, lines: int, seed: int) -> Row:
    """The share of unseen items of each skill that one model has right.

    It is taught one skill or "all" of them, by so many lines a step.
    """
    model = skills.train(skills.SKILLS if taught == "all" else (taught,), lines, seed)
    return {skill: round(skills.share_right(model, skill), 6) for skill in skills.SKILLS}


def measure_baselines(skill: str, seed: int) -> Row:
    """What needs no learning: the answer of a seen item drawn at random, and that of the nearest one seen."""
    return {
        "by_chance": round(skills.share_by_chance(skill, seed), 6),
        "by_memory": round(skills.share_by_memory(skill, LINES * skills.STEPS, seed), 6),
    }


def _models() -> list[Row]:
    kinds = [("all", ALL_LINES), ("all", LINES)] + [(skill, LINES) for skill in skills.SKILLS]
    return [{"taught": taught, "lines": lines, "seed": seed} for taught, lines in kinds for seed in SEEDS]


def _baselines() -> list[Row]:
    return [{"skill": skill, "seed": seed} for skill in skills.SKILLS for seed in SEEDS]


def _town_points() -> list[Row]:
    points = [
        {"town": name, "lines": lines, "loss": loss, "seed": seed}
        for name in town.TOWNS
        for loss in town.LOSSES
        for lines in town.LINES
        for seed in SEEDS
    ]
    more = [point | {"seed": seed} for point in points for seed in MORE_SEEDS if _is_compared_by_cost(point)]
    return points + more


def _is_compared_by_cost(point: Row) -> bool:
    """Whether more seeds are wanted here: prices differ more from town to town than surprises do."""
    return point["lines"] == max(town.LINES) and point["loss"] in ("plain", "hand-weighted") and point["seed"] == 0


TABLES = [
    Table("2_1_skills", _models(), measure_skills, at_once=2),
    Table("2_1_baselines", _baselines(), measure_baselines),
    Table("2_1_town", _town_points(), town.measure, at_once=2),
]
