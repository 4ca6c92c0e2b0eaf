"""What is code, what is a result, and what leaves the machine."""

import os
from pathlib import Path

import pytest

from ledger.capture.code.code import capture_code
from ledger.capture.code.code_rules import CodeRules, Named, matches
from ledger.capture.code.source_kinds import is_source
from ledger.capture.secrets.redactor import Redactor
from ledger.model.boxes.code import Code
from ledger.repository.repository import Repository
from ledger.repository.worktree.omissions import PatchLimits
from tests.conftest import Cli, git_in

LIMITS = PatchLimits(1 << 20, 10 << 20)


def write(repo: Path, name: str, text: str = "x\n") -> None:
    (repo / name).parent.mkdir(parents=True, exist_ok=True)
    (repo / name).write_text(text)


def capture(repo: Path, rules: CodeRules | None = None) -> tuple[Code, str]:
    code, patch = capture_code(Repository.discover(repo), Redactor(), rules=rules, limits=LIMITS)
    return code, patch.decode()


@pytest.mark.parametrize(
    "name",
    ["train.py", "model.cu", "run.sh", "conf/a.yaml", "Makefile", "requirements-dev.txt", "setup.cfg", ".gitignore"],
)
def test_source_and_configuration_are_told_by_their_names(repo: Path, name: str) -> None:
    write(repo, name)
    assert is_source(name, str(repo / name))


@pytest.mark.parametrize(
    "name", ["patients.csv", "a.png", "model.pt", "dump.sql.gz", "notes.md", "words.txt", ".env", "a.parquet"]
)
def test_data_pictures_weights_and_prose_are_no_source(repo: Path, name: str) -> None:
    write(repo, name)
    assert not is_source(name, str(repo / name))


def test_large_json_and_json_that_is_a_table_are_data(repo: Path) -> None:
    write(repo, "vocabulary.json", '{"a": "' + "x" * 200_000 + '"}')
    write(repo, "patients.json", '[{"name": "Erika"}]')
    write(repo, "config.json", '{"lr": 0.1}')
    write(repo, "launch", "#!/bin/sh\n")
    names = ["vocabulary.json", "patients.json", "config.json", "launch"]
    assert [is_source(name, str(repo / name)) for name in names] == [False, False, True, True]


def test_untracked_data_stays_here_and_is_named_with_size_and_hash(repo: Path) -> None:
    write(repo, "patients.csv", "name\nErika Mustermann\n")
    write(repo, "new.py", "print(1)\n")
    code, patch = capture(repo)
    assert "Mustermann" not in patch
    assert "+print(1)" in patch
    (left_out,) = code.omitted
    assert (left_out.path, left_out.bytes, left_out.why, left_out.code) == (
        "patients.csv",
        22,
        "no source by its kind",
        False,
    )
    assert str(left_out.hash).startswith("blake3:")


def test_the_policy_says_which_untracked_files_go(repo: Path) -> None:
    write(repo, "words.txt", "words\n")
    write(repo, "new.py", "print(1)\n")
    top = repo.resolve()
    _, everything = capture(repo, CodeRules(top=top, untracked="all"))
    code, nothing = capture(repo, CodeRules(top=top, untracked="none"))
    assert "+words" in everything
    assert nothing == ""
    assert {one.path: one.code for one in code.omitted} == {"new.py": True, "words.txt": False}


def test_what_runs_leave_does_not_change_the_identity_of_the_code(repo: Path) -> None:
    before, _ = capture(repo)
    for name in (
        "outputs/2026-11-20/12-00-00/.hydra/config.yaml",
        "multirun/0/train.log",
        "lightning_logs/version_0/hparams.yaml",
        "wandb/run-1/files/code/train.py",
        "mlruns/0/meta.yaml",
        "checkpoints/last.ckpt",
        "runs/events.out.tfevents.1",
        "train.log",
        "model.pt",
        "metrics.json",
        "lib/__pycache__/a.pyc",
    ):
        write(repo, name)
    named = Named(results=[str(repo.resolve() / "metrics.json")])
    after, patch = capture(repo, CodeRules(top=repo.resolve(), named=named))
    assert after.identity == before.identity == before.tree
    assert patch == ""


