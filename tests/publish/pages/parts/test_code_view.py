"""A patch is shown file by file, escaped, and no longer than a page can bear."""

import re

import pytest

from ledger.publish.pages.parts.code_view import LINE_LENGTH, LINES_SHOWN, load_patch


def change(name: str, *lines: str, head: str = "") -> str:
    return f"diff --git a/{name} b/{name}\n{head}--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n" + "".join(
        f"{line}\n" for line in lines
    )


def test_each_file_has_its_name_and_its_lines_counted() -> None:
    changes, left_out = load_patch((change("a.py", "-old", "+new", "+more") + change("b c.py", " same")).encode())
    assert [(one.name, one.added, one.removed) for one in changes] == [("a.py", 2, 1), ("b c.py", 0, 0)]
    assert left_out == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n", "y"),
        ("diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "x"),
        ('diff --git "a/\\303\\244" "b/\\303\\244"\n--- "a/\\303\\244"\n+++ "b/\\303\\244"\n', "\\303\\244"),
        ("diff --git a/i.png b/i.png\nBinary files a/i.png and b/i.png differ\n", "i.png"),
        ("diff --git a/s p b/s p\n--- a/s p\t\n+++ b/s p\t\n", "s p"),
        ("no patch at all\n", "changes"),
        ("", "changes"),
    ],
)
def test_a_file_is_called_as_it_is_called_afterwards(text: str, name: str) -> None:
    (made,) = load_patch(text.encode())[0]
    assert made.name == name


def test_a_long_patch_is_cut_and_the_lines_that_are_left_out_are_counted() -> None:
    first, second = change("a", *["+x"] * LINES_SHOWN), change("b", *["+y"] * 10)
    changes, left_out = load_patch((first + second).encode())
    assert [one.name for one in changes] == ["a"]
    assert changes[0].added == LINES_SHOWN  # counted whole, shown in part
    assert left_out == first.count("\n") - LINES_SHOWN + second.count("\n")


def test_a_line_of_a_minified_file_is_cut() -> None:
    (made,) = load_patch(change("a.js", f"+{'x' * 10 * LINE_LENGTH}").encode())[0]
    assert max(len(line) for line in re.sub(r"<[^>]+>", "", made.html).split("\n")) <= LINE_LENGTH


def test_what_a_patch_says_is_text_and_what_is_not_seen_is_shown() -> None:
    (made,) = load_patch(change("a", "+<script>alert(1)</script>\u202e\x1b[31m").encode() + b"+\xff\n")[0]
    assert "<script>" not in made.html
    assert "\u202e" not in made.html
    assert "\x1b" not in made.html
    assert "\ufffd" in made.html
