"""What the sliders of an experiment limit."""

from tests.publish.pages.test_page_limits import experiment, one_run


def test_params_that_are_numbers_and_the_headline_are_limited_and_what_a_run_lacks_stays_empty() -> None:
    runs = [
        one_run(at, 0.8 + 0.01 * at, params={"lr": 0.1 * at, "name": "x" * at, "seed": at, "const": 1})
        for at in (1, 2, 3)
    ]
    runs.append(one_run(4, 0.5, params={"name": "y", "seed": 4}, status="failed"))
    page = experiment(runs)
    (rows,) = page.attributes("div", "data-lg-rows")
    assert sorted(rows.split(";")) == [",", "0.1,0.81", "0.2,0.82", "0.3,0.83"]
    ranges = page.text.partition("What was varied")[2]
    assert "lr validation/accuracy Params and validation/accuracy" in ranges
    numbers = [int(number or "") for number in page.attributes("tr", "data-lg-run")]
    assert sorted(numbers) == [0, 1, 2, 3]


def test_at_most_four_params_are_limited_those_that_matter_most() -> None:
    runs = [
        one_run(at, 0.5 + 0.1 * (at % 4), params={f"p{number}": at % (2 + number % 3) for number in range(9)})
        for at in range(12)
    ]
    (rows,) = experiment(runs).attributes("div", "data-lg-rows")
    assert all(row.count(",") == 4 for row in rows.split(";"))


def test_where_nothing_differs_or_runs_are_few_nothing_is_limited() -> None:
    assert not experiment([one_run(at, 0.9, params={"lr": 0.1, "seed": at}) for at in range(5)]).attributes(
        "div", "data-lg-rows"
    )
    assert not experiment([one_run(at, 0.9 + 0.01 * at) for at in range(2)]).attributes("div", "data-lg-rows")
