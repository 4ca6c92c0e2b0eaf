"""YAML is read as plain values: nothing is constructed, ids stay text, and each error has its line."""

import math
from base64 import b64encode
from contextlib import suppress
from datetime import date, datetime
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.formats.yaml_file import load_yaml, plain_scalar


def load(text: str) -> object:
    return load_yaml(text, "p.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("~", None), ("", None), ("NULL", None), ("nUll", "nUll"), ("true", True), ("FALSE", False), ("yes", "yes"),
        ("on", "on"), ("3", 3), ("1e-3", 0.001), ("1_000", "1_000"), ("0o17", "0o17"), ("0x1F", "0x1F"), ("007", "007"),
        ("+.Inf", math.inf), ("-.INF", -math.inf), ("inf", "inf"), ("1:30", "1:30"), ("2026-11-20", "2026-11-20"),
    ],
)  # fmt: skip
def test_an_unquoted_word_is_what_the_core_schema_says(text: str, value: object) -> None:
    found = plain_scalar(text)
    assert (found, type(found)) == (value, type(value))


def test_nan_is_a_number_in_the_three_forms_that_yaml_has() -> None:
    assert all(math.isnan(float(str(plain_scalar(text)))) for text in (".nan", ".NaN", ".NAN"))
    assert plain_scalar("nan") == "nan"


def test_what_is_quoted_or_a_block_is_text_whatever_it_looks_like() -> None:
    assert load("a: '3'\nb: \"true\"\nc: |\n  4\nd: !!str 5\n") == {"a": "3", "b": "true", "c": "4\n", "d": 5}


@pytest.mark.parametrize("text", ["", "# only a word\n", "---\n", "null", "{}", "[]", "0", "false"])
def test_a_document_that_says_nothing_is_an_empty_mapping(text: str) -> None:
    assert load(text) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x {l: 1, m: 2}\nb: {<<: *x, m: 3}", {"l": 1, "m": 3}),
        ("a: &x {l: 1}\nb: {m: 3, <<: *x}", {"l": 1, "m": 3}),
        ("a: [&x {l: 1}, &y {l: 2, m: 2}]\nb: {<<: [*x, *y]}", {"l": 1, "m": 2}),
        ("b: {'<<': 1}", {"<<": 1}),
    ],
)
def test_what_is_merged_stands_behind_what_is_said_and_the_first_of_several_wins(text: str, value: object) -> None:
    document = load(text)
    assert isinstance(document, dict)
    assert document["b"] == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n\na: 2", "p.yaml, line 3: the name appears twice: `a`"),
        ("a: {<<: [1]}", "p.yaml, line 1: only mappings can be merged with `<<`"),
        ("? [1, 2]\n: 3", "p.yaml, line 1: a name must be one word or text"),
        ("a: 1\n---\nb: 2", "p.yaml, line 2: but found another document"),
        ("a: b: c", "p.yaml, line 1: mapping values are not allowed in this context"),
        ("a: *x", "p.yaml, line 1: found undefined alias"),
        ("a: &a [*a]", "p.yaml, line 1: its aliases form an endless loop"),
        ("a:\n " + "[" * 100, "p.yaml, line 2: nested more than 100 deep"),
        ("a: \x00", "p.yaml: unacceptable character #x0000: control characters are not allowed"),
        ("a: \ud800", "p.yaml: it holds half of a surrogate pair"),
    ],
)
def test_what_is_malformed_is_one_line_with_its_place_and_a_hint(text: str, message: str) -> None:
    with pytest.raises(LedgerError) as caught:
        load(text)
    assert caught.value.message.startswith(message)
    assert caught.value.hint == "mend the YAML"


def test_a_hundred_levels_are_read_and_an_alias_may_be_used_often() -> None:
    value = load("[" * 100 + "7" + "]" * 100)
    for _ in range(100):
        assert isinstance(value, list)
        (value,) = value
    assert value == 7
    assert load("a: &x [1]\nb: [*x, *x]") == {"a": [1], "b": [[1], [1]]}


