"""Lesson 3.2, scaling laws: a ladder on text and on a grammar, changes to one rung of it, and what a step costs."""

from helpers.recordings import Table
from helpers.recordings.scaling_laws import changes, clever, ladder

TABLES = [
    Table("3_2_rates", ladder.rates_tried(), ladder.tune, at_once=2),
    Table("3_2_ladder", ladder.runs(ladder.SOURCE), ladder.measure, at_once=2),
    Table("3_2_grammar", ladder.runs(ladder.GRAMMAR), ladder.measure, at_once=2),
    Table(
        "3_2_change_rates",
        [
            {"change": change, "steps": steps, "rate": rate}
            for change in changes.CHANGES
            for steps in changes.TUNED_AT
            for rate in changes.rates_of(change)
        ],
        changes.tune,
        at_once=2,
    ),
    Table("3_2_changes", changes.changed_runs(), changes.measure, at_once=2),
    Table(
        "3_2_clever_rates",
        [
            {"kind": kind, "width": width, "steps": steps, "rate": rate}
            for kind in clever.KINDS
            for steps in changes.CLEVER_TUNED_AT
            for width in changes.CLEVER_WIDTHS
            for rate in ladder.RATES["muon"]
        ],
        changes.tune_clever,
        at_once=2,
    ),
    Table("3_2_clever", changes.clever_runs(), changes.measure_clever, at_once=2),
    Table(
        "3_2_seconds",
        [{"kind": kind, "width": width} for kind, width in changes.TIMED],
        changes.measure_step,
        timed=("milliseconds",),
    ),
]
