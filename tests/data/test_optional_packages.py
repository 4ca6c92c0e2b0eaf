"""Without the packages for data one line says what to type, and nothing else that went wrong is taken for that."""

import sys

import pytest

from ledger.data.optional_packages import HINT, missing_package, needing
from ledger.errors import LedgerError


@pytest.mark.parametrize("name", ["numpy", "PIL", "pyarrow"])
def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert missing_package() is None
    monkeypatch.setitem(sys.modules, name, None)
    assert missing_package() == name


def test_a_block_that_needs_a_package_says_which_and_what_for() -> None:
    with pytest.raises(LedgerError, match=r"reading a table .*`no_such_package`") as caught, needing("reading a table"):
        __import__("no_such_package")
    assert caught.value.hint == HINT


def test_other_errors_of_the_block_stay_what_they_are() -> None:
    with pytest.raises(ValueError, match="odd"), needing("it"):
        raise ValueError("odd")
