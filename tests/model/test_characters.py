"""Characters that nobody sees are known, shown and refused; those that people write with are left alone."""

import json
import sys
import unicodedata

import pytest

from ledger.model.characters import (
    composed,
    escaped,
    is_blank,
    is_plain_prose,
    is_plain_text,
    look_alikes,
    plain,
    unseen_in,
)

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_every_character_that_unicode_calls_unseen_is_known() -> None:
    missed = [
        f"U+{point:04X}"
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) in UNSEEN and is_plain_text(chr(point))
    ]
    assert missed == []


@pytest.mark.parametrize("text", ["\u3164", "\u115f", "\u034f", "\U000e0000", "\U000e0100", "\x7f", "\x9b", "\u202e"])
def test_what_is_not_seen_is_shown_as_an_escape(text: str) -> None:
    assert plain(text).isascii()
    assert not is_plain_prose(text)
    assert escaped(f'"{text}"').isascii()


def test_json_stays_what_it_was() -> None:
    for text in ("\x9b31m", "\u202e", "\U000e0041", "\x7f", "é"):
        assert json.loads(escaped(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("name", ["accuracy", "точность", "R²", "µm", "β1", "Δloss", "naïve", "損失", "\u03b1_mean"])
def test_names_in_one_alphabet_are_names(name: str) -> None:
    assert look_alikes(name) is None


@pytest.mark.parametrize("name", ["\u0430ccuracy", "l\u043ess", "\uff41cc", "\U0001d41a", "v\u0430l/acc", "B\u039fX"])
def test_letters_that_look_like_others_are_named(name: str) -> None:
    assert "U+" in str(look_alikes(name))


def test_no_more_than_five_strange_letters_are_named() -> None:
    assert str(look_alikes("\U0001d41a\U0001d41b\U0001d41c\U0001d41d\U0001d41e\U0001d41f")).count("U+") == 5


def test_one_latin_word_does_not_excuse_a_wholly_cyrillic_one_that_reads_as_latin() -> None:
    assert look_alikes("loss/\u0441\u0430\u0440") == "\u0441 (U+0441), \u0430 (U+0430), \u0440 (U+0440)"
    assert look_alikes("loss/\u0434\u043e\u043c") is None


def test_a_joiner_between_letters_of_persian_is_prose_and_one_in_latin_is_hidden() -> None:
    assert is_plain_prose("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")
    assert not is_plain_prose("ad\u200cmin")
    assert not is_plain_text("\u0645\u06cc\u200c\u062e\u0648")


def test_prose_has_lines_and_tabs_and_a_name_has_neither() -> None:
    assert is_plain_prose("one\n\ttwo")
    assert not is_plain_text("one\ntwo")
    assert not is_plain_text("one\ttwo")
    assert not is_plain_prose("one\rtwo")


def test_a_line_feed_is_shown_as_one_and_nothing_else_that_is_unseen() -> None:
    assert plain("a\nb\tc\x1b[0m") == "a\nb\\tc\\x1b[0m"
    assert escaped("é\n\u200b") == "é\n\\u200b"


@pytest.mark.parametrize(("text", "found"), [("plain é", None), ("a\u200bb\x00", "U+200B"), ("\U000e0041", "U+E0041")])
def test_the_first_character_that_is_not_seen_is_named(text: str, found: str | None) -> None:
    assert unseen_in(text) == found


def test_a_variation_selector_is_refused_in_a_name_and_harmless_elsewhere() -> None:
    assert unseen_in("\u2764\ufe0f") is None
    assert unseen_in("\u2764\ufe0f", label=True) == "U+FE0F"
    assert is_plain_text("\u2764\ufe0f")


@pytest.mark.parametrize("text", ["", " \u3000", "\u2800", "\u200b\ufe0f", "\u3164"])
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)
    assert not is_blank(f"{text}.")


def test_what_is_written_in_two_ways_becomes_one_text() -> None:
    assert composed("e\u0301") == composed("\u00e9") == "\u00e9"
    assert composed("\u017f") == "\u017f"  # another letter stays another
