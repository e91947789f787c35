"""Claims, rules and verdicts: what their cards say, and which mistakes are told apart."""

from types import SimpleNamespace

import jax.numpy as jnp
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from helpers import claims


@pytest.fixture(autouse=True)
def nothing_stated(monkeypatch):
    """Each test begins as a fresh kernel does: no rule stated, no verdict given."""
    monkeypatch.setattr(claims, "_rules", {})
    monkeypatch.setattr(claims, "_given", {})


@pytest.fixture
def ruled():
    claims.rule("P12", "Holds where the learned model errs less.")


def bundle(card) -> dict:
    return card._repr_mimebundle_()


def test_every_claim_of_both_talks_is_there_once():
    ids = [f"P{number:02}" for number in range(1, 49)] + [f"D{number:02}" for number in range(1, 37)]
    assert sorted(claims.all_claims()) == sorted(ids)
    assert all(all(claim) for claim in claims.all_claims().values())
    assert {claim.talk for id, claim in claims.all_claims().items() if id.startswith("D")} == {"dialogue"}


@pytest.mark.parametrize("id, where", [("P12", "Transformer's authors, GTC 2024"), ("D02", "David Luan, GTC 2024")])
def test_a_card_says_who_where_what_and_how_it_is_judged(id, where):
    claim, shown = claims.claim(id), bundle(claims.show(id))
    for text in (shown["text/plain"], shown["text/html"].replace("&#x27;", "'")):
        for part in (id, claim.speaker, where, claim.claim, claims.KINDS[claim.kind]):
            assert part in text


def test_several_cards_stand_in_one_display():
    shown = bundle(claims.show("P12", "P13"))["text/html"]
    assert shown.index("Claim P12") < shown.index("Claim P13")


def test_a_claims_text_cannot_become_html(monkeypatch):
    hostile = claims.claim("P12")._replace(speaker="<b>A & B</b>", claim="<script>alert(1)</script>")
    monkeypatch.setattr(claims, "all_claims", lambda: {"P12": hostile})
    html = bundle(claims.show("P12"))["text/html"]
    assert "<script" not in html and "&lt;script&gt;" in html and "&lt;b&gt;A &amp; B&lt;/b&gt;" in html


@pytest.mark.parametrize("holds", [True, np.True_, np.bool_(True), jnp.array(True), np.array(1) < 2])
def test_any_single_truth_value_decides(ruled, holds):
    assert bundle(claims.verdict("P12", holds=holds, measured="1 < 2"))[claims.VERDICT_TYPE]["verdict"] == "holds"


@pytest.mark.parametrize("holds, word", [(True, "holds"), (False, "fails"), (None, "undecided")])
def test_a_verdict_is_said_in_words_with_its_own_symbol(ruled, holds, word):
    shown = bundle(claims.verdict("P12", holds=holds, measured="8% < 25% & more", seeds=(4, 5)))
    assert shown[claims.VERDICT_TYPE] == {
        "claim": "P12",
        "verdict": word,
        "measured": "8% < 25% & more",
        "rule": "Holds where the learned model errs less.",
        "seeds": [4, 5],
    }
    for text in (shown["text/plain"], shown["text/html"]):
        assert f"{word} at this scale" in text and "4 of 5" in text and "errs less" in text
    assert "8% &lt; 25% &amp; more" in shown["text/html"]
    assert f'<span aria-hidden="true">{claims.SYMBOLS[word]}</span>' in shown["text/html"]
    assert "color" not in shown["text/html"]


def test_the_same_verdict_reads_the_same(ruled):
    first, second = (claims.verdict("P12", holds=True, measured="1", seeds=(np.int64(3), 3)) for _ in range(2))
    assert bundle(first) == bundle(second)


def test_symbols_differ():
    assert len(set(claims.SYMBOLS.values())) == 3


@pytest.mark.parametrize(
    "act", [claims.show, lambda id: claims.rule(id, "x"), lambda id: claims.verdict(id, holds=1, measured="x")]
)
@pytest.mark.parametrize("id, meant", [("p12", "P12"), ("P112", "P12"), ("D016", "D16")])
def test_an_unknown_claim_gets_the_nearest(act, id, meant):
    with pytest.raises(ValueError, match=f"no claim '{id}'.*Did you mean {meant}"):
        act(id)


