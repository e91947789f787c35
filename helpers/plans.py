"""The plan of an experiment, and a check that catches the usual faults before anything is measured.

    from helpers import plans as exercises
    exercises.plan.check(my_plan)    # then .hint(), .hint(), .solution()

It is an exercise like those of the lessons. A rule is a function of an interval: by how much the favourite beats the
baseline, 95% sure, a number above 0 being better. The check lets it judge made-up results, so that a rule which cannot
fail is found by trying.
"""

from collections.abc import Callable
from typing import NamedTuple

from helpers import claims
from helpers.exercises import CORRECT, NOT_ATTEMPTED, NOT_YET, Exercise, Mistake, with_article
from helpers.exercises._running import Run

FIELDS = {
    "claim": 'the id of a claim, such as "P09"',
    "question": "one sentence that ends with a question mark",
    "favourite": 'the settings that the claim favours, such as {"context": 3}',
    "baseline": 'the settings to beat, with the same names, such as {"context": 2}',
    "tried": 'how many settings each side was tuned over, as {"favourite": 1, "baseline": 1}',
    "budget": 'what each side may use, as {"favourite": 20_000, "baseline": 20_000, "of": "words read"}',
    "seeds": "how many times all is repeated with other chance",
    "rule": "a function of the interval (low, high) that answers holds, fails or undecided",
    "steps": 'the order of work: "rule", "measure" and "judge"',
    "wrong if": "one sentence: which result would prove you wrong",
}
FEWEST_SEEDS = 3
WORDS = ("holds", "fails", "undecided")
BETTER = [(0.01, 0.02), (0.1, 0.2), (1, 2), (10, 20), (1000, 2000), (100_000, 200_000)]
WORSE = [(-high, -low) for low, high in BETTER]
NOISE = (-1_000_000.0, 1_000_000.0)


class Fault(NamedTuple):
    """A usual fault of a plan: its name, how it is found, and what to tell."""

    name: str
    found: Callable[[dict], bool]
    told: str


def good_rule(low: float, high: float) -> str:
    """Holds where all of the interval is above 0, fails where all of it is below.

    >>> good_rule(0.1, 0.3), good_rule(-0.3, -0.1), good_rule(-0.1, 0.1)
    ('holds', 'fails', 'undecided')
    """
    return "holds" if low > 0 else "fails" if high < 0 else "undecided"


def good_plan() -> dict:
    """The plan of the closing lesson's own experiment."""
    return {
        "claim": "P09",
        "question": "Does a bigger table of letters, three of context instead of two, predict spelling better?",
        "favourite": {"context": 3, "added": 0.1},
        "baseline": {"context": 2, "added": 0.1},
        "tried": {"favourite": 1, "baseline": 1},
        "budget": {"favourite": 20_000, "baseline": 20_000, "of": "words read"},
        "seeds": 5,
        "rule": good_rule,
        "steps": ["rule", "measure", "judge"],
        "wrong if": "The interval of the gain lies below 0: the smaller table predicts better.",
    }


def changed(plan: dict) -> list[str]:
    """The settings in which favourite and baseline differ.

    >>> changed(good_plan())
    ['context']
    """
    favourite, baseline = plan["favourite"], plan["baseline"]
    return sorted(str(name) for name in {*favourite, *baseline} if _differs(favourite, baseline, name))


def _differs(favourite: dict, baseline: dict, name: object) -> bool:
    return name not in favourite or name not in baseline or favourite[name] != baseline[name]


def _says(plan: dict, intervals: list) -> set:
    return {plan["rule"](low, high) for low, high in intervals}


def _unequal(sides: dict) -> bool:
    return sides["favourite"] != sides["baseline"]


