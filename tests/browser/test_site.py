import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ledger.model.entries import Contents, StoredRun
from ledger.publish.pages import addresses
from tests.browser.conftest import watch
from tests.samples import Blobs

pytestmark = pytest.mark.browser


def run_where(ledger: tuple[Contents, Blobs], test: Callable[[StoredRun], bool]) -> StoredRun:
    return next(run for run in ledger[0].runs if test(run))


def page_kinds(ledger: tuple[Contents, Blobs], folder: Path) -> list[str]:
    runs = ledger[0].runs
    status = {run.record.status: run.record.id for run in runs}
    boards = sorted(path.name for path in (folder / "leaderboards").glob("*-*.html"))
    return [
        addresses.HOME, addresses.RUNS, addresses.EXPERIMENTS, addresses.DATASETS, addresses.BOARDS, addresses.GLOSSARY,
        addresses.COSTS, addresses.MACHINES, addresses.MILESTONES, addresses.LISTS,
        *(addresses.list_page(name) for name in ("people", "tags", "models", "warnings", "reproducibility")),
        f"{addresses.COMPARE}#runs={runs[0].record.id},{runs[-2].record.id}", addresses.COMPARE,
        f"leaderboards/{boards[0]}",
        *(addresses.run_page(run_id) for run_id in status.values()), addresses.run_page(runs[-1].record.id),
        addresses.experiment_page("cnn-width"), addresses.experiment_page(runs[-1].record.experiment),
        addresses.dataset_page("digits-validation"), "handbook/index.html", "handbook/recording.html",
        "handbook/tutorial.html", "handbook/coming-from.html", "handbook/reference/commands.html",
    ]  # fmt: skip


def ready(tab: Page, address: str, fragment: str = "") -> None:
    tab.goto("about:blank")
    tab.goto(f"{address}{addresses.RUNS}{fragment}")
    tab.wait_for_selector("[data-runs-table][data-ready]")


def shown_ids(tab: Page) -> list[str]:
    return tab.locator(".lg-runs tbody .lg-id").all_inner_texts()


@pytest.mark.parametrize("query", ["id", "param", "value", "metric", "tag", "author", "note"])
def test_search_finds_a_run_by(query: str, tab: Page, address: str, ledger: tuple[Contents, Blobs]) -> None:
    run = run_where(ledger, lambda run: run.record.experiment == "augmentation")
    typed = {
        "id": run.record.id[16:], "param": "noise", "value": "noise=0.05", "metric": "validation/accuracy v2",
        "tag": "noise", "author": run.record.author.name, "note": "hard cases inputs",
    }[query]  # fmt: skip
    tab.goto(f"{address}handbook/index.html")
    tab.keyboard.press("/")
    tab.keyboard.type(typed)
    hit = tab.locator(".lg-hit", has_text=run.record.id)
    expect(hit).to_be_visible()
    hit.click()
    expect(tab).to_have_url(f"{address}{addresses.run_page(run.record.id)}")
    expect(tab.locator("h1")).to_contain_text(run.record.id)


def test_search_finds_the_handbook_too(tab: Page, address: str) -> None:
    tab.goto(address + "index.html")
    tab.get_by_label("Search runs and handbook").fill("redact")
    expect(tab.locator(".lg-hits-title", has_text="Handbook")).to_be_visible()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(re.compile("/handbook/"))


@pytest.mark.parametrize(
    ("typed", "page"),
    [
        ("digits-validation", "datasets/digits-validation.html"),
        ("augmentation", "experiments/augmentation.html"),
        ("idle", "costs/index.html"),
    ],
)
def test_search_finds_pages_that_are_no_runs(typed: str, page: str, tab: Page, address: str) -> None:
    tab.goto(address + "index.html")
    tab.get_by_label("Search runs and handbook").fill(typed)
    expect(tab.locator(".lg-hits-title").first).to_have_text("Pages")
    tab.locator(f".lg-hit[href$='{page}']").first.click()
    expect(tab).to_have_url(f"{address}{page}")