def test_code_in_a_folder_of_results_is_code_all_the_same(repo: Path) -> None:
    before, _ = capture(repo)
    write(repo, "experiments/sampler.py", "print(1)\n")
    after, patch = capture(repo)
    assert after.identity != before.identity
    assert "sampler.py" in patch


def test_a_configuration_that_appears_may_be_either_and_counts(repo: Path) -> None:
    before, _ = capture(repo)
    write(repo, "result.json", '{"accuracy": 0.9}')
    after, _ = capture(repo)
    assert after.identity != before.identity
    ignoring, _ = capture(repo, CodeRules(top=repo.resolve(), ignore=["result.json"]))
    assert ignoring.identity == before.identity


def test_tracked_results_that_options_name_do_not_split_repeats_committed_or_not(repo: Path) -> None:
    named = Named(results=[str(repo.resolve() / "metrics.json")], inputs=[str(repo.resolve() / "params.yaml")])
    rules = CodeRules(top=repo.resolve(), named=named)
    identities = set()
    for seed in (1, 2, 3):
        write(repo, "metrics.json", f"{seed}\n")
        write(repo, "params.yaml", f"seed: {seed}\n")
        if seed == 2:
            git_in(repo, "add", ".")
            git_in(repo, "commit", "-qm", "Results")
        identities.add(capture(repo, rules)[0].identity)
    assert len(identities) == 1


