import csv
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.data import cmu_split_by_stem
from helpers.letter_to_sound import RULES_FILE, SOUNDS, Rule, compile_rules, pronounce_by_rules, read_rules

RULES = read_rules()
FAST = compile_rules(RULES)
COLUMNS = ["step", "before", "letters", "after", "sounds", "example", "why"]


def rule(letters: str, sounds: str, before: str = "", after: str = "") -> Rule:
    return Rule(1, before, letters, after, tuple(sounds.split()), "", "")


TINY = [
    rule("c", "S", after="[ei]"),
    rule("c", "K"),
    rule("a", "EY", before="^[^aeiou]*", after="[^aeiou]e$"),
    rule("a", "AE"),
    rule("e", "", before=".+", after="$"),
    rule("e", "EH"),
    rule("tch", "CH"),
    rule("t", "T"),
]


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("cat", "K AE T"),  # the first rule for c does not fit before a
        ("ace", "EY S"),  # soft c, long a, silent e
        ("catch", "K AE CH"),  # three letters at once
        ("tace", "T EY S"),
        ("tacace", "T AE K AE S"),  # `before` reaches to the start of the word: the second a has another a before it
        ("cet", "S EH T"),
        ("zcz", "K"),  # letters that no rule knows are passed over
        ("", ""),
    ],
)
@pytest.mark.parametrize("pronounce", [lambda word: pronounce_by_rules(word, TINY), compile_rules(TINY)])
def test_a_few_rules_worked_by_hand(pronounce, word, sounds):
    assert pronounce(word) == tuple(sounds.split())


def test_the_first_rule_that_fits_is_used_whatever_its_length():
    assert pronounce_by_rules("sh", [rule("s", "S"), rule("sh", "SH"), rule("h", "HH")]) == ("S", "HH")
    assert pronounce_by_rules("sh", [rule("sh", "SH"), rule("s", "S"), rule("h", "HH")]) == ("SH",)


def test_before_must_end_where_the_letters_begin():
    silent_after_m = [rule("b", "", before="m"), rule("b", "B"), rule("m", "M"), rule("a", "AE")]
    assert pronounce_by_rules("mab", silent_after_m) == ("M", "AE", "B")
    assert pronounce_by_rules("amb", silent_after_m) == ("AE", "M")


def test_alternatives_in_before_are_kept_together():
    either = [rule("o", "OW", before="^b|c"), rule("o", "AA")]
    assert pronounce_by_rules("o", either) == ("AA",)


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("cat", "K AE T"),
        ("make", "M EY K"),
        ("phone", "F OW N"),
        ("nation", "N EY SH AH N"),
        ("jumped", "JH AH M P T"),
        ("wanted", "W AA N T IH D"),
        ("knight", "N AY T"),
        ("happy", "HH AE P IY"),
        ("singing", "S IH NG IH NG"),
    ],
)
def test_the_real_rules_say_plain_words_rightly(word, sounds):
    assert pronounce_by_rules(word, RULES) == tuple(sounds.split())


def rules_used(word: str) -> list[Rule]:
    """Which rules speak, by numbering them and letting each say its own number."""
    numbered = [rule._replace(sounds=(str(number),)) for number, rule in enumerate(RULES)]
    return [RULES[int(number)] for number in pronounce_by_rules(word, numbered)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.before}<{rule.letters}>{rule.after}")
def test_every_rule_is_used_in_its_example_and_the_example_comes_out_right(rule):
    assert rule in rules_used(rule.example)
    assert FAST(rule.example) in cmu_split_by_stem().training[rule.example]


def test_there_are_enough_rules_and_each_is_explained():
    assert len(RULES) >= 150
    assert len({rule[1:4] for rule in RULES}) == len(RULES)
    assert all(3 <= len(rule.why.split()) <= 10 for rule in RULES)


def test_the_first_step_is_one_rule_for_each_letter():
    first = read_rules(up_to_step=1)
    assert [rule.letters for rule in first] == list("abcdefghijklmnopqrstuvwxyz")
    assert all(rule.before == rule.after == "" for rule in first)


def test_steps_add_rules_and_keep_the_order():
    last = max(rule.step for rule in RULES)
    assert {rule.step for rule in RULES} == set(range(1, last + 1))
    for step in range(1, last + 1):
        assert read_rules(up_to_step=step) == [rule for rule in RULES if rule.step <= step]
    assert read_rules(up_to_step=last) == RULES


def test_rules_for_one_letter_stand_together():
    first_letters = [rule.letters[0] for rule in RULES]
    assert first_letters == sorted(first_letters)


@given(
    st.one_of(
        st.text(alphabet="abcdefghijklmnopqrstuvwxyz", max_size=20),
        st.lists(st.sampled_from([rule.letters for rule in RULES]), max_size=8).map("".join),
        st.text(max_size=20),
    )
)
@example("")
@example("a" * 200)
@example("naïve 42!\n")
def test_fast_and_plain_engine_agree_on_any_text(word):
    sounds = pronounce_by_rules(word, RULES)
    assert FAST(word) == sounds
    assert SOUNDS.issuperset(sounds)


def test_fast_and_plain_engine_agree_on_real_words():
    for word in sorted(cmu_split_by_stem().training)[::500]:
        assert FAST(word) == pronounce_by_rules(word, RULES)


GOOD_ROW = ["1", "", "a", "", "AE", "cat", "short a as default"]


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("before", "(", r"line 3: before '\(' is not a regular expression"),
        ("after", "[a", r"line 3: after '\[a' is not a regular expression"),
        ("sounds", "AE XX", "line 3: unknown sound XX"),
        ("sounds", "AE1", "line 3: unknown sound AE1"),
        ("step", "one", "line 3: step 'one' is not a whole number"),
        ("step", "-1", "line 3: step '-1' is not a whole number"),
        ("letters", "", "line 3: a rule needs at least one letter"),
    ],
)
def test_a_bad_value_is_named_with_its_file_and_line(tmp_path, column, value, complaint):
    bad_row = list(GOOD_ROW)
    bad_row[COLUMNS.index(column)] = value
    path = write(tmp_path, [COLUMNS, GOOD_ROW, bad_row])
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}, {complaint}"):
        read_rules(path)


def test_a_missing_column_is_named(tmp_path):
    path = write(tmp_path, [COLUMNS[:-1], GOOD_ROW[:-1]])
    with pytest.raises(ValueError, match="line 1: missing column why"):
        read_rules(path)


@pytest.mark.parametrize("row", [GOOD_ROW[:-1], [*GOOD_ROW, "more"]])
def test_a_line_of_the_wrong_length_is_named(tmp_path, row):
    path = write(tmp_path, [COLUMNS, row])
    with pytest.raises(ValueError, match="line 2: a rule has 7 columns"):
        read_rules(path)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text("")
    with pytest.raises(ValueError, match="missing column step"):
        read_rules(path)


def test_the_file_is_as_the_csv_module_writes_it(tmp_path):
    rows = [[*rule[:4], " ".join(rule.sounds), *rule[5:]] for rule in RULES]
    assert write(tmp_path, [COLUMNS, *rows]).read_bytes() == RULES_FILE.read_bytes()


def write(folder, rows):
    path = folder / "rules.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path
