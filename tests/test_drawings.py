"""Pages of drawings in characters, and serial numbers: text that teaches no English."""

import lzma
import re
import string
from collections import Counter

import numpy as np
import pytest

from helpers.recordings.what_data_teaches import drawings

ART = drawings.pages(150_000, seed=0)
SERIALS = drawings.serial_numbers(150_000, seed=0)


def bits(text):
    return 8 * len(lzma.compress(text.encode())) / len(text)


def test_a_seed_is_one_text_and_another_seed_another():
    for make in (drawings.pages, drawings.serial_numbers):
        assert make(5_000, 1) == make(5_000, 1)
        assert make(5_000, 1) != make(5_000, 2)
        assert make(9_000, 1).startswith(make(5_000, 1))


def test_the_first_page_is_the_same_on_every_machine():
    assert drawings.page(0).splitlines()[:2] == [
        "          /     /             ##############",
        "                             ###############",
    ]


def test_no_page_comes_twice():
    pages = [drawings.page(seed) for seed in range(1_000)]
    assert len(set(pages)) == len(pages)


def test_pages_are_drawings_and_not_noise_nor_a_single_colour():
    for seed in range(200):
        page = drawings.page(seed)
        ink = [sign for sign in page if sign not in " \n"]
        assert len(page.splitlines()) <= 26 and max(map(len, page.splitlines())) <= 66
        assert set(page) <= set("".join(drawings.SHADES) + drawings.EDGES + "\n")
        assert len(ink) >= 20, seed
    assert 0.5 < bits(ART) < 2  # serial numbers take 4.7 and English about 2.5


def test_every_shape_marks_some_of_the_page_and_never_all_of_it():
    y, x = np.mgrid[-2:2:41j, -2:2:41j]
    for shape in drawings.SHAPES:
        for seed in range(5):
            share = shape(x, y, np.random.default_rng(seed)).mean()
            assert 0.01 < share < 0.9, shape.__name__


def test_drawings_cannot_be_learned_by_heart():
    """What is seen later costs as much as what is seen first, and lines of any length hardly ever come again."""
    first, half = bits(ART[:75_000]), len(lzma.compress(ART[:75_000].encode()))
    later = 8 * (len(lzma.compress(ART.encode())) - half) / (len(ART) - 75_000)
    assert later > 0.9 * first
    lines = Counter(line.strip() for line in ART.splitlines() if len(set(line)) >= 4 and len(line.strip()) >= 12)
    assert sum(count for count in lines.values() if count > 1) < 0.05 * lines.total()


def test_serial_numbers_have_their_forms_and_hardly_ever_come_again():
    kinds = {"A": "[A-Z]", "0": "[0-9]", "?": "[0-9A-Z]"}
    forms = ["".join(kinds.get(sign, re.escape(sign)) for sign in form) for form in drawings.FORMS]
    lines = SERIALS.splitlines()
    fitting = Counter(form for line in lines for form in forms if re.fullmatch(form, line))
    assert all(any(re.fullmatch(form, line) for form in forms) for line in lines)
    assert len(fitting) == len(forms) and min(fitting.values()) > 0.8 * len(lines) / len(forms)
    assert len(set(lines)) > 0.98 * len(lines)


def test_the_signs_of_serial_numbers_are_drawn_evenly():
    digits = Counter(sign for sign in SERIALS if sign in string.digits)
    assert max(digits.values()) < 1.1 * min(digits.values())


def test_what_serial_numbers_cost_by_hand(monkeypatch):
    monkeypatch.setattr(drawings, "FORMS", ("A0", "??"))
    bits_a_line = 1 + (np.log2(26 * 10) + np.log2(36 * 36)) / 2
    assert drawings.bits_of_serial_numbers() == pytest.approx((bits_a_line, bits_a_line / 3))


def test_no_compressor_beats_what_serial_numbers_must_cost():
    _, each = drawings.bits_of_serial_numbers()
    assert each < bits(SERIALS)


@pytest.mark.parametrize("make", [drawings.pages, drawings.serial_numbers])
def test_less_than_one_character_is_refused(make):
    with pytest.raises(ValueError, match="one character"):
        make(0, seed=0)
