"""The scripts of the site that decide something are asked in node, without a page."""

import gzip
import re
import subprocess
from pathlib import Path

import pytest

from tests.browser.chromium import NODE
from tests.conftest import ROOT

SCRIPT_BYTES = 80_000
"""Most bytes of the site's own scripts, each gzipped, as a server sends them: all of them, with no chart library."""

ASKED = sorted(set(Path(__file__).parent.glob("*.test.mjs")) - {Path(__file__).with_name("queries.test.mjs")})
"""All but that of `test_queries.py`, which makes the data that it asks."""


@pytest.mark.parametrize("tests", ASKED, ids=lambda path: path.name.partition(".")[0])
def test_scripts_answer_as_asked(tests: Path) -> None:
    done = subprocess.run(
        [NODE, "--test", "--test-reporter=tap", str(tests)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    failed = done.stdout.partition("not ok")[2]
    assert done.returncode == 0, failed[:3000] or done.stderr
    assert f"# pass {len(re.findall(r'^test[(]', tests.read_text('utf-8'), re.MULTILINE))}\n" in done.stdout


def test_every_script_stands_behind_those_that_it_needs() -> None:
    folder = ROOT / "site/docs/assets/ledger"
    loaded = re.findall(r"path: assets/ledger/(.+?\.js)", (ROOT / "site/mkdocs.yml").read_text("utf-8"))
    texts = {name: (folder / name).read_text("utf-8") for name in loaded}
    makes = re.compile(r"(?:assign\(globalThis, \{\s*|globalThis\)\.|window\.)(ledger\w*)(?:: |\s=[^=])")
    made = {word: place for place, name in enumerate(loaded) for word in makes.findall(texts[name])}
    for place, name in enumerate(loaded):
        for word in re.findall(r"window\.(ledger\w*)\b(?!\s=[^=])", texts[name]):
            assert made[word] <= place, f"{name} needs {word}"


def test_the_scripts_of_the_site_are_small() -> None:
    sizes = {
        path.relative_to(ROOT / "site/docs/assets"): len(gzip.compress(path.read_bytes()))
        for path in (ROOT / "site/docs/assets").rglob("*.js")
    }
    own = sum(size for path, size in sizes.items() if path.parts[0] == "ledger")
    print(f"own scripts {own:,} bytes gzipped, chart library {sum(sizes.values()) - own:,}")  # noqa: T201  # shown by -rP
    assert 0 < own < SCRIPT_BYTES
