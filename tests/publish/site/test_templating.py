"""What templates print: escaped and visible, whatever was printed before, and the same bytes by every way there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import Environment, UndefinedError
from markupsafe import Markup

from ledger.publish.site.templating import environment
from tests.conftest import ROOT


def shown(template: str, **values: object) -> str:
    return environment().from_string(template).render(**values)


@pytest.mark.parametrize(
    ("value", "html"),
    [
        ("<b> & 'quoted' \"twice\"", "&lt;b&gt; &amp; &#39;quoted&#39; &#34;twice&#34;"),
        ("<" * 500, "&lt;" * 500),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\u202e" * 200, "a⟨U+202E⟩" * 200),
        ("one\r\ntwo\tthree\rfour", "one\ntwo\tthree⟨U+000D⟩four"),
        (Markup("<b>ours</b>"), "<b>ours</b>"),
        (1, "1"),
        (True, "True"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (None, "None"),
        (["<", "\u202e"], "[&#39;&lt;&#39;, &#39;\\u202e&#39;]"),
    ],
)
def test_what_is_printed_is_escaped_and_visible(value: object, html: str) -> None:
    assert shown("{{ value }}", value=value) == html
    assert shown("{% set kept %}{{ value }}{% endset %}{{ kept }}", value=value) == html


def test_what_jinja_compiles_prints_through_our_function() -> None:
    code = environment().compile("{{ value }}", raw=True)
    assert "environment.shown((" in code
    assert "environment.finalize(" not in code
    assert "environment.finalize(" in Environment(finalize=str, autoescape=True).compile(
        "{{ value }}", raw=True
    )  # it is on


def test_a_name_that_is_unknown_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        shown("{{ unknown }}")


def test_small_macros_tell_equal_arguments_of_other_kinds_apart() -> None:
    use = '{% from "macros.html.jinja" import fact, value %}'
    both = use + "{{ value(a) }}{{ value(b) }}"
    assert 'title="0.0"' in shown(both, a=0.0, b=-0.0)
    assert 'title="-0.0"' in shown(both, a=0.0, b=-0.0)
    told = shown(
        use + "{% for one in many %}{{ fact('x', one) }}{% endfor %}", many=[1, True, 1.0, 0, False, 0.0, -0.0]
    )
    assert [part.partition("</dd>")[0] for part in told.split("<dd>")[1:]] == [
        "1", "True", "1.0", "0", "False", "0.0", "-0.0",
    ]  # fmt: skip
    raw = shown(use + "{{ fact('x', text) }}{{ fact('x', html) }}", text="<i>", html=Markup("<i>"))
    assert raw.count("&lt;i&gt;") == raw.count("<i>") == 1


def test_compiled_templates_are_kept_where_python_keeps_its_own_and_give_the_same(tmp_path: Path) -> None:
    script = (
        "from ledger.publish.site.templating import environment\n"
        "m = environment().get_template('macros.html.jinja').module\n"
        "print(m.fact('<x>', 'y'), m.badge('finished'))\n"
    )

    def run(**variables: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**kept, "PYTHONPATH": str(ROOT), **variables},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    prefix = {"PYTHONPYCACHEPREFIX": str(tmp_path / "cache")}
    first = run(**prefix)
    kept = sorted(path.name for path in tmp_path.rglob("templates-*.cache"))
    assert kept
    assert run(**prefix) == first == run(PYTHONDONTWRITEBYTECODE="1")
    assert sorted(path.name for path in tmp_path.rglob("templates-*.cache")) == kept
    for path in tmp_path.rglob("templates-*.cache"):
        path.write_bytes(b"damaged")
    assert run(**prefix) == first
