"""A difference says exactly what makes one version out of another."""

import random

from hypothesis import given
from hypothesis import strategies as st

from ledger.data.version.difference import alike_but_for_case, apply_difference, diff_lines, diff_manifests
from ledger.data.version.listing import Manifest, manifest_of
from ledger.hashing import hash_bytes
from ledger.model.entries import ManifestLine

FILES = st.dictionaries(
    st.text('ab/Ä!"~', min_size=1, max_size=5).map(lambda text: f"x{text}y".replace("//", "/")),
    st.integers(0, 3),
    min_size=1,
    max_size=30,
)


def manifest(files: dict[str, int]) -> Manifest:
    return manifest_of(
        ManifestLine(path=path, bytes=content, hash=hash_bytes(str(content).encode()))
        for path, content in files.items()
    )


@given(FILES, FILES)
def test_a_difference_applied_to_the_first_gives_the_second(one: dict[str, int], other: dict[str, int]) -> None:
    old, new = manifest(one), manifest(other)
    difference = diff_manifests(old, new)
    assert apply_difference(old, difference) == new
    assert difference == diff_lines(old.lines, new.lines)
    assert difference.empty == (old == new)
    assert [line.path for line in difference.added] == sorted(other.keys() - one.keys())
    assert [line.path for line in difference.removed] == sorted(one.keys() - other.keys())
    assert all(before.path == after.path and before != after for before, after in difference.changed)


@given(st.randoms(use_true_random=False), st.integers(0, 20))
def test_a_few_changes_among_many_files_are_found(chance: random.Random, changes: int) -> None:
    files = {f"{chance.randrange(10**6):06d}/{number}": 0 for number in range(2000)}
    other = dict(files)
    for _ in range(changes):
        path = chance.choice(list(other))
        match chance.randrange(3):
            case 0:
                del other[path]
            case 1:
                other[path] = 1
            case _:
                other[path + "x"] = 0
    old, new = manifest(files), manifest(other)
    assert apply_difference(old, diff_manifests(old, new)) == new


def test_paths_that_differ_in_case_only_are_found() -> None:
    files = manifest({"a/b.png": 1, "A/b.png": 2, "a/B.PNG": 3, "c.png": 4, "straße": 5, "STRASSE": 6})
    assert alike_but_for_case(files) == [
        ("A/b.png", "a/B.PNG"),
        ("A/b.png", "a/b.png"),
        ("STRASSE", "straße"),
    ]
    assert alike_but_for_case(manifest({"a": 1, "b": 1})) == []