# In the order in which they are looked for: the first that is found gives the diagnosis its name.
FAULTS = [
    Fault("no_such_claim", lambda p: p["claim"] not in claims.all_claims(),
          "There is no claim of this id: choose one from the ledger."),
    Fault("an_opinion", lambda p: claims.claim(p["claim"]).kind == "opinion",
          "This claim is an opinion, which no measurement decides: choose another, or a part that can be measured."),
    Fault("no_question", lambda p: not p["question"].strip().endswith("?"),
          "The question is no question: ask one thing, in one sentence, with a question mark."),
    Fault("no_baseline", lambda p: not p["baseline"],
          "There is no baseline: a number alone is neither good nor bad, so name what it has to beat."),
    Fault("nothing_changed", lambda p: not changed(p),
          "Favourite and baseline are the same: any difference between them will be chance."),
    Fault("more_than_one_change", lambda p: len(changed(p)) > 1,
          "More than one thing changes between baseline and favourite: whichever wins, you will not know why."),
    Fault("baseline_less_tuned", lambda p: _unequal(p["tried"]),
          "One side was tuned over more settings than the other: give the baseline as many tries as the favourite."),
    Fault("no_budget", lambda p: not p["budget"] or not (p["budget"]["favourite"] and p["budget"]["baseline"]),
          "There is no budget: say how much each side may use, or the one that runs longer wins."),
    Fault("unequal_budgets", lambda p: _unequal(p["budget"]),
          "The budgets are unequal: what looks like a better method may be a larger purse."),
    Fault("budget_without_unit", lambda p: not p["budget"].get("of"),
          "The budget has no unit: equal in words read, in seconds or in operations are three different races."),
    Fault("one_seed", lambda p: p["seeds"] == 1,
          "One seed shows no spread: the same plan might say the opposite tomorrow, and you could not know."),
    Fault("too_few_seeds", lambda p: p["seeds"] < FEWEST_SEEDS,
          "So few seeds leave the interval wider than nearly any effect: take five, or three at the least."),
    Fault("rule_missing_from_the_steps", lambda p: "rule" not in p["steps"],
          "No step writes the rule: without one, every result can be read as a success."),
    Fault("rule_after_the_result", lambda p: p["steps"].index("rule") > p["steps"].index("measure"),
          "The rule comes after the measurement: by then you know which rule would please you."),
    Fault("rule_that_says_no_verdict", lambda p: not _says(p, [*BETTER, *WORSE, NOISE]) <= set(WORDS),
          "The rule must answer with one of three words, whatever comes out: holds, fails or undecided."),
    Fault("rule_the_wrong_way_round", lambda p: "holds" in _says(p, WORSE) and "fails" in _says(p, BETTER),
          "The rule is the wrong way round: it holds where the favourite is worse."),
    Fault("rule_that_cannot_fail", lambda p: "fails" not in _says(p, WORSE),
          "The rule cannot fail: we showed it results far below 0, and not one of them counted against the claim."),
    Fault("rule_that_cannot_hold", lambda p: "holds" not in _says(p, BETTER),
          "The rule cannot hold: we showed it results far above 0, and not one of them counted for the claim."),
    Fault("rule_that_decides_on_noise", lambda p: _says(p, [NOISE]) != {"undecided"},
          "The rule decides on noise: an interval that reaches far to both sides of 0 should leave it undecided."),
    Fault("never_wrong", lambda p: len(p["wrong if"].split()) < 4,
          "You do not say which result would prove you wrong: say it now, in a sentence, while you do not know it."),
]  # fmt: skip


def _kinds() -> dict[str, Callable[[object], bool]]:
    def numbers(sides: object) -> bool:
        given = [sides.get("favourite", 0), sides.get("baseline", 0)] if type(sides) is dict else [None]
        return all(type(one) in (int, float) for one in given)

    def steps(given: object) -> bool:
        return type(given) in (list, tuple) and "measure" in [one for one in given if type(one) is str]

    return {
        **dict.fromkeys(("claim", "question", "wrong if"), lambda given: type(given) is str),
        "favourite": lambda given: type(given) is dict and bool(given),
        "baseline": lambda given: given is None or type(given) is dict,
        "tried": lambda given: numbers(given) and {"favourite", "baseline"} <= given.keys(),
        "budget": lambda given: given is None or given == {} or (numbers(given) and len(given) > 1),
        "seeds": lambda given: type(given) is int and given > 0,
        "rule": callable,
        "steps": steps,
    }


class PlanExercise(Exercise):
    """Write a plan: every usual fault that it has is told, each in a sentence."""

    def observe(self, attempt: object, seen: list) -> None:
        if problem := _unreadable(attempt):
            seen.append((NOT_ATTEMPTED if problem == NOT_ATTEMPTED else NOT_YET, [problem], None))
            return
        plan = {**attempt, "baseline": attempt["baseline"] or {}, "budget": _whole(attempt["budget"])}
        try:
            _says(plan, [*BETTER, *WORSE, NOISE])
        except Exception as error:
            told = f"The rule cannot judge an interval: rule(low, high) raised {type(error).__name__}."
            seen.append((NOT_YET, [told], None))
            return
        try:
            found = _faults(plan)
        except Exception as error:
            told = f"The plan could not be read to its end ({type(error).__name__}): use plain numbers and texts in it."
            seen.append((NOT_YET, [told], None))
            return
        if found:
            count = f"{len(found)} fault{'s' if len(found) > 1 else ''} in the plan."
            seen.append((NOT_YET, [count, *(fault.told for fault in found)], found[0].name))
        else:
            seen.append((CORRECT, ["The plan has none of the usual faults: now measure."], None))

    def judge(self, seen: list, run: Run, seconds: float) -> tuple[str, list[str], str | None]:
        if seen:
            return seen[0]
        return NOT_YET, [f"The plan could not be checked: its rule did not answer within {seconds:g} seconds."], None

    @property
    def stub(self) -> str:
        return "my_plan = {" + ", ".join(f'"{name}": ...' for name in FIELDS) + "}"


