"""`ledger loop`: how many of a loop's decisions lie inside the noise, its best, its cost; and what an agent is told."""

import json
import random
from pathlib import Path

import pytest

from ledger.store.branch.branch import Branch
from tests.conftest import Cli

HEAD = "commit\tval_bpb\tmemory_gb\tstatus\tdescription\n"


def row(commit: int, value: float, status: str) -> str:
    return f"{commit:07x}\t{value:.6f}\t44.0\t{status}\tchange\n"


def night(*, step: float, noise: float, repeats: int = 3) -> str:
    """Return the table of a loop whose every change gains `step`, and that keeps what looks better."""
    chance = random.Random(7)  # noqa: S311  # no secret
    lines, best = [HEAD], 9.0
    for number in range(12):
        true = 1.0 - step * number
        values = [true + chance.gauss(0, noise) for _ in range(1 + (repeats if number % 4 == 0 else 0))]
        status = "keep" if values[0] < best else "discard"
        best = min(best, values[0]) if status == "keep" else best
        lines += [row(0xABC0000 + number, value, status if not at else "discard") for at, value in enumerate(values)]
    return "".join([*lines, row(0xFFFFFFF, 0.0, "crash")])


def imported(repo: Path, cli: Cli, text: str) -> None:
    (repo / "results.tsv").write_text(text)
    done = cli("import", "results.tsv", "-e", "night")
    assert done.code == 0, done.err
    assert done.err.endswith("next: ledger loop report\n")


def test_gains_smaller_than_the_noise_are_said_to_be_inside(repo: Path, cli: Cli) -> None:
    imported(repo, cli, night(step=0.0, noise=0.003))
    lines = cli("loop", "report", "night").out.splitlines()
    found = json.loads(cli("loop", "report", "night", "--json").out)
    kept = len(found["report"]["kept"])
    assert kept >= 2
    assert found["inside"] == kept
    assert lines[1] == f"{kept} of {kept} kept changes (100 %) lie inside the noise"
    assert lines[0] == f"22 runs: {kept + 1} kept, {20 - kept} discarded, 1 crashed"
    assert 0.001 < found["report"]["noise"]["width"] < 0.009
    assert found["report"]["best_low"] < 1.0 < found["report"]["best_high"], "the best of equal runs is one of them"


def test_gains_far_beyond_the_noise_are_not(repo: Path, cli: Cli) -> None:
    imported(repo, cli, night(step=0.05, noise=0.001))
    found = json.loads(cli("loop", "report", "night", "--json").out)
    assert len(found["report"]["kept"]) == 11
    assert found["inside"] == 0


def test_without_a_repeat_nobody_knows_and_a_stated_noise_settles_it(repo: Path, cli: Cli) -> None:
    imported(repo, cli, night(step=0.05, noise=0.001, repeats=0))
    first = cli("loop", "report", "night").out.splitlines()
    assert first[1] == "cannot tell how many of 11 kept changes are chance: no setting was repeated"
    assert first[2] == "  repeat the best run with three other seeds, or state the noise: --noise NUMBER"
    assert cli("loop", "report", "night", "--noise", "0.001").out.splitlines()[1].startswith("0 of 11 kept changes")
    assert cli("loop", "report", "night", "--noise", "0.1").out.splitlines()[1].startswith("11 of 11 kept changes")


def test_decisions_of_recorded_runs_are_their_tags(repo: Path, cli: Cli) -> None:
    for value, tag in ((0.5, "keep"), (0.6, "keep"), (0.4, "discard"), (0.55, "other")):
        cli("record", "-e", "mine", "-m", f"validation/accuracy={value}", "-t", tag, "--duration", "60")
    report = json.loads(cli("loop", "report", "mine", "--json").out)["report"]
    assert (report["direction"], len(report["kept"]), report["discarded"], report["undecided"]) == ("higher", 1, 1, 1)
    assert report["seconds"] == 240
    assert report["best_value"] == 0.6
    last = Branch.open(repo).contents().runs[-1].record.id
    cli("tag", last, "keep")
    report = json.loads(cli("loop", "report", "mine", "--json").out)["report"]
    assert (len(report["kept"]), report["undecided"]) == (2, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("report", "nothing"), 1, "no run of that loop is on the ledger"),
        (("report", "odd"), 2, "it is not recorded which values are better: `validation/thing`"),
        (("report", "odd", "--noise", "0"), 2, "--noise"),
        (("report", "(bad"), 2, ""),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_line(
    repo: Path, cli: Cli, arguments: tuple[str, ...], code: int, message: str
) -> None:
    cli("record", "-e", "odd", "-m", "validation/thing=3", "--duration", "1")
    done = cli("loop", *arguments)
    assert done.code == code
    assert message in done.err
    assert done.out == ""


def test_instructions_are_printed_or_kept_up_to_date_in_a_file(repo: Path, cli: Cli) -> None:
    text = cli("loop", "init").out
    assert "ledger judge RUN --against best --brief" in text
    file = repo / "AGENTS.md"
    file.write_text("# Ours\n")
    assert cli("loop", "init", "--into", "AGENTS.md").code == 0
    assert file.read_text() == f"# Ours\n\n{text}"
    file.write_text(file.read_text().replace("Change one thing", "Change everything") + "\n## More\n")
    cli("loop", "init", "--into", "AGENTS.md")
    assert file.read_text() == f"# Ours\n\n{text}\n## More\n"
    assert "unchanged" in cli("loop", "init", "--into", "AGENTS.md").err
    file.write_text("<!-- ledger loop: begin -->\n")
    refused = cli("loop", "init", "--into", "AGENTS.md")
    assert (refused.code, "only one of the two marks" in refused.err) == (1, True)
    assert file.read_text() == "<!-- ledger loop: begin -->\n"


def test_a_verdict_for_programs_is_one_line(repo: Path, cli: Cli) -> None:
    data = ("-d", "validation:v@v1=train.py")
    for lr, values in ((0.1, (0.5, 0.51, 0.49, 0.5, 0.505)), (0.2, (0.7, 0.71, 0.69, 0.7, 0.705))):
        for seed, value in enumerate(values):
            facts = ("-p", f"lr={lr}", "-p", f"seed={seed}", "-m", f"validation/accuracy={value}")
            cli("record", *facts, *data, "--started", f"2026-03-0{round(lr * 10)}T1{seed}:00:00Z", "--duration", "1")
    runs = [run.record.id for run in Branch.open(repo).contents().runs]
    done = cli("judge", runs[-1], "--against", runs[0], "--brief")
    assert done.code == 0, done.err
    (line,) = done.out.splitlines()
    assert line.startswith("keep validation/accuracy gain=0.2 p=")
    worse = cli("judge", runs[0], "--against", runs[-1], "--brief")
    assert (worse.code, worse.out.split()[0]) == (1, "discard")