def test_the_table_sorts_by_a_metric_and_by_a_param(tab: Page, address: str, ledger: tuple[Contents, Blobs]) -> None:
    ready(tab, address)
    values = {run.record.id: [m for m in run.metrics() if m.key == "validation/accuracy"] for run in ledger[0].runs}
    v2 = {run_id: m.number for run_id, ms in values.items() for m in ms if m.dataset == "digits-validation@v2"}
    tab.locator("th", has_text="digits-validation@v2").get_by_role("button").first.click()
    best = [run_id for run_id, _ in sorted(v2.items(), key=lambda item: -item[1])]
    assert shown_ids(tab)[: len(best)] == best
    assert set(shown_ids(tab)) == set(values)
    tab.locator("summary", has_text="Columns").click()
    tab.locator("[data-choice='p.optimizer.lr']").check()
    heading = tab.get_by_role("button", name="optimizer.lr", exact=True)
    heading.click()
    expect(tab.locator("th[aria-sort=ascending]")).to_contain_text("optimizer.lr")
    assert shown_ids(tab)[0] in {
        run.record.id for run in ledger[0].runs if run.record.params.values.get("optimizer.lr") == 0.001
    }


def test_the_table_filters_and_its_address_can_be_shared(tab: Page, address: str, chromium: Browser) -> None:
    ready(tab, address)
    for facet, word in (("status", "finished"), ("experiment", "mlp-learning-rate")):
        tab.locator(f"[data-facet={facet}] summary").click()
        tab.locator(f"[data-facet={facet}] [data-choice='{word}']").check()
    tab.get_by_label("Filter runs by text").fill("optimizer.lr=0.01")
    expect(tab.get_by_role("status").filter(has_text="runs").last).to_contain_text("3 of 19 runs")
    found = shown_ids(tab)
    assert len(found) == 3
    with chromium.new_context() as other:
        shared = other.new_page()
        shared.goto(tab.url)
        shared.wait_for_selector("[data-runs-table][data-ready]")
        assert shown_ids(shared) == found
    tab.get_by_role("button", name="Reset").click()
    assert len(shown_ids(tab)) == 19


def test_the_table_is_asked_as_the_terminal_is(tab: Page, address: str, ledger: tuple[Contents, Blobs]) -> None:
    ready(tab, address)
    box, trouble = tab.get_by_label("Filter runs by text"), tab.locator("main .lg-callout[role=status]:visible")
    box.fill("not status=finished or validation/accuracy >= 0.97")
    best = {
        run.record.id
        for run in ledger[0].runs
        if (metric := run.record.metric("validation/accuracy")) and metric.number >= 0.97
    }
    others = {run.record.id for run in ledger[0].runs if run.record.status != "finished"}
    expect(tab.locator(".lg-runs tbody .lg-id")).to_have_count(len(best | others))
    assert set(shown_ids(tab)) == best | others
    box.fill("loss < 1 and")
    expect(trouble).to_contain_text("not a filter: a field, a value or a word is expected here")
    assert set(shown_ids(tab)) == best | others
    box.fill("loss < 1")
    expect(trouble).to_have_text("`loss` may mean `metrics.train/loss` or `metrics.validation/loss`")
    box.fill("lr=0.5")
    expect(trouble).to_have_text("`lr` is read as `params.lr`; there is also `params.optimizer.lr`")
    assert shown_ids(tab) == [ledger[0].runs[-1].record.id]
    box.fill("optimizer.lr=10.0")
    expect(trouble).to_have_count(0)
    assert shown_ids(tab) == [
        run_where(ledger, lambda run: run.record.params.values.get("optimizer.lr") == 10.0).record.id
    ]


def test_a_tag_leads_to_the_runs_that_have_it(tab: Page, address: str, ledger: tuple[Contents, Blobs]) -> None:
    run = run_where(ledger, lambda run: "noise" in run.record.tags)
    tab.goto(address + addresses.run_page(run.record.id))
    tab.get_by_role("link", name="noise", exact=True).click()
    tab.wait_for_selector("[data-runs-table][data-ready]")
    assert shown_ids(tab) == [run.record.id]


def test_columns_can_be_chosen(tab: Page, address: str) -> None:
    ready(tab, address)
    tab.locator("summary", has_text="Columns").click()
    chosen = tab.locator("[data-facet=columns] input[data-choice]:not(:checked)").first.get_attribute("data-choice")
    tab.locator(f"[data-facet=columns] [data-choice='{chosen}']").check()
    expect(tab.locator(f"[data-sort='{chosen}']")).to_be_visible()
    ready(tab, address, "#" + tab.url.split("#")[1])
    expect(tab.locator(f"[data-sort='{chosen}']")).to_be_visible()