def test_a_tracked_file_that_is_no_source_and_was_written_while_a_run_lived_is_a_result(repo: Path) -> None:
    write(repo, "history.csv", "1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "History")
    before, _ = capture(repo)
    write(repo, "history.csv", "1\n2\n")
    os.utime(repo / "history.csv", (1000, 1000))
    assert capture(repo)[0].identity != before.identity
    after, patch = capture(repo, CodeRules(top=repo.resolve(), lives=[(900.0, 1100.0)]))
    assert after.identity == before.identity
    assert after.not_code == ["history.csv"]
    assert "+2" in patch  # it is tracked, so commit and patch must give it back
    write(repo, "train.py", "changed\n")
    os.utime(repo / "train.py", (1000, 1000))
    assert capture(repo, CodeRules(top=repo.resolve(), lives=[(900.0, 1100.0)]))[0].identity != before.identity


def test_many_files_of_one_folder_are_one_line(repo: Path) -> None:
    for number in range(50):
        write(repo, f"data/{number}.png", f"{number}\n")
    code, _ = capture(repo)
    (folder,) = code.omitted
    assert (folder.path, folder.files, folder.bytes) == ("data/", 50, sum(len(f"{n}\n") for n in range(50)))
    write(repo, "data/0.png", "other\n")
    assert capture(repo)[0].omitted[0].hash != folder.hash


@pytest.mark.parametrize(
    ("pattern", "path", "named"),
    [
        ("metrics.json", "a/metrics.json", True),
        ("/metrics.json", "a/metrics.json", False),
        ("results/", "results/a/b.csv", True),
        ("results/", "results", False),
        ("*.log", "deep/train.log", True),
        ("a/*.log", "a/train.log", True),
        ("a/*.log", "b/a/train.log", False),
    ],
)
def test_patterns_are_those_of_gitignore(*, pattern: str, path: str, named: bool) -> None:
    assert matches(path, pattern) is named


def test_three_seeds_are_one_setting_whatever_their_options_name(repo: Path, cli: Cli) -> None:
    write(repo, ".gitignore", "data\n")
    write(repo, "data/val/x", "1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "Data")
    for seed in (1, 2, 3):
        write(repo, "params.yaml", f"seed: {seed}\n")
        write(repo, "metrics.json", f'{{"validation": {{"accuracy": 0.9{seed}}}}}')
        options = ("--params", "params.yaml", "--metrics", "metrics.json", "-d", "validation:v@v1=data/val")
        assert cli("record", "-e", "s", *options).code == 0
    assert "1 setting of 3 runs" in cli("leaderboard").err


def test_board_judge_and_compare_name_the_file_that_keeps_repeats_apart(repo: Path, cli: Cli) -> None:
    write(repo, ".gitignore", "data\n")
    write(repo, "data/val/x", "1\n")
    runs = []
    for seed in (1, 2):
        write(repo, "out.json", f'{{"accuracy": 0.9{seed}}}')
        options = ("-m", f"validation/accuracy=0.9{seed}", "-d", "validation:v@v1=data/val", "--seed", str(seed))
        assert cli("record", "-e", "s", *options).code == 0
    runs = cli("list", "--columns", "id", "--csv").out.split()[1:]
    settled = (
        "differ in their code: out.json; if runs write that, later ones group with: ledger policy set code.ignore out"
    )
    assert settled in cli("leaderboard").err
    assert settled in cli("judge", runs[0], "--against", runs[1]).out
    assert settled in cli("compare", *runs).err


def test_places_do_not_split_repeats(repo: Path, cli: Cli) -> None:
    write(repo, ".gitignore", "data\n")
    write(repo, "data/val/x", "1\n")
    for seed in (1, 2):
        options = (
            "-m",
            "validation/accuracy=0.9",
            "-d",
            "validation:v@v1=data/val",
            "-p",
            f"trainer.output_dir=o{seed}",
        )
        assert cli("record", "-e", "s", *options, "--seed", str(seed)).code == 0
    assert "1 setting of 2 runs" in cli("leaderboard").err


def test_a_script_of_another_repository_is_said(repo: Path, cli: Cli, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git_in(library, "init", "-q")
    write(library, "train.py", "print('train')\n")
    git_in(library, "add", ".")
    git_in(library, "commit", "-qm", "Library")
    write(library, "train.py", "print('edited')\n")
    assert cli("run", "--", "python", "../library/train.py").code == 0
    shown = cli("show", cli("list", "--columns", "id", "--csv").out.split()[-1]).out
    assert "the script is in another repository" in shown
    assert "../library at " in shown
    assert "tree unknown" in shown


def test_a_script_that_git_ignores_is_said_and_tells_runs_apart(repo: Path, cli: Cli) -> None:
    write(repo, ".gitignore", "scratch\n")
    write(repo, "scratch/train.py", "print(1)\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "Ignore")
    assert cli("run", "--", "python", "scratch/train.py").code == 0
    assert "git ignores the script that ran" in cli("show", cli("list", "--columns", "id", "--csv").out.split()[-1]).out


def test_a_script_that_a_link_leads_to_outside_is_said(repo: Path, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("print(1)\n")
    (repo / "linked.py").symlink_to(tmp_path / "outside.py")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "Link")
    assert cli("run", "--", "python", "linked.py").code == 0
    shown = cli("show", cli("list", "--columns", "id", "--csv").out.split()[-1]).out
    assert "the script is outside this repository" in shown
    assert "tree unknown" in shown


def test_an_identity_beside_notebooks_knows_no_notebook_and_every_other_file(repo: Path) -> None:
    (repo / "kept.ipynb").write_text("{}")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "--quiet", "--message", "A notebook")
    rules = CodeRules(top=repo.resolve(), notebook=True)
    before, _ = capture(repo, rules)
    (repo / "kept.ipynb").write_text('{"outputs": 1}')
    (repo / "new.ipynb").write_text("{}")
    outputs, patch = capture(repo, rules)
    (repo / "lib.py").write_text("x = 1")
    edited, _ = capture(repo, rules)
    assert before.beside_notebooks == outputs.beside_notebooks
    assert before.beside_notebooks != edited.beside_notebooks
    assert before.identity != outputs.identity
    assert "new.ipynb" in patch, "the patch still restores all of them"
    assert capture(repo, CodeRules(top=repo.resolve()))[0].beside_notebooks is None
