"""README.md: its generated parts are fresh, and what it links to is there."""

import re

from helpers import claims, course

README = (claims.ROOT / "README.md").read_text(encoding="utf-8")


def test_the_generated_parts_are_fresh():
    assert course.readme(README) == README, "README.md is stale. Run: python3 -m helpers.course"


def test_a_stale_readme_is_noticed():
    assert course.readme(README.replace("P37", "P38")) != README.replace("P37", "P38")


def test_a_readme_with_another_number_than_the_measured_one_is_noticed():
    (number,) = re.findall(r"\*\*All\*\* \| \*\*([\d,]+) s", README)
    changed = README.replace(f"**All** | **{number} s", "**All** | **1 s")
    assert course.readme(changed) == README != changed


def test_both_first_pages_say_what_binder_forgets_and_how_to_keep_ones_work():
    first = course.notebook_of(course.lesson("0"))
    for page in (README, "".join("".join(cell["source"]) for cell in first["cells"])):
        assert all(re.search(words, page) for words in (r"ten (idle )?minutes", r"\*File\*, \*Download\*"))
        assert "carry_predictions()" in page


def test_the_number_of_claims_is_right():
    assert f"make {len(claims.all_claims())} claims" in README


def test_every_link_to_a_file_leads_somewhere():
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", README) + re.findall(r'src="([^"]+)"', README)
    assert links
    assert not [link for link in links if not (claims.ROOT / link).exists()]


def test_every_data_file_is_described():
    described = (claims.ROOT / "data" / "README.md").read_text(encoding="utf-8")
    files = [path for path in (claims.ROOT / "data").glob("*") if path.is_file() and path.name != "README.md"]
    assert not [path.name for path in files if f"`{path.name}`" not in described]


def places(tree: str) -> list[str]:
    """The paths in a tree of two levels, the second one indented."""
    found, folder = [], ""
    for indent, name in re.findall(r"^( *)(\S+)", tree, re.MULTILINE):
        folder = folder if indent else name
        found.append(folder + name if indent else name)
    return found


def test_every_place_in_the_tree_is_there():
    tree = re.search(r"## Where things are\n+```text\n(.+?)```", README, re.DOTALL)[1]
    assert len(places(tree)) > 8
    assert not [place for place in places(tree) if not (claims.ROOT / place).exists()]


def test_places_are_read_in_two_levels():
    assert places("a/  first\n  b.py  second\nc.txt  third") == ["a/", "a/b.py", "c.txt"]
