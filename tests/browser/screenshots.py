"""Pictures of every kind of page, to be looked at: `python -m tests.browser.screenshots FOLDER [SITE]`.

Each at the width of a desktop and of a phone, light and dark. Without SITE, the site of the sample ledger.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from ledger.publish.pages import addresses
from ledger.publish.site.build import build_site
from tests.browser.chromium import opened
from tests.samples import sample_ledger, sample_log, sample_reader

WIDTHS = {1440: 900, 390: 844}
"""Width of a desktop and of a phone to the height of its window, in CSS pixels."""

_FIXED = (
    addresses.HOME, addresses.RUNS, addresses.EXPERIMENTS, addresses.DATASETS, addresses.BOARDS, addresses.MILESTONES,
    addresses.COSTS, addresses.MACHINES, addresses.LISTS, addresses.GLOSSARY, addresses.NOT_FOUND,
    "handbook/index.html", "handbook/recording.html", "handbook/tutorial.html", "handbook/coming-from.html",
    "handbook/reference/commands.html",
)  # fmt: skip


def pages_of(site: Path) -> dict[str, str]:
    """Return a name to the address of one page of each kind; of many alike, the one that shows most."""
    found = {path.removesuffix(".html").replace("/", "-"): path for path in _FIXED}
    found |= {
        f"list-{path.stem}": f"lists/{path.name}" for path in (site / "lists").glob("*.html") if path.stem != "index"
    }
    for kind in ("runs", "experiments", "datasets", "leaderboards"):
        alike = sorted((site / kind).glob("*.html"), key=lambda path: path.stat().st_size, reverse=True)
        shown = [path.name for path in alike if path.name != "index.html"]
        if shown:
            found[kind.removesuffix("s")] = f"{kind}/{shown[0]}"
    runs = sorted(path.stem for path in (site / "runs").glob("2*.html"))
    found["compare"] = f"{addresses.COMPARE}#runs={','.join([*runs[:1], *runs[-3:-1]])}"
    return found


def photograph(browser: Browser, site: Path, folder: Path) -> list[Path]:
    """Write a PNG of every page kind of `site` at each width and in both themes; return them."""
    taken = []
    for scheme in ("light", "dark"):
        for width, height in WIDTHS.items():
            with browser.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
            ) as context:
                tab = context.new_page()
                for name, address in pages_of(site).items():
                    path, _, fragment = address.partition("#")
                    tab.goto("about:blank")
                    tab.goto((site / path).as_uri() + ("#" + fragment if fragment else ""))
                    tab.wait_for_load_state("networkidle")
                    taken.append(folder / f"{name}-{width}-{scheme}.png")
                    tab.screenshot(path=taken[-1], full_page=True)
    return taken


def main(arguments: list[str]) -> None:
    """Take the pictures of the site that the arguments name, else of the sample ledger's."""
    folder = Path(arguments[0])
    with tempfile.TemporaryDirectory() as aside, opened() as browser:
        site = Path(arguments[1]).resolve() if arguments[1:] else Path(aside) / "site"
        if not arguments[1:]:
            contents, blobs = sample_ledger()
            build_site(contents, sample_reader(blobs), sample_log(contents), site)
        taken = photograph(browser, site, folder)
    sys.stdout.write(f"{len(taken)} pictures in {folder}\n")


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit("usage: python -m tests.browser.screenshots FOLDER [SITE]")
    main(sys.argv[1:])
