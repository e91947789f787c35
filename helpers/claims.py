"""The talks' claims in our own words: the card of a claim, the rule that will judge it, and its verdict."""

import csv
import difflib
import io
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

from helpers import checksums

ROOT = Path(__file__).resolve().parent.parent
VERDICT_TYPE = "application/vnd.talks-you-can-run.verdict+json"
TALKS = {
    "panel": "panel with the Transformer's authors, GTC 2024",
    "dialogue": "dialogue of Bryan Catanzaro with David Luan, GTC 2024",
}
KINDS = {
    "measurable": "tested here, by an experiment that you can run",
    "published": "rebuilt from published figures, with their sources",
    "opinion": "discussed beside the numbers that bear on it; it gets no verdict",
}
SYMBOLS = {"holds": "✓", "fails": "✗", "undecided": "?"}
FRAME = "border-inline-start: 0.25em solid; padding-inline-start: 0.75em; margin-block: 0.75em"

_rules: dict[str, str] = {}
_given: dict[str, "Execution"] = {}


class Claim(NamedTuple):
    """What a speaker said, in our own words, with the lesson that examines it."""

    id: str
    talk: str
    speaker: str
    claim: str
    kind: str
    lesson: str
    experiment: str


class Execution(NamedTuple):
    """Which notebook cell is running, and which of its executions this is (both None outside a notebook)."""

    cell: str | None
    message: str | None


class Card:
    """Text that a notebook shows as HTML and everything else as plain text; `data` is kept beside them."""

    def __init__(self, plain: str, html: str, data: dict | None = None):
        self.plain, self.html, self.data = plain, html, data or {}

    def __repr__(self) -> str:
        return self.plain

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": self.plain, "text/html": self.html, **self.data}


def read(path: Path = ROOT / "data" / "claims.csv") -> dict[str, Claim]:
    """Every claim of a table with the columns of Claim, by its id.

    >>> read()["P12"].speaker
    'Ashish Vaswani'

    Raises ValueError where an id stands twice, or a talk or a kind is unknown; Fault where data/claims.csv is missing
    or damaged.
    """
    claims: dict[str, Claim] = {}
    for row in csv.DictReader(io.StringIO(checksums.read(path), newline="")):
        claim = Claim(**row)
        if claim.id in claims:
            raise ValueError(f"{path.name}: claim {claim.id} stands twice.")
        if claim.talk not in TALKS or claim.kind not in KINDS:
            raise ValueError(f"{path.name}: claim {claim.id} has an unknown talk or kind: {claim.talk}, {claim.kind}.")
        claims[claim.id] = claim
    return claims


@cache
def all_claims() -> dict[str, Claim]:
    """The claims of data/claims.csv by id.

    >>> len(all_claims())
    84
    """
    return read()


def claim(id: str) -> Claim:
    """One claim of data/claims.csv.

    >>> claim("D25").kind
    'measurable'

    Raises ValueError with the nearest id where there is none of that name.
    """
    claims = all_claims()
    if id in claims:
        return claims[id]
    near = difflib.get_close_matches(str(id).upper().strip(), claims, n=1)
    meant = (
        f" Did you mean {near[0]}?" if near else " The ids run from P01 to P48 (panel) and from D01 to D36 (dialogue)."
    )
    raise ValueError(f"There is no claim {id!r} in data/claims.csv.{meant}")


def show(*ids: str) -> Card:
    """The cards of one or more claims: who said it, where, what, and how it can be judged.

    >>> print(str(show("P12")).splitlines()[0])
    Claim P12 · Ashish Vaswani · panel with the Transformer's authors, GTC 2024

    Raises ValueError for an unknown id, or for none.
    """
    if not ids:
        raise ValueError('claims.show needs the id of a claim: claims.show("P12").')
    shown = [claim(id) for id in ids]
    return Card("\n\n".join(map(_plain_card, shown)), "\n".join(map(_html_card, shown)))


def rule(id: str, text: str) -> Card:
    """States, before anything is measured, which result will count for a claim and which against it.

    >>> print(rule("P12", "Holds where the learned model makes fewer errors."))
    How P12 will be judged: Holds where the learned model makes fewer errors.

    Raises ValueError for an unknown id, an opinion (which gets no verdict) or an empty rule.
    """
    _check_judgeable(claim(id))
    text = _sentence(text, f'The rule of {id} is empty: claims.rule("{id}", "Holds where ...").')
    _rules[id] = text
    html = f'<div style="{FRAME}"><p><strong>How {id} will be judged:</strong> {escape(text)}</p></div>'
    return Card(f"How {id} will be judged: {text}", html)


