"""Rows of names and values become series, and what is no number is counted."""

from ledger.formats.scalar import Scalar
from ledger.formats.stores.series_rows import SeriesRows, leaves


def test_numbers_are_points_and_others_are_counted_by_name_and_kind() -> None:
    rows = SeriesRows()
    rows.add({"a": 1, "b": {"c": 0.5}, "_own": 1, "t": "text", "p": {"_type": "image-file"}}, 3, 5.0)
    rows.add({"a": 2, "t": None}, 4, None)
    assert rows.scalars == [Scalar("a", 3, 5.0, 1.0), Scalar("b.c", 3, 5.0, 0.5), Scalar("a", 4, None, 2.0)]
    assert rows.losses() == ["`t`: 2 values without a number", "`p`: 1 image-file"]
    assert (rows.others, rows.latest) == ({"t", "p"}, 5.0)
    assert SeriesRows().latest is None


def test_a_value_that_was_flattened_is_one_value() -> None:
    row = {"h._type": "histogram", "h.bins": [1], "h.values": [2], "hh.a": 1, "x.h._type": "table", "x.h.y.z": 1}
    assert list(leaves(row)) == [("h", {"_type": "histogram"}), ("hh.a", 1), ("x.h", {"_type": "table"})]
