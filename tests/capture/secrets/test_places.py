"""Secrets in the names of files in a patch, and in the fields of documents."""

import pytest

from ledger.capture.secrets.documents import redact_value
from ledger.capture.secrets.paths import without_secret_names
from ledger.capture.secrets.redactor import Redactor
from tests.capture.secrets.texts import made

TOKEN = made("ghp_{a36}")


def part(name: str) -> bytes:
    return (
        f"diff --git a/{name} b/{name}\nindex 1..2 100644\n--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-1\n+2\n".encode()
    )


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_file_whose_name_holds_a_secret_is_left_out_and_named_without_it(place: int) -> None:
    names = ["a.py", "b/c.py"]
    names.insert(place, f"keys/{TOKEN}/x.txt")
    patch = b"head\n" + b"".join(map(part, names))
    kept, left = without_secret_names(patch, Redactor())
    assert kept == b"head\n" + part("a.py") + part("b/c.py")
    assert left == ["keys/[redacted: github-token]/x.txt"]


@pytest.mark.parametrize("patch", [b"", b"no patch", part("a.py"), part("a.py") + part("b.py")])
def test_a_patch_of_harmless_names_stays_as_it_is(patch: bytes) -> None:
    assert without_secret_names(patch, Redactor()) == (patch, [])


def test_a_secret_in_the_text_of_a_patch_is_none_in_a_name() -> None:
    patch = part("a.py").replace(b"+2", b"+" + TOKEN.encode())
    assert without_secret_names(patch, Redactor()) == (patch, [])


@pytest.mark.parametrize("field", ["values", "params", "variables"])
def test_where_people_chose_the_names_a_name_makes_its_value_a_secret(field: str) -> None:
    redactor = Redactor()
    found = redact_value({field: {"password": "swordfish", "lr": 0.1}}, redactor)
    assert found == {field: {"password": "[redacted: password]", "lr": 0.1}}
    assert redactor.counts == {"password": 1}


def test_elsewhere_a_name_says_nothing_and_a_look_says_all() -> None:
    redactor = Redactor()
    document = {"redactions": {"password": 1}, "notes": {"password": "swordfish"}, "tags": ["a", TOKEN], TOKEN: [True]}
    assert redact_value(document, redactor) == {
        "redactions": {"password": 1},
        "notes": {"password": "swordfish"},
        "tags": ["a", "[redacted: github-token]"],
        "[redacted: github-token]": [True],
    }
    assert redactor.counts == {"github-token": 2}