def verdict(id: str, *, holds: bool | None, measured: str, seeds: tuple[int, int] | None = None) -> Card:
    """Judges a claim by its rule: `holds` is True, False, or None where the measurement does not decide.

    `measured` says what was found, with units; `seeds` counts how many seeds agree, and out of how many.

    >>> _ = rule("P12", "Holds where the learned model makes fewer errors.")
    >>> print(str(verdict("P12", holds=True, measured="8% against 25% of sounds wrong", seeds=(5, 5))).splitlines()[0])
    P12 holds at this scale

    Raises ValueError for an unknown id, an opinion, a claim whose rule has not been stated, an empty measurement,
    seeds that do not bear the verdict out, or a second verdict; TypeError where `holds` is no single truth value.
    """
    _check_judgeable(claim(id))
    if id not in _rules:
        raise ValueError(f'State the rule before you measure: run claims.rule("{id}", "Holds where ...") first.')
    measured = _sentence(measured, f"The verdict on {id} needs what was measured, in words with its numbers.")
    word = _word(id, holds)
    _check_seeds(id, word, seeds)
    _check_first_verdict(id)
    return _verdict_card({"claim": id, "verdict": word, "measured": measured, "rule": _rules[id], "seeds": seeds})


def _plain_card(claim: Claim) -> str:
    return (
        f"Claim {claim.id} · {claim.speaker} · {TALKS[claim.talk]}\n"
        f"{claim.claim}\n(Our own words.) {claim.kind.capitalize()}: {KINDS[claim.kind]}."
    )


def _html_card(claim: Claim) -> str:
    return (
        f'<div style="{FRAME}">'
        f"<p><strong>Claim {claim.id}</strong> · {escape(claim.speaker)} · {escape(TALKS[claim.talk])}</p>"
        f"<blockquote><p>{escape(claim.claim)}</p></blockquote>"
        f"<p><small>Our own words. <strong>{claim.kind.capitalize()}</strong>: {escape(KINDS[claim.kind])}.</small></p>"
        "</div>"
    )


def _verdict_card(found: dict) -> Card:
    id, word = found["claim"], found["verdict"]
    lines = {"Measured": found["measured"], "Rule": found["rule"]}
    if found["seeds"]:
        agreeing, total = found["seeds"]
        lines["Seeds"] = f"{agreeing} of {total} agree"
        found = {**found, "seeds": [int(agreeing), int(total)]}
    headline = f"{id} {'is ' if word == 'undecided' else ''}{word} at this scale"
    plain = "\n".join([headline, *(f"{name}: {text}" for name, text in lines.items())])
    body = "".join(f"<p><strong>{name}:</strong> {escape(text)}</p>" for name, text in lines.items())
    title = f'<p><strong><span aria-hidden="true">{SYMBOLS[word]}</span> {headline}</strong></p>'
    return Card(plain, f'<div style="{FRAME}">{title}{body}</div>', {VERDICT_TYPE: found})


def _check_judgeable(claim: Claim) -> None:
    if claim.kind == "opinion":
        raise ValueError(f"{claim.id} is an opinion: show it and discuss it; it gets no rule and no verdict.")


def _sentence(text: str, problem: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(problem)
    return " ".join(text.split())


def _word(id: str, holds) -> str:
    if holds is None:
        return "undecided"
    if isinstance(holds, bool) or (getattr(holds, "shape", None) == () and holds.dtype == bool):
        return "holds" if holds else "fails"
    raise TypeError(
        f"The verdict on {id} needs holds=True, False or None; it got {type(holds).__name__}. "
        "Reduce a comparison of arrays to one truth value, for example with .all() or by comparing means."
    )


def _check_seeds(id: str, word: str, seeds: tuple[int, int] | None) -> None:
    if seeds is None:
        return
    try:
        agreeing, total = seeds
        whole = int(agreeing) == agreeing and int(total) == total and 0 <= agreeing <= total and total > 0
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise ValueError(
            f"The verdict on {id} needs seeds=(how many agree, out of how many), as in (5, 5); got {seeds!r}."
        )
    if word != "undecided" and 2 * agreeing <= total:
        raise ValueError(f"{agreeing} of {total} seeds are no majority: the verdict on {id} is undecided (holds=None).")


def _check_first_verdict(id: str) -> None:
    now, before = _execution(), _given.get(id)
    if before and now.cell and (now.cell != before.cell or now.message == before.message):
        raise ValueError(f"{id} already has a verdict in this notebook: a claim gets one, in one cell.")
    _given[id] = now


def _execution() -> Execution:
    """Jupyter's own id of the running cell where the front end sends it, else the cell's source."""
    try:
        from IPython import get_ipython  # here, so that the README is made with the standard library alone
    except ImportError:
        return Execution(None, None)
    shell = get_ipython()
    if not hasattr(shell, "get_parent"):
        return Execution(None, None)
    parent = shell.get_parent()
    cell = parent.get("metadata", {}).get("cellId") or parent.get("content", {}).get("code")
    return Execution(cell, parent.get("header", {}).get("msg_id"))