@pytest.mark.parametrize("id", ["", "twelve", None])
def test_a_far_off_claim_is_told_which_there_are(id):
    with pytest.raises(ValueError, match="from P01 to P48"):
        claims.show(id)


def test_a_verdict_without_a_rule_is_refused():
    with pytest.raises(ValueError, match=r"rule before you measure: run claims.rule\(\"P12\""):
        claims.verdict("P12", holds=True, measured="1")


@pytest.mark.parametrize("measured", ["", "  \n", None, 0.08])
def test_a_verdict_needs_what_was_measured(ruled, measured):
    with pytest.raises(ValueError, match="P12 needs what was measured"):
        claims.verdict("P12", holds=True, measured=measured)


@pytest.mark.parametrize("text", ["", " ", None])
def test_a_rule_needs_words(text):
    with pytest.raises(ValueError, match="rule of P12 is empty"):
        claims.rule("P12", text)


@pytest.mark.parametrize("holds", [np.array([True, False]), [True], "yes", 1, 0.5, np.float64(1), jnp.ones(1, bool)])
def test_what_is_no_truth_value_decides_nothing(ruled, holds):
    with pytest.raises(TypeError, match="holds=True, False or None"):
        claims.verdict("P12", holds=holds, measured="1")


@pytest.mark.parametrize(
    "act", [lambda: claims.rule("D16", "x"), lambda: claims.verdict("D16", holds=True, measured="1")]
)
def test_an_opinion_is_not_judged(act):
    with pytest.raises(ValueError, match="D16 is an opinion"):
        act()


@pytest.mark.parametrize("seeds", [5, (5,), (6, 5), (-1, 5), (0, 0), (2.5, 5), ("a", 5), (float("nan"), 5)])
def test_seeds_are_two_counts(ruled, seeds):
    with pytest.raises(ValueError, match="how many agree, out of how many"):
        claims.verdict("P12", holds=True, measured="1", seeds=seeds)


def test_half_the_seeds_decide_nothing(ruled):
    with pytest.raises(ValueError, match="2 of 4 seeds are no majority"):
        claims.verdict("P12", holds=False, measured="1", seeds=(2, 4))
    claims.verdict("P12", holds=None, measured="1", seeds=(2, 4))


def kernel(monkeypatch, cell: str | None, message: str, code: str = "code") -> None:
    metadata = {"cellId": cell} if cell else {}
    parent = {"metadata": metadata, "content": {"code": code}, "header": {"msg_id": message}}
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(get_parent=lambda: parent))


def judge():
    return claims.verdict("P12", holds=True, measured="1")


def test_running_a_verdicts_cell_again_is_fine(ruled, monkeypatch):
    for message, code in (("first", "old code"), ("second", "new code")):
        kernel(monkeypatch, "cell-a", message, code)
        judge()


@pytest.mark.parametrize(
    "second", [("cell-b", "second", "code"), (None, "second", "other code"), ("cell-a", "first", "code")]
)
def test_a_second_verdict_on_a_claim_is_refused(ruled, monkeypatch, second):
    kernel(monkeypatch, "cell-a", "first")
    judge()
    kernel(monkeypatch, *second)
    with pytest.raises(ValueError, match="P12 already has a verdict"):
        judge()


def test_a_real_kernel_stores_the_verdict_and_refuses_a_second():
    setup = 'from helpers import claims\nclaims.rule("P12", "Holds where so.")'
    verdict = 'claims.verdict("P12", holds=True, measured="1")'
    cells = [nbformat.v4.new_code_cell(code) for code in (setup, verdict, "again = " + verdict)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.raises(CellExecutionError, match="P12 already has a verdict"):
        NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(claims.ROOT)}}).execute()
    assert notebook.cells[1].outputs[0].data[claims.VERDICT_TYPE]["verdict"] == "holds"


def test_a_table_of_claims_with_mistakes_is_refused(tmp_path):
    table = tmp_path / "claims.csv"
    head = "id,talk,speaker,claim,kind,lesson,experiment\n"
    table.write_text(head + "P01,panel,A,B,measurable,1.1,C\n" * 2)
    with pytest.raises(ValueError, match="P01 stands twice"):
        claims.read(table)
    table.write_text(head + "P01,pannel,A,B,measurable,1.1,C\n")
    with pytest.raises(ValueError, match="unknown talk or kind: pannel"):
        claims.read(table)
