"""`ledger judge`: its three answers, its exit codes, and every question that cannot be asked."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.model.boxes.outputs import GroupId
from ledger.model.document import dump
from ledger.model.entries import StoredRun
from ledger.model.paths import RECORD_FILE
from ledger.model.values import Direction, ParamValue, number
from ledger.recorder.message import record_message
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.index.peers import MOST_REPEATS_READ, read_peers
from tests.conftest import ROOT, Cli
from tests.samples import START, sample_run

GOOD, EQUAL, BASE = (
    (0.951, 0.948, 0.953, 0.949, 0.952, 0.950),
    (0.902, 0.899, 0.901, 0.898, 0.903, 0.897),
    (0.901, 0.898, 0.903, 0.899, 0.902, 0.900),
)
KEY = "validation/accuracy"


class Study:
    """Appends runs whose values are chosen."""

    def __init__(self, ledger: Branch) -> None:
        self.ledger = ledger
        self.made = 0

    def add(
        self,
        values: Sequence[float],
        *,
        first_seed: int | None = 0,
        direction: Direction | None = "higher",
        dataset: str | None = "v1",
        **params: ParamValue,
    ) -> list[str]:
        """Append one run per value, and return their ids."""
        return [
            self.append(value, None if first_seed is None else first_seed + at, direction, dataset, params)
            for at, value in enumerate(values)
        ]

    def append(
        self,
        value: float,
        seed: int | None,
        direction: Direction | None,
        dataset: str | None,
        params: dict[str, ParamValue],
    ) -> str:
        self.made += 1
        chosen = params if seed is None else {**params, "seed": seed}
        started = START + timedelta(minutes=self.made)
        run = sample_run({}, self.made, experiment="study", params=chosen, accuracy=0.5, started=started)
        (metric, *_) = run.record.results.metrics
        content = None if dataset is None else f"blake3:{dataset * 32}"
        label = None if dataset is None else f"digits@{dataset}"
        changes: dict[str, Any] = {"value": number(value), "direction": direction}  # fields by name
        metric = msgspec.structs.replace(metric, dataset=label, dataset_hash=content, **changes)
        results = msgspec.structs.replace(run.record.results, metrics=[metric], headline=metric.key)
        record = msgspec.structs.replace(run.record, results=results)
        self.ledger.append(
            Entry(
                id=record.id,
                files={f"{run.path}/{RECORD_FILE}": dump(record)},
                message=record_message(record, run.path),
                author=record.author,
                made_at=record.timing.recorded_at,
            )
        )
        return record.id


@pytest.fixture
def study(ledger: Branch) -> Study:
    return Study(ledger)


def test_a_better_an_equal_and_an_unrepeated_setting_get_the_three_answers(study: Study, cli: Cli) -> None:
    base, good = study.add(BASE, lr=0.1), study.add(GOOD, lr=0.2)
    equal, few = study.add(EQUAL * 3, lr=0.3), study.add((0.91,), lr=0.4)
    assert cli("baseline", base[0]).code == 0
    kept, within, open_ = (cli("judge", run, "--trials", "1") for run in (good[0], equal[0], few[0]))
    assert (kept.code, kept.out.splitlines()[0].split(":")[0]) == (0, "keep"), kept.err
    # Eighteen repeats against six count as six: more of the baseline are needed to exclude one noise width.
    assert cli("judge", equal[0], "--trials", "1", "--min-effect", "0.003").code == 1
    assert within.code in {1, 2}
    assert (open_.code, open_.out.split(":")[0]) == (2, "cannot tell")
    assert "repeats of each, with other seeds, would settle it" in open_.out
    assert open_.err == ""


def test_json_holds_the_evidence_and_the_same_exit_code(study: Study, cli: Cli) -> None:
    base, good = study.add(BASE, lr=0.1), study.add(GOOD, lr=0.2)
    done = cli("judge", good[0], "--against", base[2], "--json")
    assert done.code == 0
    said = json.loads(done.out)
    (one,) = said["judgements"]
    assert said["answer"] == one["verdict"]["answer"] == "keep"
    assert (one["verdict"]["test"], one["noise"]["freedom"]) == ("welch", 10)
    assert one["verdict"]["effect"] == pytest.approx(0.05)
    assert one["ours"]["runs"] == good


def test_the_settings_that_were_tried_are_counted_and_corrected_for(study: Study, cli: Cli) -> None:
    base, good = study.add(BASE, lr=0.1), study.add(GOOD, lr=0.2)
    for at in range(7):
        study.add((0.85,), width=at)
    said = json.loads(cli("judge", good[0], "--against", base[0], "--json").out)["judgements"][0]
    assert said["verdict"]["trials"] == 8
    assert said["luck"] > 0
    alone = json.loads(cli("judge", good[0], "--against", base[0], "--json", "--trials", "1").out)["judgements"][0]
    assert said["verdict"]["corrected_p"] > 7 * alone["verdict"]["corrected_p"]


def test_the_best_other_setting_is_found_by_its_mean(study: Study, cli: Cli) -> None:
    base, good = study.add(BASE, lr=0.1), study.add(GOOD, lr=0.2)
    study.add((0.2,), lr=0.3)
    said = json.loads(cli("judge", base[0], "--against", "best", "--json").out)
    assert said["judgements"][0]["against"] in good
    assert said["answer"] == "discard"


def test_questions_that_cannot_be_asked_say_so_and_never_exit_with_one(study: Study, cli: Cli) -> None:
    base, good = study.add(BASE, lr=0.1), study.add(GOOD, lr=0.2)
    elsewhere = study.add((0.9,), lr=0.2, first_seed=90, dataset="v2")
    unknown = study.add((0.9,), lr=0.5, dataset=None)
    diverged = study.add((float("nan"),), lr=0.6)
    whichever = study.add((0.9, 0.91), lr=0.7, direction=None, dataset="v3")
    other = study.add((0.9, 0.91), lr=0.8, direction=None, dataset="v3")
    per_cent = study.add((90.1, 89.9), lr=0.9)
    said = {
        ("judge", per_cent[0], "--against", base[0]): "one seems to be a fraction and the other a percentage",
        ("judge", good[0]): "this experiment has no baseline: `study`",
        ("judge", good[0], "--against", good[0]): "a run cannot be judged against itself",
        ("judge", good[0], "--against", good[1]): "both are the same setting and differ by seed only",
        ("judge", good[0], "--against", elsewhere[0]): "measured on different data",
        ("judge", good[0], "--against", unknown[0]): "the dataset version is unknown",
        ("judge", diverged[0], "--against", base[0]): "has no finite value in this group",
        ("judge", whichever[0], "--against", other[0]): "no direction is recorded for this metric",
        ("judge", good[0], "--against", base[0], "-m", "test/f1"): "has no such metric: `test/f1`",
        ("judge", elsewhere[0], "--against", "best"): "no other run can be ranked",
        ("judge", "zzz", "--against", "best"): "no run has this id: `zzz`",
        ("judge", good[0], "--against", base[0], "--min-effect", "nan"): "must be a number, 0 or more",
        ("judge", good[0], "--trials", "0"): "0",
    }
    for command, message in said.items():
        done = cli(*command, "--json")
        assert (done.code, done.out) == (4, ""), (command, done.out, done.err)
        assert done.err.startswith("error: "), command
        assert message in done.err, (command, done.err)
    assert cli("judge", whichever[0], "--against", other[0], "--direction", "lower").code == 2


def test_a_retracted_run_is_neither_judged_nor_judged_against(study: Study, cli: Cli) -> None:
    base, good = study.add(BASE, lr=0.1), study.add(GOOD, lr=0.2)
    assert cli("retract", base[0], "--because", "the labels were wrong").code == 0
    done = cli("judge", good[0], "--against", base[0])
    assert done.code == 4
    assert "was retracted (the labels were wrong)" in done.err
    assert cli("judge", base[0], "--against", good[0]).code == 4
    left = json.loads(cli("judge", good[0], "--against", base[1], "--json").out)["judgements"][0]
    assert left["theirs"]["runs"] == base[1:]


def test_the_same_seed_twice_is_no_repeat(study: Study, cli: Cli) -> None:
    base = study.add(BASE, lr=0.1)
    study.add((0.95,), lr=0.2, first_seed=7)
    (again,) = study.add((0.95,), lr=0.2, first_seed=7)
    said = json.loads(cli("judge", again, "--against", base[0], "--json").out)["judgements"][0]
    assert said["ours"]["values"] == [0.95]
    assert any("not repeats" in caution for caution in said["cautions"])


def test_a_setting_that_diverges_for_some_seeds_is_not_kept(study: Study, cli: Cli) -> None:
    base, good = study.add(BASE, lr=0.1), study.add((*GOOD, float("nan")), lr=0.2)
    done = cli("judge", good[0], "--against", base[0], "--json")
    assert done.code == 2
    (said,) = json.loads(done.out)["judgements"]
    assert "but 1 gave none" in said["verdict"]["why"]


def test_fifty_metrics_at_once_are_corrected_for_together(study: Study, cli: Cli) -> None:
    base, good = study.add(BASE, lr=0.1), study.add(GOOD, lr=0.2)
    names = [f"test/f{number}" for number in range(49)]
    given = [word for name in names for word in ("--metric", f"{name}=0.5")]
    for run in (base[0], good[0]):
        done = cli("evaluate", run, *given, "--dataset", "test:extra@v1=train.py")
        assert done.code == 0, done.err
    asked = [word for name in (KEY, *names) for word in ("-m", name)]
    directed = cli("judge", good[0], "--against", base[0], *asked, "--direction", "higher", "--json")
    assert directed.code == 2, directed.err
    said = json.loads(directed.out)
    assert len(said["judgements"]) == 50
    assert said["judgements"][0]["verdict"]["trials"] == 50
    assert said["judgements"][0]["verdict"]["answer"] == "keep"


def test_the_pareto_view_names_what_dominates(study: Study, cli: Cli) -> None:
    base, good = study.add(BASE, lr=0.1), study.add(GOOD, lr=0.2)
    said = json.loads(cli("judge", base[0], "--against", good[0], "--pareto", "--json").out)
    (front,) = said["fronts"]
    assert {"duration (s)", "model (bytes)", "parameters", "cost (USD)"} <= set(front["dimensions"])
    assert front["word"] in {"dominated", "trade-off"}
    assert cli("judge", base[0], "--against", good[0], "--pareto").out.count("against") > 3


def read(study: Study, run: str, *, everything: bool) -> tuple[list[StoredRun], dict[GroupId, int]]:
    one = study.ledger.contents().run(run)
    assert one is not None
    peers = read_peers(study.ledger, [one], KEY, everything=everything)
    return list(peers.runs), peers.unread


def test_few_runs_are_read_and_none_is_forgotten(study: Study, repo: Path, cli: Cli) -> None:
    good = study.add(GOOD, lr=0.2)
    for at in range(20):
        study.add((0.8 + at / 1000,), width=at)
    some, unread = read(study, good[0], everything=False)
    every, nothing = read(study, good[0], everything=True)
    assert nothing == {}
    assert (len(every), len(some), sum(unread.values())) == (26, 7, 19)
    assert {run.record.id for run in some} >= set(good)
    assert max(run.record.results.metrics[0].number for run in some) == 0.953
    assert len(some) < MOST_REPEATS_READ


def test_the_example_of_the_handbook_comes_out_as_it_stands_there(repo: Path, cli: Cli) -> None:
    (repo / "data" / "val").mkdir(parents=True)
    (repo / "data" / "val" / "a.txt").write_text("one\n")
    page = (ROOT / "site" / "docs" / "handbook" / "verdicts.md").read_text("utf-8")
    script, in_a_script = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (shown,) = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    subprocess.run(["bash", "-ec", script], env=env, check=True, capture_output=True)
    by_setting: dict[object, list[str]] = {}
    for run in Branch.open(repo).contents().runs:
        by_setting.setdefault(run.record.params.values["lr"], []).append(run.record.id)
    assert {lr: len(runs) for lr, runs in by_setting.items()} == {0.1: 6, 0.2: 6, 0.3: 1}
    names = {"BASE": by_setting[0.1][0], "BETTER": by_setting[0.2][0], "SINGLE": by_setting[0.3][0]}
    for command in shown.strip().split("$ ")[1:]:
        line, _, expected = command.partition("\n")
        done = cli(*(names.get(word, word) for word in line.split()[1:]))
        said = done.out
        for name, run_id in names.items():
            said = said.replace(run_id, name)
        assert said.startswith(expected), said
    env["run"] = names["SINGLE"]
    done_script = subprocess.run(["bash", "-c", in_a_script], env=env, check=False, capture_output=True, text=True)
    assert done_script.stdout == "repeat\n"
