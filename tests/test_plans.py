"""The check of a plan: the good one passes, each usual fault is told, and nothing that is written there breaks it."""

import re

import pytest

from helpers import claims, plans
from helpers.exercises import Exercise

check = plans.plan.check
each_mistake = pytest.mark.parametrize("mistake", plans.plan.mistakes, ids=lambda mistake: mistake.name)


def plan(**changes) -> dict:
    return plans.good_plan() | {name.replace("_", " "): value for name, value in changes.items()}


def test_the_solution_passes_and_its_stub_is_not_attempted():
    assert check(plans.good_plan()).passed
    names: dict = {}
    exec(plans.plan.stub, names)
    assert names["my_plan"].keys() == plans.FIELDS.keys() == plans.good_plan().keys()
    for untouched in (names["my_plan"], ..., None):
        assert repr(check(untouched)).startswith("Not attempted yet. ")
    assert claims.claim(plans.good_plan()["claim"]).kind != "opinion"
    assert isinstance(plans.plan, Exercise) and '"budget"' in repr(plans.plan.solution())


@each_mistake
def test_a_usual_fault_is_told_alone(mistake):
    result = check(mistake.attempt)
    assert (result.passed, result.mistake) == (False, mistake.name)
    told = " ".join(repr(result).split())
    assert told == f"Not yet. 1 fault in the plan. {mistake.diagnosis}"


def test_the_faults_that_were_asked_for_are_known():
    wanted = {"no_baseline", "one_seed", "no_budget", "unequal_budgets", "rule_missing_from_the_steps"}
    wanted |= {"rule_after_the_result", "rule_that_cannot_fail", "more_than_one_change"}
    assert wanted <= {mistake.name for mistake in plans.plan.mistakes}
    diagnoses = [mistake.diagnosis for mistake in plans.plan.mistakes]
    assert len(set(diagnoses)) == len(diagnoses)
    assert all(len(re.findall(r"[.?!](?:\s|$)", text)) == 1 for text in diagnoses)


def test_several_faults_are_all_told():
    told = " ".join(repr(check(plan(seeds=1, baseline=None, steps=["measure", "rule"]))).split())
    assert told.startswith("Not yet. 3 faults in the plan. There is no baseline")
    assert "One seed" in told and "after the measurement" in told


def test_a_plan_of_other_settings_passes_too():
    rule = lambda low, high: "holds" if low > 0.5 else "fails" if high < 0.5 else "undecided"  # noqa: E731
    other = plan(claim="D31", favourite={"rate": 0.1, "name": "a"}, baseline={"rate": 0.3, "name": "a"}, rule=rule)
    assert check(other | {"budget": {"favourite": 1.5, "baseline": 1.5, "of": "seconds"}, "seeds": 3}).passed


def test_a_setting_that_only_one_side_has_is_a_change():
    assert plans.changed({"favourite": {"a": 1, "b": 2}, "baseline": {"a": 1}}) == ["b"]
    assert check(plan(baseline={"context": 2})).mistake == "more_than_one_change"


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"claim": 3}, "“claim” cannot be read"),
        ({"claim": ...}, "Still open: claim."),
        ({"seeds": 2.5}, "“seeds” cannot be read"),
        ({"seeds": True}, "“seeds” cannot be read"),
        ({"rule": "holds"}, "“rule” cannot be read"),
        ({"rule": lambda low: "holds"}, "raised TypeError"),
        ({"rule": lambda low, high: 1 / 0}, "raised ZeroDivisionError"),
        ({"rule": lambda low, high: []}, "raised TypeError"),
        ({"steps": "rule, measure"}, "“steps” cannot be read"),
        ({"steps": ["rule"]}, "“steps” cannot be read"),
        ({"budget": 20_000}, "“budget” cannot be read"),
        ({"budget": None}, "There is no budget"),
        ({"tried": {"favourite": 3}}, "“tried” cannot be read"),
        ({"favourite": {}}, "“favourite” cannot be read"),
        ({"wrong_if": ""}, "which result would prove you wrong"),
    ],
)
def test_what_cannot_be_read_is_told(changes, told):
    result = check(plan(**changes), seconds=5)
    assert not result.passed and told in " ".join(repr(result).split())


@pytest.mark.parametrize("attempt", [3, "text", [], {}, object(), (None,) * 4, print, len, lambda: 0, type])
def test_nonsense_becomes_a_sentence(attempt):
    text = repr(check(attempt, seconds=5))
    assert text.startswith(("Not yet. ", "Not attempted yet. ")) and "Traceback" not in text and " at 0x" not in text


def test_a_rule_that_never_ends_is_stopped():
    def endless(low, high):
        while True:
            pass

    assert "did not answer within 0.5 seconds" in " ".join(repr(check(plan(rule=endless), seconds=0.5)).split())


def test_settings_that_cannot_be_compared_are_told():
    import numpy as np

    odd = plan(favourite={"a": np.ones(2)}, baseline={"a": np.zeros(2)})
    assert "could not be read to its end" in " ".join(repr(check(odd)).split())
