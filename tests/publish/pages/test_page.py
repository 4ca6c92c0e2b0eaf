"""The parts of a page: what comes from a record is text in every one of them."""

import re
from base64 import b64decode
from hashlib import sha256

import pytest

from ledger.publish.pages.not_found import render_not_found
from ledger.publish.pages.page import Page, markup
from ledger.publish.site.frames import join
from ledger.publish.site.templating import environment


def page(**changes: object) -> Page:
    values = {"kind": "run", "path": "runs/x.html", "title": "t", "description": "d", "content": "", **changes}
    return Page(**values)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(("path", "depth"), [("index.html", 0), ("runs/x.html", 1), ("a/b/c.html", 2)])
def test_the_depth_of_a_page_is_the_number_of_its_folders(path: str, depth: int) -> None:
    assert page(path=path).depth == depth


def test_title_and_description_are_one_bounded_line_that_can_be_seen() -> None:
    parts = page(title="a\nb\u202e" + "x" * 500, description="y" * 500).parts()
    assert len(parts["title"]) <= 120
    assert len(parts["description"]) <= 200
    assert "\n" not in parts["title"]
    assert "\u202e" not in parts["title"]


def test_headings_stand_in_the_table_of_contents_as_text() -> None:
    toc = page(contents=[("a", "<b>one</b>"), ("b", "two & \u202e")]).parts()["toc"]
    assert re.findall(r'href="#(\w+)"', toc) == ["a", "b"]
    assert "&lt;b&gt;one&lt;/b&gt;" in toc
    assert "two &amp; ⟨U+202E⟩" in toc
    assert page().parts()["toc"] == ""


SHELL = "<title>{ledger:title}</title><meta {ledger:description}>{ledger:content}|{ledger:toc}|{ledger:title}{other}"


def test_parts_are_put_into_their_marks_and_never_looked_through_for_others() -> None:
    parts = {"title": "<x>{ledger:content}", "description": '"q"', "content": "<p>\\1 {ledger:toc}</p>", "toc": "é"}
    assert join(SHELL, parts).decode() == (
        "<title>&lt;x&gt;{ledger:content}</title><meta &quot;q&quot;><p>\\1 {ledger:toc}</p>|é|"
        "&lt;x&gt;{ledger:content}{other}"
    )


def filled(text: str, **values: object) -> str:
    return environment().from_string(text).render(**values)


def test_a_template_shows_values_as_text_that_can_be_seen_and_our_own_html_as_it_is() -> None:
    assert filled("{{ x }}", x="<b>\u202e\x1b[0m") == "&lt;b&gt;⟨U+202E⟩⟨U+001B⟩[0m"
    assert filled("{{ x }}", x=markup("<b>\u202e</b>")) == "<b>\u202e</b>"
    assert filled("{{ x }}{{ y }}", x=3, y=True) == "3True"


def test_a_name_that_a_template_misspells_is_an_error_and_no_empty_cell() -> None:
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError, match="missing"):
        filled("{{ missing }}")


def test_an_amount_is_text_with_its_exact_value_beside_it() -> None:
    shown = filled("{{ money(1.23456, currency) }}", currency='"><script>')
    assert "<script>" not in shown
    assert "1.23456" in shown


@pytest.mark.parametrize("title", ["Digits", "<script>alert(1)</script>", "a\u202eb"])
def test_the_page_for_missing_paths_carries_all_it_needs_and_its_policy_admits_exactly_that(title: str) -> None:
    text = render_not_found(title).decode()
    assert "<script>alert" not in text
    assert "\u202e" not in text
    admitted = {b64decode(one) for one in re.findall(r"sha256-([A-Za-z0-9+/=]+)", text)}
    inline = [
        one for pair in re.findall(r"<style>(.*?)</style>|<script>(.*?)</script>", text, re.DOTALL) for one in pair
    ]
    assert admitted == {sha256(one.encode()).digest() for one in inline if one}
    assert not re.findall(r'(?:src|href)="(?!https?:|data:|#|mailto:)[^"{]*\.(?:css|js)"', text)
