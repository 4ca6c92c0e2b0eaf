"""The table of runs as a reader uses it: it scrolls, counts, completes, orders, groups, and gives itself away."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ledger.model.entries import Contents
from ledger.publish.pages import addresses
from tests.samples import Blobs

pytestmark = pytest.mark.browser


def ready(tab: Page, address: str, fragment: str = "") -> None:
    tab.goto("about:blank")
    tab.goto(address + addresses.RUNS + fragment)
    tab.wait_for_selector("[data-runs-table][data-ready]")


def shown_ids(tab: Page) -> list[str]:
    return tab.locator(".lg-runs tbody .lg-id").all_inner_texts()


def choose(tab: Page, facet: str, word: str) -> None:
    menu = tab.locator(f"[data-facet={facet}]")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    menu.locator(f'[data-choice="{word}"]').check()


def counts(tab: Page, facet: str) -> dict[str, int]:
    menu = tab.locator(f"[data-facet={facet}]")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    menu.locator("label").first.wait_for()
    lines = menu.locator("label").all()
    return {line.locator("span").inner_text(): int(line.locator("small").inner_text()) for line in lines}


ON_TOP = """(e) => {
  const a = e.getBoundingClientRect();
  return document.elementFromPoint(a.left + 4, a.top + 6).closest('thead') !== null;
}"""
TOP = "(e) => { const a = e.getBoundingClientRect(); return [Math.round(a.left), Math.round(a.top)]; }"


def test_headings_and_names_stay_when_the_table_scrolls(tab: Page, address: str) -> None:
    tab.set_viewport_size({"width": 1024, "height": 560})
    ready(tab, address)
    box, heading = tab.locator(".lg-explorer-box"), tab.locator(".lg-runs thead th").nth(4)
    name = tab.locator(".lg-runs tbody th").nth(9)
    before, left = heading.evaluate(TOP), name.evaluate(TOP)[0]
    box.evaluate("e => { e.scrollTop = 260; e.scrollLeft = 150; }")
    assert box.evaluate("e => [e.scrollTop, e.scrollLeft > 20]") == [260, True]
    assert heading.evaluate(TOP)[1] == before[1]
    assert name.evaluate(TOP)[0] == left
    assert heading.evaluate(ON_TOP)
    expect(tab.get_by_label("Filter runs by text")).to_be_in_viewport()
    expect(tab.locator(".lg-count-line")).to_be_in_viewport()


@pytest.mark.parametrize("width", [1024, 2560])
def test_the_first_column_after_the_name_is_a_result_and_it_is_in_the_window(
    tab: Page, address: str, width: int
) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    ready(tab, address)
    result = tab.locator(".lg-runs thead th:not(.lg-phone)").nth(2)
    expect(result).to_contain_text("validation/accuracy")
    expect(result).to_contain_text("@v2")
    right = result.evaluate("e => e.getBoundingClientRect().right")
    assert right < width / 2
    assert tab.locator(".lg-explorer-box").evaluate("e => e.getBoundingClientRect().width") > width * 0.9


def test_facets_count_what_each_choice_would_leave(tab: Page, address: str, ledger: tuple[Contents, Blobs]) -> None:
    runs = ledger[0].runs
    ready(tab, address)
    names = {run.record.experiment for run in runs if run.record.experiment.isascii()}
    expected = {name: sum(run.record.experiment == name for run in runs) for name in names}
    assert counts(tab, "experiment").items() >= expected.items()
    choose(tab, "status", "finished")
    finished = {
        name: sum(run.record.experiment == name and run.standing == "finished" for run in runs) for name in names
    }
    assert counts(tab, "experiment").items() >= finished.items()
    first, second = sorted(names, key=lambda name: -finished[name])[:2]
    choose(tab, "experiment", first)
    choose(tab, "experiment", second)
    assert counts(tab, "experiment").items() >= finished.items()
    assert len(shown_ids(tab)) == finished[first] + finished[second]
    expect(tab.locator("[data-facet=experiment] summary")).to_have_text("Experiment: 2")


def test_runs_without_a_tag_can_be_asked_for_in_the_menu_and_in_words(
    tab: Page, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    ready(tab, address)
    choose(tab, "tag", "")
    bare = [run.record.id for run in reversed(ledger[0].runs) if not run.tags]
    assert 0 < len(bare) < len(ledger[0].runs)
    assert shown_ids(tab) == bare
    ready(tab, address, '#q=not tags ~ ""')
    assert shown_ids(tab) == bare


def test_an_address_keeps_several_choices_orders_and_groups(tab: Page, address: str, chromium: Browser) -> None:
    ready(tab, address)
    choose(tab, "status", "finished")
    choose(tab, "status", "failed")
    tab.keyboard.press("Escape")
    expect(tab.locator("[data-facet=status]")).not_to_have_attribute("open", "")
    tab.get_by_role("button", name="Experiment", exact=True).click()
    tab.get_by_role("button", name="Started").click(modifiers=["Shift"])
    tab.get_by_role("button", name="One row per setting").click()
    assert "status=finished,failed" in tab.url
    assert "sort=experiment,-started" in tab.url
    assert "group=setting" in tab.url
    found = shown_ids(tab)
    with chromium.new_context() as other:
        shared = other.new_page()
        shared.goto(tab.url)
        shared.wait_for_selector("[data-runs-table][data-ready]")
        assert shown_ids(shared) == found
        expect(shared.locator("[data-facet=status] summary")).to_have_text("Status: 2")
        expect(shared.get_by_role("button", name="One row per setting")).to_have_attribute("aria-pressed", "true")


def test_several_columns_order_and_say_which_comes_first(
    tab: Page, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    ready(tab, address, "#sort=experiment,-started")
    runs = sorted(ledger[0].runs, key=lambda run: run.record.timing.started_at, reverse=True)
    runs.sort(key=lambda run: run.record.experiment.lower())
    assert shown_ids(tab) == [run.record.id for run in runs]
    expect(tab.locator("th[aria-sort]")).to_have_count(1)
    expect(tab.locator("th[data-order=ascending] .lg-place")).to_contain_text("1")
    expect(tab.locator("th[data-order=descending] .lg-place")).to_contain_text("2")
    tab.locator("th[data-order=descending] button").press("Shift+Enter")
    expect(tab.locator("th[data-order=ascending]")).to_have_count(2)
    expect(tab.locator("th[data-order] button").last).to_be_focused()


def test_the_box_completes_names_and_values_and_points_at_what_it_cannot_read(tab: Page, address: str) -> None:
    ready(tab, address)
    box = tab.get_by_label("Filter runs by text")
    box.press_sequentially("stat")
    expect(box).to_have_attribute("aria-expanded", "true")
    tab.keyboard.press("ArrowDown")
    expect(tab.get_by_role("option", name="status")).to_have_attribute("aria-selected", "true")
    tab.keyboard.press("Enter")
    expect(box).to_have_value("status")
    box.press_sequentially("=fini")
    tab.get_by_role("option", name="finished").click()
    expect(box).to_have_value("status=finished")
    expect(tab.locator(".lg-count-line")).to_contain_text("of 19 runs")
    box.press_sequentially(" and )")
    caret = tab.locator(".lg-caret").inner_text().splitlines()
    assert caret[0][caret[1].index("^")] == ")"


def test_repeats_stand_in_one_row_with_their_mean_and_open(
    tab: Page, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    ready(tab, address, "#group=setting")
    groups = tab.locator(".lg-group")
    before = groups.count()
    assert 0 < before < len(ledger[0].runs)
    opener = tab.locator(".lg-expand").first
    many = int(opener.inner_text().split()[0])
    assert many > 1
    expect(
        groups.filter(has=tab.locator(".lg-expand"))
        .first.locator("td:not(.lg-phone)")
        .filter(has_text=f"n={many}")
        .first
    ).to_be_visible()
    opener.press("Enter")
    expect(tab.locator(".lg-member")).to_have_count(many)
    expect(tab.locator(".lg-expand").first).to_have_attribute("aria-expanded", "true")
    expect(tab.locator(".lg-expand").first).to_be_focused()


def rows_of(tab: Page) -> list[list[str]]:
    with tab.expect_download() as downloading:
        tab.get_by_role("button", name="CSV").click()
    text = Path(downloading.value.path()).read_text("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_file_has_what_is_shown_in_its_order(tab: Page, address: str, ledger: tuple[Contents, Blobs]) -> None:
    ready(tab, address, "#q=status = finished&sort=started&cols=experiment,started,author")
    head, *rows = rows_of(tab)
    assert head == ["id", "name", "Experiment", "Started (UTC)", "Author"]
    runs = [run.record for run in ledger[0].runs if run.standing == "finished"]
    assert [row[0] for row in rows] == [record.id for record in runs]
    assert [row[2] for row in rows] == [record.experiment for record in runs]
    assert rows[0][3] == runs[0].timing.started_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert not [cell for row in rows for cell in row if cell[:1] in {"=", "+", "-", "@"}]


def test_the_file_of_settings_has_mean_ends_and_number(tab: Page, address: str) -> None:
    ready(tab, address, "#group=setting&cols=duration")
    head, *rows = rows_of(tab)
    assert head == ["ids", "runs", *(f"Duration ({end})" for end in ("mean", "low", "high", "n"))]
    for ids, count, mean, low, high, number in rows:
        assert len(ids.split()) == int(count)
        if int(number):
            assert float(low) <= float(mean) <= float(high)


def test_pointing_at_a_row_shows_what_there_is_to_say_of_it(
    tab: Page, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    run = next(run for run in ledger[0].runs if run.record.note and run.tags)
    ready(tab, address, f"#q=id = {run.record.id}")
    card = tab.get_by_role("tooltip")
    expect(card).to_be_hidden()
    tab.locator(".lg-runs tbody th a").hover()
    expect(card).to_be_visible()
    expect(card).to_contain_text(run.tags[0])
    tab.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_more_runs_than_are_compared_at_once_are_told(
    tab: Page, address: str, ledger: tuple[Contents, Blobs], folder: Path
) -> None:
    script = (folder / "assets/ledger/compare/chosen.js").read_text("utf-8")
    assert "MOST = 20;" in script
    few = script.replace("MOST = 20;", "MOST = 3;")
    tab.route("**/chosen.js", lambda route: route.fulfill(body=few, content_type="text/javascript"))
    chosen = [run.record.id for run in ledger[0].runs[:5]]
    ready(tab, address, f"#sel={','.join(chosen)}")
    link = tab.get_by_role("link", name="Compare 3 of 5 selected")
    assert (link.get_attribute("href") or "").endswith(f"#runs={','.join(chosen[:3])}")
