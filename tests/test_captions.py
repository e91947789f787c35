"""What the captions heard and what was meant: the table, the distance between sounds, and the repair."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk import edit_distance

from helpers import data
from helpers.recordings.what_data_teaches import captions
from helpers.recordings.what_data_teaches.captions import Weights

words = st.lists(st.sampled_from(captions.SOUNDS), min_size=1, max_size=9).map(tuple)


def case(heard):
    return next(case for case in captions.cases() if case.error.heard == heard)


def test_each_error_is_told_apart_and_has_a_kind_and_a_reason():
    errors = captions.errors()
    assert len({(error.talk, error.heard, error.meant) for error in errors}) == len(errors) >= 40
    for error in errors:
        assert error.talk in ("dialogue", "panel") and 0 <= error.at_percent <= 100
        assert error.kind in ("name", "term", "word", "number") and error.sure in ("sure", "likely")
        assert error.heard != error.meant and error.how_we_know
    assert {error.kind for error in errors} == {"name", "term", "word", "number"}


def test_no_more_than_a_few_words_of_a_talk_stand_together():
    for error in captions.errors():
        assert len(f"{error.before} {error.heard} {error.after}".split()) <= 7
        assert max(len(side.split()) for side in (error.before, error.after)) <= 2


def test_the_errors_that_the_course_was_built_on_are_there():
    pairs = {(error.heard, error.meant) for error in captions.errors()}
    expected = [("loss", "laws"), ("Gnome", "Noam"), ("Helio", "Llion"), ("beetles", "Beatles"), ("noble", "novel")]
    expected += [("ethicacy", "efficacy"), ("state-based", "state-space"), ("QDNN", "cuDNN"), ("dupli", "duopoly")]
    expected += [("Krzyzewski", "Krizhevsky"), ("production", "prediction"), ("Lukash", "Lukasz"), ("ID", "Aidan")]
    assert set(expected) <= pairs


def test_what_is_said_by_ear_is_what_the_dictionary_lacks():
    for word, sounds in captions.BY_EAR.items():
        assert set(sounds.split()) <= set(captions.SOUNDS), word
        assert captions.sounds_of(word, unknown="dictionary") == ([], "dictionary"), word


def test_how_a_phrase_is_known_is_how_its_least_certain_word_is():
    assert captions.sounds_of("state-space") == ([tuple("S T EY T S P EY S".split())], "dictionary")
    assert captions.sounds_of("Alex Krizhevsky")[1] == "ear"
    assert captions.sounds_of("Alex Krizhevsky", unknown="rules")[1] == "rules"
    assert captions.sounds_of("Llion Xyzzyq")[1] == "rules"


@given(words, words)
def test_counted_sounds_are_nltks_edit_distance(a, b):
    assert captions.edit_cost(a, b) == edit_distance(a, b)


@given(words, words, words)
def test_the_distance_by_features_is_a_distance_no_longer_than_the_counted_one(a, b, c):
    def far(x, y):
        return captions.edit_cost(x, y, "by features")

    assert far(a, a) == 0
    assert far(a, b) == pytest.approx(far(b, a))
    assert far(a, c) <= far(a, b) + far(b, c) + 1e-9
    assert 0 <= far(a, b) <= captions.edit_cost(a, b)


@given(words, st.lists(words, min_size=1, max_size=5), st.sampled_from(sorted(captions.COSTS)))
def test_all_words_at_once_are_each_word_alone(one, many, cost):
    together = captions.distances(one, captions.encoded(many), cost)
    assert together == pytest.approx([captions.edit_cost(one, other, cost) for other in many], abs=1e-9)


def test_a_word_too_long_for_a_byte_is_refused():
    with pytest.raises(ValueError, match="20 sounds"):
        captions.distances(("AA",) * 21, captions.encoded([("AA",)]))


def test_features_put_related_sounds_nearer():
    far = {pair: captions.edit_cost(*[(sound,) for sound in pair.split()], "by features") for pair in ("S Z", "S M")}
    assert far["S Z"] == pytest.approx(1 / 3) and far["S M"] == pytest.approx(1)
    assert captions.edit_cost(("IH",), ("EH",), "by features") < captions.edit_cost(("IY",), ("AO",), "by features")
    assert captions.edit_cost(("IH",), ("S",), "by features") == 1


@pytest.mark.parametrize("unknown", ["dictionary", "ear", "rules"])
def test_heard_and_meant_sound_nearer_than_chance(unknown):
    found = captions.nearness(unknown, draws=20)
    assert found.low < found.apart < found.high < found.shuffled
    assert found.high < found.nearest_random <= found.random
    assert found.share_as_near < 0.01


def test_pairs_that_have_nothing_to_do_with_each_other_are_as_near_as_chance(monkeypatch):
    """The measurement that finds the errors near finds nothing where there is nothing to find."""
    said, draw = captions.sayable("dictionary"), np.random.default_rng(1)
    strangers = [(error, captions._random_phrase(len(h[0]), draw), captions._random_phrase(len(m[0]), draw))
                 for error, h, m in said]  # fmt: skip
    monkeypatch.setattr(captions, "sayable", lambda *_: strangers)
    found = captions.nearness(draws=20)
    assert found.share_as_near > 0.05 and found.apart > found.nearest_random - 0.05


def test_the_shuffles_tell_one_hearing_from_many(monkeypatch):
    """Where every heard word equals its meant word the distance is zero, and only the true order is as near."""
    said = [(error, heard, heard) for error, heard, _ in captions.sayable("dictionary")]
    monkeypatch.setattr(captions, "sayable", lambda *_: said)
    found = captions.nearness(draws=5)
    assert (found.apart, found.low, found.high) == (0, 0, 0) and found.share_as_near == pytest.approx(1 / 2_001)


def test_the_names_that_the_repair_knows_are_those_of_the_speakers():
    people = "Jensen Huang Ashish Vaswani Noam Shazeer Jakob Uszkoreit Llion Jones Aidan Gomez Lukasz Kaiser"
    people += " Illia Polosukhin Bryan Catanzaro David Luan"
    assert captions.speakers() == set(people.lower().split())


def test_the_context_that_the_repair_knows_holds_no_place_of_the_talks():
    text = " ".join(captions.words_of_packages())
    for error in captions.errors():
        for word in (error.heard, error.meant):
            phrase = " ".join(re.findall("[a-z']+", f"{error.before} {word} {error.after}".lower()))
            assert len(phrase.split()) < 4 or f" {phrase} " not in text, phrase


def test_clues_of_sound_and_name():
    gnome, beetles = case("Gnome"), case("beetles")
    assert gnome.clues.sound[gnome.right] == 0 == beetles.clues.sound[beetles.right]
    assert gnome.clues.name[gnome.right] == 1
    assert beetles.clues.name.sum() == 0  # no capital letter


def test_neighbours_count_for_words_that_stand_beside_them(monkeypatch):
    monkeypatch.setattr(captions, "words_of_packages", lambda: tuple("a b c a b d a e c".split() * 50))
    for cached in (captions._neighbours, captions._counts, captions._often):
        cached.cache_clear()
    try:
        often, beside = captions._often(), captions._beside("a", "c")
        place = captions._place()
        assert beside[place["b"]] > beside[place["d"]] and beside[place["e"]] > beside[place["d"]]
        assert often[place["a"]] > often[place["e"]] > often[place["noam"]]
    finally:
        monkeypatch.undo()
        for cached in (captions._neighbours, captions._counts, captions._often):
            cached.cache_clear()


def test_what_was_heard_is_never_suggested():
    for some in captions.cases():
        assert some.error.heard.lower() not in captions.suggestions(some, Weights(0.1, 0.1, 1))


def test_ties_are_drawn_by_lot():
    gnome = case("Gnome")
    level = gnome.clues.sound == 0
    if gnome.wrong is not None:
        level[gnome.wrong] = False
    assert captions.chance_among(gnome, Weights(), 1) == pytest.approx(1 / level.sum())
    assert captions.chance_among(gnome, Weights(), 10**6) == 1


def test_a_word_that_is_no_candidate_is_never_found():
    assert case("Cargonet").right is None
    assert captions.chance_among(case("Cargonet"), Weights(), 10**6) == 0


def test_the_repair_beats_chance_and_the_names_help_it():
    by_sound, with_names = (captions.repaired(use) for use in ("sound", "sound, frequency, neighbours, names"))
    assert by_sound.first > 100 / len(captions.vocabulary().words)
    assert with_names.first > by_sound.first and with_names.among_five > by_sound.among_five
    assert with_names.first_interval[0] <= with_names.first <= with_names.first_interval[1]
    assert with_names.first <= with_names.among_five <= 1
    assert np.mean(with_names.chances) == pytest.approx(with_names.first)
    assert len(with_names.chances) == len(captions.cases())


def test_weights_are_not_tuned_on_the_word_that_they_are_judged_by(monkeypatch):
    """Two words, each found only by weights that the other word's errors would not choose: none may be found."""
    grid = (Weights(name=1), Weights(name=2))
    good = {("Gnome", 1), ("Lukash", 2), ("Luk", 2)}
    some = tuple(case(heard) for heard in ("Gnome", "Lukash", "Luk"))
    monkeypatch.setattr(captions, "cases", lambda: some)
    monkeypatch.setitem(captions.GRIDS, "test", grid)
    monkeypatch.setattr(
        captions, "_chances", lambda case, weights, firsts: np.full(2, float((case.error.heard, weights.name) in good))
    )
    assert captions.repaired("test").among_five == 0


def test_the_two_accounts_differ_in_every_row():
    rows = data.table("two_accounts")
    assert len(rows) >= 15 and len({row["fact"] for row in rows}) == len(rows)
    for row in rows:
        assert all(row.values()) and row["captions"] != row["summary"]
        assert row["nearer"] in ("captions", "summary", "neither", "open")
        assert row["kind"] in ("number", "name", "speaker", "meaning", "left out")
        assert row["nearer"] == "open" or row["decided_by"] != "recording"  # nobody of us has listened
    assert {"captions", "summary"} <= {row["nearer"] for row in rows}


def test_the_arithmetic_that_decides_between_the_accounts():
    tenfold_every_five, halved_every_ten = (lambda years: 10 ** (years / 5)), (lambda years: 2 ** (years / 10))
    assert [tenfold_every_five(years) for years in (15, 20)] == pytest.approx([1_000, 10_000])
    assert halved_every_ten(20) == 4
    assert abs(20_000 / 10_000 - 1) < abs(200_000 / 10_000 - 1)
    operations = 2 * 0.5e12  # a token through half a trillion parameters
    assert 1 / (operations * 1e-18) == pytest.approx(1e6)