def _whole(budget: dict | None) -> dict:
    return {"favourite": 0, "baseline": 0} | (budget or {})


def _unreadable(attempt: object) -> str | None:
    """Why this is no plan that can be checked, or None."""
    if type(attempt) is not dict:
        return f"A plan is a dict with these entries: {', '.join(FIELDS)}. Yours is {with_article(attempt)}."
    if missing := [name for name in FIELDS if name not in attempt]:
        return f"The plan lacks {', '.join(missing)}. Under “{missing[0]}” stands {FIELDS[missing[0]]}."
    blank = [name for name in FIELDS if attempt[name] is ...]
    if len(blank) == len(FIELDS):
        return NOT_ATTEMPTED
    if blank:
        return f"Still open: {', '.join(blank)}. Under “{blank[0]}” stands {FIELDS[blank[0]]}."
    wrong = [name for name, fits in _kinds().items() if not fits(attempt[name])]
    return f"“{wrong[0]}” cannot be read: there stands {FIELDS[wrong[0]]}." if wrong else None


def _faults(plan: dict) -> list[Fault]:
    """The faults of a plan, in order; of those of one kind, which follow from each other, only the first."""
    found: list[Fault] = []
    for fault in FAULTS:
        told = {one.name for one in found}
        if not any(told & set(group) for group in SAME_KIND if fault.name in group) and fault.found(plan):
            found.append(fault)
    return found


SAME_KIND = [
    ("no_such_claim", "an_opinion"),
    ("no_baseline", "nothing_changed", "more_than_one_change"),
    ("no_budget", "unequal_budgets", "budget_without_unit"),
    ("one_seed", "too_few_seeds"),
    ("rule_missing_from_the_steps", "rule_after_the_result"),
    ("rule_that_says_no_verdict", "rule_the_wrong_way_round", "rule_that_cannot_fail", "rule_that_cannot_hold",
     "rule_that_decides_on_noise"),
]  # fmt: skip

plan = PlanExercise(
    "plan",
    "Write `my_plan`, a dict that says all of an experiment before it is run.",
    [
        "Begin with what you would have to see in order to change your mind: that is the rule, and `wrong if`.",
        "Then hold everything equal but one thing. Favourite and baseline differ in one setting.",
        "Last the numbers: the same budget with its unit, as many tries for the baseline as for the favourite, and "
        "five seeds. The rule looks at an interval: above 0 it holds, below 0 it fails, across 0 it is undecided.",
    ],
    good_plan,
)


def _broken(**changes) -> dict:
    return good_plan() | {name.replace("_", " "): value for name, value in changes.items()}


def _sides(favourite: float, baseline: float, **more) -> dict:
    return {"favourite": favourite, "baseline": baseline, **more}


_ATTEMPTS = {
    "no_such_claim": _broken(claim="P99"),
    "an_opinion": _broken(claim="D16"),
    "no_question": _broken(question="Bigger tables predict better."),
    "no_baseline": _broken(baseline=None),
    "nothing_changed": _broken(baseline=good_plan()["favourite"]),
    "more_than_one_change": _broken(baseline={"context": 2, "added": 1}),
    "baseline_less_tuned": _broken(tried=_sides(20, 1)),
    "no_budget": _broken(budget={}),
    "unequal_budgets": _broken(budget=_sides(40_000, 20_000, of="words read")),
    "budget_without_unit": _broken(budget=_sides(20_000, 20_000)),
    "one_seed": _broken(seeds=1),
    "too_few_seeds": _broken(seeds=2),
    "rule_missing_from_the_steps": _broken(steps=["measure", "judge"]),
    "rule_after_the_result": _broken(steps=["measure", "rule", "judge"]),
    "rule_that_says_no_verdict": _broken(rule=lambda low, high: low > 0),
    "rule_the_wrong_way_round": _broken(rule=lambda low, high: good_rule(-high, -low)),
    "rule_that_cannot_fail": _broken(rule=lambda low, high: "holds" if low > 0 else "undecided"),
    "rule_that_cannot_hold": _broken(rule=lambda low, high: "fails" if high < 0 else "undecided"),
    "rule_that_decides_on_noise": _broken(rule=lambda low, high: "holds" if low + high > 0 else "fails"),
    "never_wrong": _broken(wrong_if="Nothing."),
}
plan.mistakes = [Mistake(fault.name, _ATTEMPTS[fault.name], fault.told) for fault in FAULTS]
