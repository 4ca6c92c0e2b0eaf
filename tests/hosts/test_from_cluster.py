"""Days of hosts from what clusters keep: accounting of SLURM and dumps of Prometheus, whole, cut and foreign."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ledger.errors import InvalidDocument
from ledger.formats.prometheus_dump import read_prometheus
from ledger.hosts.day_log import DayLog, gpus_of, holders_of
from ledger.hosts.from_cluster import ClusterDays, from_prometheus, from_sacct
from ledger.model.hosts import hours_of

HEAD = "JobID|User|NodeList|Start|End|AllocTRES|TRESUsageInAve|State\n"


def rows(*lines: str) -> Iterable[str]:
    return [HEAD, *(f"{line}\n" for line in lines)]


def allocated(
    job: str, nodes: str, start: str, end: str, gpus: str = "gres/gpu:h100=2,gres/gpu=2", user: str = "ada"
) -> str:
    ended = end if end == "Unknown" else f"2026-11-20T{end}"
    return f"{job}|{user}|{nodes}|2026-11-20T{start}|{ended}|cpu=8,{gpus},mem=1G||COMPLETED"


def used(job: str, percent: str) -> str:
    use = f"cpu=00:01:00,gres/gpumem=1G,gres/gpuutil={percent}"
    return f"{job}.0||gpu01|2026-11-20T00:00:00|2026-11-20T01:00:00|cpu=8|{use}|COMPLETED"


def read(*lines: str) -> ClusterDays:
    return from_sacct(rows(*lines), "sacct.csv", UTC)


def by_host(found: ClusterDays) -> dict[str, DayLog]:
    return {f"{log.host} {log.day}": log for log in found.logs}


def hours(log: DayLog, use: str) -> list[list[int]]:
    return [hours_of(getattr(gpu, use)) for gpu in gpus_of(log)]


def test_what_a_job_had_is_busy_or_idle_by_its_accounted_use() -> None:
    found = read(
        allocated("7", "gpu[01-02]", "10:00:00", "11:30:00", "gres/gpu:h100=4,gres/gpu=4"),
        used("7", "88"),
        allocated("8", "gpu01", "11:00:00", "12:00:00", "gres/gpu=1", user="grace"),
        used("8", "3"),
        allocated("9", "gpu01", "13:00:00", "13:10:00", "gres/gpu=1"),
        "10|linus|cpu01|2026-11-20T00:00:00|2026-11-20T09:00:00|cpu=64|cpu=1|COMPLETED",
    )
    log = by_host(found)["gpu01 2026-11-20"]
    assert log.cards.keys() == {"h100 0", "h100 1", "GPU 0"}
    assert [of[10:14] for of in hours(log, "busy")] == [[60, 30, 0, 0], [60, 30, 0, 0], [0, 0, 0, 0]]
    assert sum(sum(of) for of in hours(log, "held")) == 60
    assert sum(sum(of) for of in hours(log, "unclear")) == 10
    assert {(one.user, one.job) for one in holders_of(log)} == {
        ("ada", "slurm 7"), ("grace", "slurm 8"), ("ada", "slurm 9"),
    }  # fmt: skip
    assert by_host(found)["gpu02 2026-11-20"].cards["h100 0"].name == "h100"
    assert "names no cards" in found.unknown["gpus"]


def test_gpus_are_counted_as_accounted_whatever_the_nodes_share() -> None:
    found = read(
        allocated("1", "g[1-2]", "10:00:00", "11:00:00", "gres/gpu=3"),
        allocated("2", "h[1-4]", "10:00:00", "11:00:00", "gres/gpu=1"),
    )
    total = {log.host: sum(sum(of) for of in hours(log, "unclear")) for log in found.logs}
    assert total == {"g1": 120, "g2": 60, "h1": 60}
    assert "first ones" in found.unknown["hosts"]


def test_kinds_of_gpus_stay_apart_and_those_not_held_are_free() -> None:
    found = read(
        allocated("1", "g1", "08:00:00", "09:00:00", "gres/gpu:h100=2,gres/gpu=2"),
        allocated("2", "g1", "10:00:00", "11:00:00", "gres/gpu:t4=1,gres/gpu:h100=1,gres/gpu=2"),
    )
    (log,) = found.logs
    assert {card.name for card in log.cards.values()} == {"h100", "t4"}
    assert len(log.cards) == 3
    assert sum(sum(card.missing) for card in log.cards.values()) == 0
    by_kind = {one.gpu: one.unclear_minutes for one in holders_of(log) if one.job == "slurm 2"}
    assert by_kind == {"h100": 60, "t4": 60}


def test_times_at_the_ends_of_the_calendar_are_named_and_left_out() -> None:
    found = read("7|ada|gpu01|0001-01-01T00:00:00|9999-12-31T00:00:00|gres/gpu=1||COMPLETED")
    assert (found.left_out, found.logs) == (1, [])


def test_a_job_that_still_runs_lasts_until_the_file_was_written() -> None:
    found = read(allocated("7", "gpu01", "10:00:00", "Unknown"), allocated("8", "gpu02", "10:00:00", "12:00:00"))
    assert [of[10:13] for of in hours(by_host(found)["gpu01 2026-11-20"], "unclear")] == [[60, 60, 0]] * 2


def test_a_job_of_several_days_is_on_each_of_them() -> None:
    line = "7|ada|gpu01|2026-11-20T23:00:00|2026-11-22T01:00:00|gres/gpu=1||COMPLETED"
    found = read(line)
    assert [log.day for log in found.logs] == ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert [sum(log.watched) for log in found.logs] == [60, 24 * 60, 60]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("7|ada|gpu01|2026-11-20T10", "8 columns|columns where"),
        ("7|ada|gpu01|20 Nov 10:00|20 Nov 11:00|gres/gpu=1||COMPLETED", "SLURM_TIME_FORMAT"),
        ("7|ada|gpu01|2026-11-20T11:00:00|2026-11-20T10:00:00|gres/gpu=1||COMPLETED", "ended before"),
    ],
)
def test_a_line_that_says_nothing_is_named_and_the_others_count(line: str, why: str) -> None:
    found = read(allocated("6", "gpu01", "10:00:00", "11:00:00"), line)
    assert found.left_out == 1
    assert found.unreadable[0].startswith("line 3: ")
    assert any(part in found.unreadable[0] for part in why.split("|"))
    assert len(found.logs) == 1


def test_a_file_that_is_cut_in_the_middle_gives_what_is_whole() -> None:
    whole = "".join(
        rows(allocated("6", "gpu01", "10:00:00", "11:00:00"), allocated("7", "gpu01", "11:00:00", "12:00:00"))
    )
    found = from_sacct(whole[:-1].splitlines(keepends=True), "sacct.csv", UTC)
    assert (len(found.logs), found.left_out) == (1, 1)
    assert sum(found.logs[0].watched) == 60


def test_numbers_with_a_comma_and_times_with_a_zone_are_read() -> None:
    found = from_sacct(
        rows("7|ada|gpu01|2026-11-20T10:00:00+01:00|2026-11-20T11:00:00+01:00|gres/gpu=1||X", used("7", "2,5")),
        "s",
        UTC,
    )
    assert hours(found.logs[0], "held")[0][9] == 60


@pytest.mark.parametrize("head", ["", "a|b\n", "JobID,User,NodeList\n", "JobID|User|NodeList|Start|End\n"])
def test_a_file_of_something_else_is_refused_with_the_command(head: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        from_sacct([head], "sacct.csv")
    assert "sacct.csv" in str(caught.value)
    assert "sacct -a -P" in (caught.value.hint or "")


START = datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp()


def dump(*series: tuple[dict[str, str], list[object]]) -> bytes:
    result = [
        {"metric": metric, "values": [[START + 60 * minute, value] for minute, value in enumerate(values)]}
        for metric, values in series
    ]
    return matrix(result)


def matrix(result: Sequence[object]) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()


CARD = {"Hostname": "gpu01", "UUID": "GPU-1", "modelName": "NVIDIA A100"}


def test_a_dump_of_prometheus_gives_minutes_of_cards() -> None:
    data = dump(
        ({"__name__": "DCGM_FI_DEV_GPU_UTIL", **CARD}, ["90", "90", "0", "0", "0", "0"]),
        ({"__name__": "DCGM_FI_PROF_SM_ACTIVE", **CARD}, ["0.5", "0.01", "0", "0", "NaN", "0"]),
        ({"__name__": "DCGM_FI_DEV_FB_USED", **CARD}, ["9000", "9000", "9000", "3", "3", "3"]),
        ({"__name__": "up"}, ["1"]),
    )
    (log,) = from_prometheus(read_prometheus(data, "dump.json")).logs
    (gpu,) = gpus_of(log)
    assert (gpu.name, gpu.uuid) == ("NVIDIA A100", "GPU-1")
    assert [hours_of(text)[10] for text in (gpu.busy, gpu.held, gpu.missing, gpu.unclear)] == [1, 2, 0, 0]
    assert log.watched[10] == 6


def test_cards_of_a_dump_are_told_apart() -> None:
    util = {"__name__": "DCGM_FI_DEV_GPU_UTIL"}
    data = dump(
        ({**util, **CARD, "GPU_I_ID": "1", "exported_pod": "idle"}, ["0", "0"]),
        ({**util, **CARD, "GPU_I_ID": "2", "exported_pod": "busy"}, ["90", "90"]),
        ({**util, "instance": "[fe80::1]:9400", "UUID": "GPU-2"}, ["0", "0"]),
        ({**util, "instance": "[fe80::2]:9400", "UUID": "GPU-2"}, ["0", "0"]),
        ({**util, "instance": "gpu07:9400", "UUID": "GPU-7", "pod": "dcgm-exporter-x7k2p"}, ["0", "0"]),
    )
    logs = {log.host: log for log in from_prometheus(read_prometheus(data, "dump.json")).logs}
    assert logs.keys() == {"gpu01", "fe80::1", "fe80::2", "gpu07"}
    assert {(one.job, one.busy_minutes, one.held_minutes) for one in holders_of(logs["gpu01"])} == {
        ("idle", 0, 2), ("busy", 2, 0),
    }  # fmt: skip
    assert holders_of(logs["gpu07"]) == []  # the pod is the exporter's own


def test_a_time_outside_of_the_calendar_is_none() -> None:
    metric: dict[str, object] = {"__name__": "DCGM_FI_DEV_GPU_UTIL", **CARD}
    data = matrix([{"metric": metric, "values": [[-99999999999, "90"], [START, "90"]]}])
    (log,) = from_prometheus(read_prometheus(data, "dump.json")).logs
    assert sum(log.watched) == 1


def test_jobs_of_a_dump_hold_cards_without_memory() -> None:
    data = dump(({"__name__": "DCGM_FI_DEV_GPU_UTIL", **CARD, "hpc_job": "77", "user": "ada"}, ["0", "0"]))
    (log,) = from_prometheus(read_prometheus(data, "dump.json")).logs
    assert [(one.user, one.job, one.held_minutes) for one in holders_of(log)] == [("ada", "77", 2)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "not the answer"),
        (b'{"status": "error", "data": {"resultType": "matrix", "result": []}}', "`error`"),
        (b'{"status": "success", "data": {"resultType": "vector", "result": []}}', "matrix"),
        (
            b'{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {"__name__": "up"}}]}}',
            "no metric",
        ),
    ],
)
def test_another_answer_is_refused_with_the_query(data: bytes, why: str) -> None:
    with pytest.raises(InvalidDocument, match=why) as caught:
        read_prometheus(data, "dump.json")
    assert caught.value.hint


def test_a_gap_in_a_dump_is_no_time_that_was_watched() -> None:
    points = [[START, "90"], [START + 3600, "90"]]
    metric: dict[str, str] = {"__name__": "DCGM_FI_DEV_GPU_UTIL", **CARD}
    data = matrix([{"metric": metric, "values": points}])
    (log,) = from_prometheus(read_prometheus(data, "dump.json")).logs
    assert (log.watched[10], log.watched[11]) == (5, 1)
    assert log.last - log.first == timedelta(hours=1)