def test_selected_runs_are_compared_and_not_ranked_across_versions(
    tab: Page, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    first = ledger[0].runs[4].record.id
    second = run_where(ledger, lambda run: run.record.experiment == "augmentation").record.id
    ready(tab, address)
    for run_id in (first, second):
        tab.get_by_label(f"Select {run_id}").check()
    tab.get_by_role("link", name="Compare 2 selected").click()
    tab.wait_for_selector("[data-compare][data-ready]")
    metrics = tab.get_by_role("region", name="Metrics")
    expect(metrics).to_contain_text("answer different questions and are not ranked together")
    expect(metrics).to_contain_text("nobody knows on which dataset version")
    params = tab.get_by_role("region", name="What differs")
    expect(params).to_contain_text("noise")
    expect(params).not_to_contain_text("epochs")
    figures = tab.locator(".lg-live")
    expect(figures).to_have_count(2)  # each run was measured on other data
    lines = tab.locator(".lg-legend .lg-line")
    assert len(set(lines.evaluate_all("all => all.map(line => line.getAttribute('class'))"))) == 2
    tab.get_by_label(f"Remove {first}").click()
    expect(tab).to_have_url(re.compile(f"runs={second}$"))


def test_curves_answer_the_pointer_and_scale_by_logarithm(
    tab: Page, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    tab.goto(address + addresses.run_page(ledger[0].runs[0].record.id))
    chart = tab.get_by_role("img", name=re.compile("^accuracy over step"))
    expect(chart).to_be_visible()
    expect(tab.locator(".lg-panels svg.lg-chart").first).to_be_hidden()
    chart.hover()
    expect(chart).to_contain_text(re.compile(r"step \d+"))
    expect(tab.locator(".lg-legend output")).to_have_text([re.compile(r"0\.\d+")] * 5)  # the charts go together
    tab.mouse.move(0, 0)
    expect(tab.locator(".lg-legend output")).to_have_text([""] * 5)
    tab.get_by_label("logarithmic scale").check()
    expect(tab.get_by_role("img", name=re.compile(r"^accuracy \(log\) over step"))).to_be_visible()
    tab.get_by_label("Horizontal axis").select_option("seconds")
    expect(tab.get_by_role("img", name=re.compile(r"^accuracy \(log\) over seconds"))).to_be_visible()


def pixels(chart: Locator) -> list[int]:
    """How many pixels of a chart have each of its colours: those of its lines, in the order of the legend."""
    found: list[int] = chart.evaluate("""chart => {
      const canvas = chart.querySelector("canvas");
      const { width, height } = canvas;
      const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, width, height);
      const keys = [...chart.closest(".lg-figure").querySelectorAll(".lg-legend path")];
      return keys.map(key => {
        const [r, g, b] = getComputedStyle(key).stroke.match(/\\d+/g).map(Number);
        let count = 0;
        for (let at = 0; at < data.length; at += 4)
          count += data[at] === r && data[at + 1] === g && data[at + 2] === b && data[at + 3] === 255;
        return count;
      });
    }""")
    return found


def test_a_link_to_a_folded_box_opens_it(tab: Page, address: str, ledger: tuple[Contents, Blobs]) -> None:
    tab.goto(address + addresses.run_page(ledger[0].runs[0].record.id))
    commit = tab.locator("details:has(#code)").get_by_text("commit", exact=True)
    expect(commit).to_be_hidden()
    expect(tab.locator("details:has(#code) summary")).to_contain_text("commit ")
    tab.get_by_role("navigation", name="The ten boxes").get_by_role("link", name="Code").click()
    expect(commit).to_be_visible()


def test_lines_have_the_colours_of_their_legend_in_both_themes(
    tab: Page, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    tab.goto(address + addresses.run_page(ledger[0].runs[0].record.id))
    chart = tab.get_by_role("img", name=re.compile("^accuracy over step"))
    for theme in ("dark", "light"):
        tab.get_by_title(f"Switch to {theme}").click()
        tab.wait_for_timeout(200)
        train, validation = pixels(chart)
        assert train > 40, theme
        assert validation > 40, theme


def test_dragging_zooms_all_charts_of_a_run_and_a_double_click_shows_everything_again(
    tab: Page, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    tab.goto(address + addresses.run_page(ledger[0].runs[0].record.id))
    loss = tab.get_by_role("img", name=re.compile("^loss over step"))
    whole = pixels(loss)
    chart = tab.get_by_role("img", name=re.compile("^accuracy over step")).locator(".u-over")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + 10, box["y"] + 40)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 60, box["y"] + 40, steps=5)
    tab.mouse.up()
    tab.wait_for_timeout(200)
    near = pixels(loss)
    assert near != whole
    chart.dblclick()
    tab.wait_for_timeout(200)
    tab.mouse.move(0, 0)
    tab.wait_for_timeout(200)
    assert pixels(loss) == whole


def test_paper_gets_the_static_pictures_unless_the_reader_changed_what_is_shown(
    tab: Page, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    tab.goto(address + addresses.run_page(ledger[0].runs[0].record.id))
    drawn, live = tab.locator(".lg-panels svg.lg-chart").first, tab.locator(".lg-live").first
    expect(live).to_be_visible()
    tab.emulate_media(media="print")
    expect(drawn).to_be_visible()
    expect(live).to_be_hidden()
    tab.emulate_media(media="screen")
    tab.get_by_label("logarithmic scale").check()
    tab.emulate_media(media="print")
    expect(drawn).to_be_hidden()
    expect(live).to_be_visible()


@pytest.mark.parametrize("page", ["run", "board", "dataset"])
def test_paper_has_room_for_every_table_and_shows_what_is_folded(
    page: str, tab: Page, address: str, ledger: tuple[Contents, Blobs], folder: Path
) -> None:
    board = min(path.name for path in (folder / "leaderboards").glob("*-*.html"))
    tab.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dots an inch
    tab.goto(
        address
        + {
            "run": addresses.run_page(ledger[0].runs[0].record.id),
            "board": f"leaderboards/{board}",
            "dataset": addresses.dataset_page("digits-validation"),
        }[page]
    )
    tab.emulate_media(media="print")
    wide = "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.ariaLabel)"
    assert tab.locator(".lg-scroll:has(> table)").evaluate_all(wide) == []
    for folded in tab.locator("details:not([open], .lg-menu) > :not(summary, .lg-anchor)").all():
        expect(folded).to_be_visible()


def test_where_the_library_of_charts_does_not_come_the_static_ones_stay(
    chromium: Browser, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    with chromium.new_context() as context:
        tab = context.new_page()
        tab.route("**/uPlot*", lambda route: route.abort())
        with tab.expect_event("requestfailed"):
            tab.goto(address + addresses.run_page(ledger[0].runs[0].record.id))
        assert tab.locator(".lg-panels svg.lg-chart").first.is_visible()
        assert tab.locator(".lg-tools").count() == 0


def test_what_the_library_cannot_draw_stays_as_it_was_drawn_until_the_reader_changes_the_chart(
    tab: Page, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    tab.goto(address + addresses.run_page(ledger[0].runs[0].record.id))
    expect(tab.locator(".lg-live").first).to_be_visible()
    draw = """() => {
      const place = document.querySelector(".lg-plot");
      place.querySelector(".lg-live")?.remove();
      const line = { name: "loss", xs: [1, 2], ys: [1, 1e38] };
      const view = { axis: "step", title: "loss", logarithmic: false, keys: [], together: "", show: () => {} };
      window.ledgerPlot.plot(place, [line], view);
    }"""
    tab.evaluate(draw)
    drawn, sentence = tab.locator(".lg-plot svg.lg-chart").first, tab.locator(".lg-plot .lg-none")
    expect(drawn).to_be_visible()
    expect(sentence).to_have_count(0)
    tab.evaluate("() => { document.querySelector('[data-curves]').dataset.changed = 'true'; }")
    tab.evaluate(draw)
    expect(sentence).to_have_text("Values beyond 1e+30 are not drawn.")
    expect(drawn).to_be_hidden()


def test_a_page_without_curves_loads_no_library_of_charts(tab: Page, address: str) -> None:
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(address + addresses.RUNS)
    tab.wait_for_selector("[data-runs-table][data-ready]")
    assert [url for url in asked if "vendor" in url] == []


def test_dark_is_kept_from_page_to_page(tab: Page, address: str) -> None:
    tab.emulate_media(color_scheme="light")
    tab.goto(address + "index.html")
    assert tab.locator("body").get_attribute("data-md-color-scheme") == "default"
    tab.get_by_title("Switch to dark").click()
    expect(tab.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    tab.goto(address + addresses.RUNS)
    expect(tab.locator("body")).to_have_attribute("data-md-color-scheme", "slate")


def test_the_system_decides_until_somebody_chooses(tab: Page, address: str) -> None:
    tab.emulate_media(color_scheme="dark")
    tab.goto(address + "index.html")
    expect(tab.locator("body")).to_have_attribute("data-md-color-scheme", "slate")


def test_text_can_be_read_in_both_themes(tab: Page, address: str, ledger: tuple[Contents, Blobs], folder: Path) -> None:
    measure = Path(__file__).with_name("contrast.js").read_text()
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for path in page_kinds(ledger, folder):
            tab.goto(address + path)
            tab.wait_for_load_state("networkidle")
            assert tab.evaluate(measure) == [], f"{path} in {scheme}"


def test_no_page_is_wider_than_a_phone(tab: Page, address: str, ledger: tuple[Contents, Blobs], folder: Path) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    for path in page_kinds(ledger, folder):
        tab.goto("about:blank")
        tab.goto(address + path)
        tab.wait_for_load_state("networkidle")
        wider = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, path


def test_a_phone_has_a_menu_and_a_search(tab: Page, address: str) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(address + addresses.RUNS)
    tab.locator("label.md-header__button[for=__drawer]").click()
    drawer = tab.locator(".md-sidebar--primary")
    drawer.get_by_role("link", name="Datasets").click()
    expect(tab).to_have_url(address + addresses.DATASETS)
    tab.locator("label.md-header__button[for=__search]").click()
    tab.keyboard.type("optimizer.lr=0.01")
    expect(tab.locator(".lg-hit .lg-run-name")).to_have_count(3)


def test_every_page_has_one_heading_and_named_controls(
    tab: Page, address: str, ledger: tuple[Contents, Blobs], folder: Path
) -> None:
    for path in page_kinds(ledger, folder):
        tab.goto("about:blank")
        tab.goto(address + path)
        tab.wait_for_load_state("networkidle")
        assert tab.locator("h1").count() == 1, path
        nameless = tab.evaluate(
            """[...document.querySelectorAll('.md-content :is(a, button, input, select)')]
            .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.title || e.labels?.length))
            .map(e => e.outerHTML)"""
        )
        assert nameless == [], path


def test_the_keyboard_is_enough(tab: Page, address: str) -> None:
    tab.goto(address + "index.html")
    tab.keyboard.press("Tab")
    expect(tab.locator(":focus")).to_have_text("Skip to content")
    tab.keyboard.press("s")
    expect(tab.locator("#ledger-search")).to_be_focused()
    tab.keyboard.type("cnn-width")
    expect(tab.locator(".lg-hit").first).to_be_visible()
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".lg-hit").first).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab).to_have_url(re.compile("/experiments/cnn-width"))
    ready(tab, address)
    tab.get_by_role("button", name="Duration").focus()
    tab.keyboard.press("Enter")
    expect(tab.locator("th[aria-sort=descending]")).to_contain_text("Duration")
    expect(tab.get_by_role("button", name="Duration")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.locator("th[aria-sort=ascending]")).to_contain_text("Duration")


def test_pages_work_from_the_folder(tab: Page, folder: Path, ledger: tuple[Contents, Blobs]) -> None:
    home = (folder / "index.html").as_uri()
    tab.goto(home)
    tab.get_by_role("link", name="Runs", exact=True).first.click()
    tab.wait_for_selector("[data-runs-table][data-ready]")
    assert len(shown_ids(tab)) == len(ledger[0].runs)
    tab.keyboard.press("/")
    tab.keyboard.type("dropout=0.3")
    tab.locator(".lg-hit").first.click()
    tab.wait_for_selector(".lg-tools")
    expect(tab.locator("h1")).to_contain_text("2026")


def test_without_scripts_everything_can_be_read(
    chromium: Browser, address: str, ledger: tuple[Contents, Blobs]
) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        tab = context.new_page()
        tab.goto(address + addresses.RUNS)
        assert tab.locator("tbody .lg-id").count() == len(ledger[0].runs)
        tab.locator("tbody .lg-id").nth(3).click()
        assert tab.locator("svg.lg-chart").count() == 3
        assert tab.locator(".lg-noscript").count() == 0


def test_a_hostile_record_runs_nothing(
    chromium: Browser, address: str, ledger: tuple[Contents, Blobs], folder: Path
) -> None:
    troubles: list[str] = []
    with chromium.new_context() as context:
        watch(context, troubles)
        tab = context.new_page()
        tab.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        hostile = ledger[0].runs[-1]
        for path in (
            addresses.run_page(hostile.record.id),
            addresses.experiment_page(hostile.record.experiment),
            f"{addresses.COMPARE}#runs={hostile.record.id}",
        ):
            tab.goto(address + path)
            tab.wait_for_load_state("networkidle")
        ready(tab, address, "#q=alert")
        assert shown_ids(tab) == [hostile.record.id]
        tab.keyboard.press("/")
        tab.keyboard.type("script")
        expect(tab.locator(".lg-hit").first).to_be_visible()
    assert troubles == []
    assert folder.exists()