def scalar(kind: str, data: bytes) -> object:
    tag = "!!python/object/apply:numpy.core.multiarray.scalar"
    document = load(f"a: {tag}\n- !!python/object/apply:numpy.dtype [{kind}]\n- !!binary {b64encode(data).decode()}\n")
    assert isinstance(document, dict)
    return document["a"]


@pytest.mark.parametrize(
    ("kind", "letter", "value"),
    [("f8", "d", 0.1), ("f4", "f", 0.5), ("f2", "e", 0.5), ("i8", "q", -7), ("i4", "i", -7), ("i2", "h", -7),
     ("u8", "Q", 7), ("u4", "I", 7), ("b1", "?", True)],
)  # fmt: skip
def test_a_scalar_of_numpy_is_its_number(kind: str, letter: str, value: float) -> None:
    assert scalar(kind, pack(f"<{letter}", value)) == value


@pytest.mark.parametrize(("kind", "data"), [("f8", b"1234"), ("V8", bytes(8)), ("c16", bytes(16))])
def test_a_scalar_of_numpy_that_is_no_number_is_a_text(kind: str, data: bytes) -> None:
    assert str(scalar(kind, data)).startswith("numpy.core.multiarray.scalar(")


@pytest.mark.parametrize("arguments", ["[]", "[f8]", "[f8, é]", "[f8, a]", "{args: 3}"])
def test_a_scalar_of_numpy_with_odd_arguments_is_a_text_and_no_error(arguments: str) -> None:
    document = load(f"a: !!python/object/apply:numpy.core.multiarray.scalar {arguments}")
    assert isinstance(document, dict)
    assert str(document["a"]).startswith("numpy.core.multiarray.scalar(")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!python/object/apply:x {args: [1, b]}", "x(1, b)"),
        ("!!python/object/apply:x {args: 3}", "x(3)"),
        ("!!python/object/new:x {listitems: [1, 2]}", "x(1, 2)"),
        ("!!python/object/new:x {state: {a: 1}}", {"a": 1}),
        ("!!python/object/new:x {dictitems: {a: 1}, args: [3]}", {"a": 1}),
        ("!!python/object:x {a: 1}", {"a": 1}),
        ("!!python/object:x [1]", "x(1)"),
        ("!!python/object/apply:pathlib.PureWindowsPath [c, d]", "c/d"),
        ("!!python/object/apply:pathlib._local.PosixPath [/, d]", "/d"),
        ("!!python/object/apply:collections.OrderedDict [[[a, 1], [b, 2]]]", {"a": 1, "b": 2}),
        ("!!python/object/apply:collections.OrderedDict [[a, 1], [b, 2]]", {"a": 1, "b": 2}),
        ("!!python/object/apply:collections.OrderedDict [[a, 1, 2]]", "collections.OrderedDict(['a', 1, 2])"),
        ("!!python/module:os ''", "os"),
        ("!!python/none ''", None),
        ("!!python/bool 'true'", True),
        ("!!python/complex '1j'", "1j"),
        ("!!python/bytes 'aGk='", "aGk="),
        ("!!python/object/apply:f 'x'", "f(x)"),
        ("!env", "!env"),
        ("!env HOME", "!env HOME"),
        ("!include {a: 1}", {"a": 1}),
        ("!!set {a, b}", ["a", "b"]),
        ("!!omap [a: 1]", [{"a": 1}]),
        ("!!binary aGk=", "aGk="),
    ],
)  # fmt: skip
def test_a_tag_gives_what_it_holds_and_nothing_is_made(text: str, value: object) -> None:
    assert load(f"a: {text}\n") == {"a": value}


def is_plain(value: object) -> bool:
    """Say whether a value is made of what JSON knows, and of times: nothing was constructed."""
    if isinstance(value, dict):
        return all(map(is_plain, (*value.keys(), *value.values())))
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return value is None or type(value) in {str, int, float, bool, date, datetime}


@given(st.text(max_size=60))
def test_a_text_gives_plain_values_or_an_error_of_ours(text: str) -> None:
    with suppress(LedgerError):
        assert is_plain(load(text))
