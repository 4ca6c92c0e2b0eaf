"""`ledger dataset`: what is typed, what is printed, and which exit code comes back."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from ledger.store.branch.branch import Branch
from tests.conftest import Cli, run_python, state_of


@pytest.fixture
def val(repo: Path) -> Path:
    for label in ("cat", "dog"):
        for number in range(10):
            file = repo / "val" / label / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (6, 6), 10 * number + len(label) + ord(label[0])).save(file)
    return repo / "val"


def grow(val: Path) -> None:
    for number in range(3):
        Image.new("L", (6, 6), 250 + number).save(val / "cat" / f"more-{number}.png")
    (val / "dog" / "0.png").rename(val / "cat" / "was-a-dog.png")


def test_the_story_of_a_dataset_from_its_first_version_to_its_retirement(val: Path, cli: Cli, repo: Path) -> None:
    first = cli("dataset", "add", "pets", "val", "--role", "validation", "--kind", "truth")
    assert first.code == 0, first.err
    assert "added pets@v1" in first.err
    assert "labels: cat 10, dog 10" in first.err
    for seed, value in ((0, 0.8), (1, 0.9)):
        args = ("-m", f"validation/accuracy={value}", "-d", "validation=val", "--seed", str(seed))
        assert cli("record", *args).code == 0
    shutil.copytree(val, repo / "kept")
    grow(val)
    second = cli(
        "dataset", "add", "pets", "val", "--reason", "3 new cats, and a dog that is one", "--source", "week 46"
    )
    assert second.code == 0, second.err
    assert "against v1: 4 files added, 1 removed, 0 changed, 1 sample relabelled" in second.err
    assert cli("record", "-m", "validation/accuracy=0.7", "-d", "validation=val").code == 0
    shutil.rmtree(val)

    rows = json.loads(cli("dataset", "list", "--json").out)
    assert [(row["version"]["version"], row["judged"]) for row in rows] == [("v1", 2), ("v2", 1)]
    table = cli("dataset", "list", "pets").out.splitlines()
    assert [line.split("\t")[:4] for line in table[1:]] == [
        ["pets@v1", "validation", "20", "20"],
        ["pets@v2", "validation", "23", "23"],
    ]
    shown = cli("dataset", "show", "pets").out
    assert "3 new cats, and a dog that is one" in shown
    assert "labels since: cat +4, dog -1" in shown

    diff = json.loads(cli("dataset", "diff", "pets", "v1", "v2", "--json").out)
    assert sorted(line["path"] for line in diff["added"]) == [
        *(f"cat/more-{number}.png" for number in range(3)),
        "cat/was-a-dog.png",
    ]
    assert [line["path"] for line in diff["removed"]] == ["dog/0.png"]
    assert (diff["labels"], diff["relabelled"]) == ({"cat": 4, "dog": -1}, 1)
    assert "- dog/0.png" in cli("dataset", "diff", "pets", "v1", "v2").out.splitlines()

    assert cli("dataset", "check", "kept").out == "kept is pets@v1\n"
    (repo / "kept" / "cat" / "0.png").unlink()
    done = cli("dataset", "check", "kept", "pets")
    assert done.code == 1
    assert "against pets@v1: 0 files added, 1 removed, 0 changed" in done.out
    checked = json.loads(cli("dataset", "check", "kept", "--json").out)
    assert (checked["versions"], checked["nearest"]) == ([], "pets@v1")

    history = cli("dataset", "history", "pets").out
    assert "validation/accuracy, best of each version:" in history
    assert "v1 0.9 (" in history
    assert "  //  v2 0.7 (" in history
    told = json.loads(cli("dataset", "history", "pets", "--json").out)
    assert [fact["best"][0]["best"] for fact in told] == [0.9, 0.7]

    retired = cli("dataset", "retire", "pets@v1", "--because", "a dog was a cat")
    assert retired.code == 0, retired.err
    assert "a dog was a cat" in cli("dataset", "list").out
    assert "retired" in cli("dataset", "show", "pets@v1").out
    warned = cli("record", "-m", "validation/accuracy=0.7", "-d", "validation=pets@v1")
    assert "warning: pets@v1 is retired: a dog was a cat" in warned.err
    run = json.loads(cli("list", "--json", "--limit", "1").out)[0]["id"]
    warned = cli("evaluate", run, "-m", "validation/accuracy=0.6", "-d", "validation=pets@v1")
    assert "warning: pets@v1 is retired: a dog was a cat" in warned.err
    assert cli("verify").code == 0


def test_every_verb_leaves_the_repository_alone(val: Path, cli: Cli, repo: Path) -> None:
    (repo / "train.py").write_text("edited\n")
    before = state_of(repo)
    for arguments in (
        ("add", "pets", "val", "--role", "validation"),
        ("add", "pets", "val/cat", "--reason", "no dogs", "--against", "val"),
        ("list",),
        ("show", "pets@v2"),
        ("diff", "pets", "v1", "v2"),
        ("check", "val", "pets"),
        ("retire", "pets@v1", "--because", "it held dogs"),
        ("history", "pets"),
    ):
        done = cli("dataset", *arguments)
        assert done.code == 0, (arguments, done.err)
        assert state_of(repo) == before, arguments


def test_a_leak_is_a_warning_and_exit_code_1_only_when_it_is_asked_for(val: Path, cli: Cli, repo: Path) -> None:
    shutil.copytree(val / "cat", repo / "train" / "animal")
    assert cli("dataset", "add", "pets-train", "train", "--role", "train").code == 0
    done = cli("dataset", "add", "pets", "val", "--role", "validation", "--strict")
    assert done.code == 1
    assert "warning: 10 files shared with pets-train@v1 (train): cat/0.png" in done.err
    assert "added pets@v1" in done.err
    again = cli("dataset", "add", "pets", "val", "--role", "validation")
    assert again.code == 0
    assert "this data is pets@v1 already, so nothing was added" in again.err
    assert "10 files" in cli("record", "-d", "train=train", "-d", "validation=val").err
    run = json.loads(cli("list", "--json").out)[0]["id"]
    assert "pets@v1: 10 files shared with pets-train@v1 (train)" in cli("show", run).out


def test_what_was_added_is_printed_as_json_and_nothing_else(val: Path, cli: Cli) -> None:
    done = cli("dataset", "add", "pets", "val", "--role", "validation", "--json")
    said = json.loads(done.out)
    assert said["new"] is True
    assert said["version"]["name"] == "pets"
    assert said["version"]["statistics"]["images"]["count"] == 20


def test_data_without_a_name_is_told_once_how_to_get_one(val: Path, cli: Cli) -> None:
    done = cli("record", "-d", "validation=val", "-d", "train=train.py")
    assert done.err.count("ledger dataset add NAME val --role validation") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "pets", "nowhere", "--role", "validation"), 1, "nowhere"),
        (("add", "pets", "val"), 2, "the role of the dataset is missing"),
        (("add", "pets", "val", "--role", "judge"), 2, "judge"),
        (("add", "Pets!", "val", "--role", "validation"), 1, "lower-case"),
        (("add", "pets", "val", "--role", "validation", "--labels", "x.csv:label"), 1, "x.csv"),
        (("add", "pets", "val", "--role", "validation", "--parent", "v1"), 1, "no such parent version"),
        (("show", "pets"), 1, "no such dataset"),
        (("list", "pets"), 1, "no such dataset"),
        (("diff", "pets", "v1", "v2"), 1, "no such dataset"),
        (("history", "pets"), 1, "no such dataset"),
        (("check", "val", "pets"), 1, "no such dataset"),
        (("check", "nowhere"), 1, "nowhere"),
        (("retire", "pets@v1", "--because", "x"), 1, "no such dataset"),
        (("retire", "pets@v1"), 2, "--because"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    val: Path, cli: Cli, repo: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = cli("dataset", *arguments)
    assert done.code == code, done.err
    assert done.out == ""
    assert said in done.err.splitlines()[0]
    assert done.err.startswith("error: ")
    assert Branch.open(repo).tip() is None


def test_an_empty_ledger_lists_nothing_and_says_what_to_type(repo: Path, cli: Cli) -> None:
    done = cli("dataset", "list")
    assert (done.code, done.out) == (0, "")
    assert "next: ledger dataset add" in done.err


def test_a_script_uses_a_version_by_name_and_is_told_how_to_name_other_data(val: Path, cli: Cli, repo: Path) -> None:
    assert cli("dataset", "add", "pets", "val", "--role", "validation").code == 0
    (repo / "train").mkdir()
    shutil.copy(val / "cat" / "0.png", repo / "train" / "a.png")
    (repo / "other.txt").write_text("x")
    script = (
        "import ledger\n"
        "with ledger.run() as run:\n"
        "    run.dataset('train', role='train')\n"
        "    judged = run.dataset('pets@v1', role='validation')\n"
        "    same = run.dataset('val', role='validation', split='again')\n"
        "    run.dataset('other.txt', role='test')\n"
        "    run.metric('accuracy', 0.5, split='validation', dataset=judged)\n"
        "    run.metric('accuracy', 0.5, split='again', dataset=same)\n"
    )
    process = run_python(script, cwd=repo)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    (run,) = Branch.open(repo).contents().runs
    assert [use.label for use in run.record.datasets.used] == ["train", "pets@v1", "pets@v1", "other.txt"]
    assert {metric.dataset for metric in run.record.results.metrics} == {"pets@v1"}
    assert len({metric.dataset_hash for metric in run.record.results.metrics}) == 1
    assert run.record.datasets.leaks[0].files == 1
    assert "pets@v1: 1 file shared with train (train): cat/0.png" in said
    assert said.splitlines()[-1].endswith("to name its data: ledger dataset add NAME other.txt --role test")
