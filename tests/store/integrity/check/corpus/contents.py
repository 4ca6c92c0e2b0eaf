"""References to what is not there, files that are not what they say, what is hard to believe."""

import json
from datetime import UTC, datetime, timedelta

from tests.store.integrity.check.corpus.register import Make, each, edit, hostile, record_of, with_figure
from tests.store.integrity.check.forge import Forge, named


@hostile("reference", "its run is not on the ledger")
def an_evaluation_of_a_run_that_does_not_exist(forge: Forge) -> str:
    return forge.put(forge.evaluation(lambda one: one.update(run=forge.new_id())))


@hostile("reference", "its run is not on the ledger")
def a_note_on_a_run_that_does_not_exist(forge: Forge) -> str:
    return forge.put(forge.note(lambda one: one.update(run="20200101-000000-aaaaaa")))


@hostile("reference", "its run is not on the ledger")
def an_evaluation_of_a_hostile_id(forge: Forge) -> str:
    return forge.put(forge.evaluation(lambda one: one.update(run="--output=canary\n\x1b[2J")))


@hostile("reference", "its dataset version is not on the ledger")
def a_retirement_of_a_version_that_does_not_exist(forge: Forge) -> str:
    return forge.put(forge.note(lambda one: one.update(run="", dataset="digits@v9", kind="retirement")))


@hostile("reference", "no such run", weight="warning")
def a_baseline_that_does_not_exist(forge: Forge) -> str:
    return forge.put(forge.run(lambda record: record.update(baseline="20200101-000000-aaaaaa")))


@hostile("content", "its content is not what the record says")
def an_environment_that_is_not_the_one_of_the_record(forge: Forge) -> str:
    run = forge.run()
    return forge.put(
        {path: data.replace(b"python", b"jython") if "environment" in path else data for path, data in run.items()}
    )


@hostile("content", "the record names this file, but it is missing")
def a_figure_that_is_not_there(forge: Forge) -> str:
    figure = {**named(b"x", "figures/a.png"), "title": "a"}
    return forge.put(forge.run(lambda record: record["results"].update(figures=[figure])))


@hostile("content", "the record does not name this file")
def a_figure_that_the_record_does_not_name(forge: Forge) -> str:
    return forge.put(forge.run(figures__a_dot_png=b"\x89PNG\r\n\x1a\n"))


@hostile("content", "the record names this file, but it is missing")
def a_figure_out_of_the_folder(forge: Forge) -> str:
    figure = {**named(b"x", "../../../../../../etc/passwd"), "title": "a"}
    return forge.put(forge.run(lambda record: record["results"].update(figures=[figure])))


@hostile("content", "is not a PNG")
def a_program_called_a_picture(forge: Forge) -> str:
    return with_figure(forge, b"MZ\x90\0", "figures/a.png")


def _svg(inside: bytes) -> Make:
    data = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">' + inside + b"</svg>"
    return lambda forge: with_figure(forge, data, "figures/a.svg")


each(
    "content",
    "active content",
    {
        "an SVG with a script": _svg(b"<script>fetch('//evil')</script>"),
        "an SVG with a script of another name": _svg(b'<x:script xmlns:x="http://www.w3.org/2000/svg">1</x:script>'),
        "an SVG with an event": _svg(b"<rect onload='alert(1)'/>"),
        "an SVG with a page in it": _svg(b"<foreignObject><iframe src='//evil'/></foreignObject>"),
        "an SVG with a link that runs": _svg(b'<a xlink:href="javascript:alert(1)">x</a>'),
        "an SVG that changes its link": _svg(b'<a><animate attributeName="href" values="javascript:x"/></a>'),
    },
)


@hostile("content", "active content")
def an_svg_with_a_bomb_of_entities(forge: Forge) -> str:
    return with_figure(forge, b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>', "figures/a.svg")


@hostile("content", "not UTF-8")
def an_svg_in_utf_16_that_hides_a_script(forge: Forge) -> str:
    data = '<?xml version="1.0" encoding="UTF-16"?><svg><script>fetch(1)</script></svg>'.encode("utf-16")
    return with_figure(forge, data, "figures/a.svg")


@hostile("plausible", "it ended before it started")
def a_run_that_ended_before_it_started(forge: Forge) -> str:
    return forge.put(forge.run(lambda record: record["timing"].update(ended_at="2020-01-01T00:00:00Z")))


@hostile("plausible", "it ended before it started")
def a_negative_duration(forge: Forge) -> str:
    return forge.put(forge.run(lambda record: record["timing"].update(duration_seconds=-1.0)))


@hostile("plausible", "recorded more than a day after")
def a_record_from_the_future(forge: Forge) -> str:
    return forge.put(forge.run(lambda record: record["timing"].update(recorded_at="2999-01-01T00:00:00Z")))


each(
    "plausible",
    "",
    {
        "an accuracy of 93": edit(lambda record: record["results"]["metrics"][0].update(value=93.0)),
        "a headline that is NaN": edit(lambda record: record["results"]["metrics"][0].update(value="NaN")),
        "a run that started long before its id": edit(
            lambda record: record["timing"].update(
                started_at="2001-01-01T00:00:00Z", ended_at="2001-01-01T00:00:00Z", recorded_at="2001-01-01T00:00:00Z"
            )
        ),
    },
    weight="warning",
)


@hostile("plausible", "from the future", weight="warning")
def an_id_from_the_future(forge: Forge) -> str:
    later = datetime.fromtimestamp(forge.now, UTC) + timedelta(days=400)
    return forge.put(forge.run(lambda record: record.update(id=forge.new_id(later))))


@hostile("plausible", "holds no valid time", weight="warning")
def an_id_of_a_day_that_was_not(forge: Forge) -> str:
    return forge.put(forge.run(lambda record: record.update(id="20261399-998899-aaaaaa")))


@hostile("plausible", "equal those of another run", weight="warning")
def a_run_that_stands_already_under_another_id(forge: Forge) -> str:
    old = json.loads(forge.content(record_of(forge)))
    return forge.put(
        forge.run(lambda record: record.update({**old, "id": record["id"], "code": {**old["code"], "patch": None}}))
    )
