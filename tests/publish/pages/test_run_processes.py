"""Ranks, hosts and attempts of a run: what its page and `ledger show` say of them, and that nothing of it is markup."""

import re
from datetime import timedelta

import msgspec
import pytest

from ledger.commands.reading.box_lines import hardware_lines
from ledger.commands.reading.show import _heading
from ledger.model.boxes.machine import Gpu, Node, RankLife, Usage
from ledger.model.entries import StoredRun
from ledger.model.record import Attempt
from ledger.model.values import Status
from ledger.publish.pages.page import Page
from ledger.publish.pages.run_page import render_run
from ledger.publish.site.site_data import survey
from tests.sample_runs import HOSTILE
from tests.samples import sample_ledger, sample_reader


def with_job(run: StoredRun, host: str, count: int = 2) -> StoredRun:
    record = run.record
    began, ended = record.timing.started_at, record.timing.ended_at
    lives = [
        RankLife(rank=number, host=host, started_at=began, last_seen_at=ended, status="finished")
        for number in range(count)
    ]
    lives[0] = msgspec.structs.replace(lives[0], usage=Usage(samples=1, interval_seconds=2.0, data_wait_seconds=3.0))
    lives[1] = msgspec.structs.replace(lives[1], status="lost", reason=f"gone {host}")
    lives.append(RankLife(rank=count, host="b", started_at=began, last_seen_at=ended))
    nodes = [
        Node(host=host, ranks=[0, 1], cpu="EPYC", cores=64, gpus=[Gpu(name="H100", utilisation_mean=0.5)]),
        Node(host="b", ranks=[2], unknown={"all": "no process of this host looked at its machine"}),
    ]
    unknown = {"ranks": "nothing is known of 1 rank: 3"}
    hardware = msgspec.structs.replace(
        record.hardware, processes=4, rank=0, nodes=nodes, ranks=lives, unknown={**record.hardware.unknown, **unknown}
    )
    ends: tuple[Status, Status] = ("failed", "finished")
    attempts = [
        Attempt(
            run=record.id,
            host=host,
            started_at=began + timedelta(hours=number),
            ended_at=began + timedelta(hours=number, minutes=5),
            duration_seconds=300.0,
            status=status,
            reason=f"out of memory {host}" if status == "failed" else None,
            last_step=17 if status == "failed" else None,
        )
        for number, status in enumerate(ends)
    ]
    timing = msgspec.structs.replace(record.timing, attempts=attempts)
    return msgspec.structs.replace(run, record=msgspec.structs.replace(record, hardware=hardware, timing=timing))


def page_of(host: str, count: int = 2) -> tuple[Page, StoredRun]:
    contents, blobs = sample_ledger()
    run = with_job(contents.runs[0], host, count)
    contents = msgspec.structs.replace(contents, runs=(run, *contents.runs[1:]))
    return render_run(run, survey(contents, [], None), sample_reader(blobs))[0], run


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_a_page_names_each_rank_and_host_and_what_is_not_known_of_them() -> None:
    page, _ = page_of("node-a")
    text = text_of(page.content)
    assert "nothing is known of 1 rank: 3" in text
    assert "1 node-a lost: gone node-a" in text
    assert "2 b still running when the record was made" in text
    assert "node-a 0, 1 EPYC 64 unknown H100 (50 %)" in text
    assert "b 2 unknown: no process of this host looked at its machine" in text
    assert "3.0 s" in text


def test_a_page_lists_the_attempts_and_its_contents_lead_there() -> None:
    page, _ = page_of("node-a")
    assert ("attempts", "Attempts") in page.contents
    text = text_of(page.content)
    assert re.search(r"1 (\S+ )?failed out of memory node-a .* 5 min 0 s 17 node-a", text)
    assert re.search(r"2 (\S+ )?finished .* 5 min 0 s unknown node-a", text)


def test_names_of_hosts_and_reasons_are_no_markup() -> None:
    page, _ = page_of(HOSTILE)
    assert "<script>" not in page.content
    assert page.content.count("<img") == page_of("node-a")[0].content.count("<img")


def test_a_job_of_very_many_ranks_has_a_bounded_page() -> None:
    page, _ = page_of("node-a", 5_000)
    assert "4937 more stand in the record" in text_of(page.content).replace(",", "")
    assert len(page.content) < 2 * len(page_of("node-a")[0].content) + 100_000


@pytest.mark.parametrize("said", ["node-a: lost: gone node-a", "b: still running when the record was made"])
def test_show_names_ranks_that_did_not_end_well(said: str) -> None:
    _, run = page_of("node-a")
    lines = dict(hardware_lines(run.record))
    assert said in {lines["rank 1"], lines["rank 2"]}
    assert lines["ranks"] == "nothing is known of 1 rank: 3"
    assert lines["on node-a"].startswith("ranks 0, 1: EPYC, 64 cores, H100")


def test_show_lists_the_attempts() -> None:
    _, run = page_of("node-a")
    lines = dict(_heading(run))
    assert lines["attempt 1"].endswith("on node-a, 5 min 0 s, to step 17: failed (out of memory node-a)")
    assert lines["attempt 2"].endswith("on node-a, 5 min 0 s: finished")
