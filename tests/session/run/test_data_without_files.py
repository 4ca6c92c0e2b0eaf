"""Data that lies in no file: hashed where it is in memory, declared where nobody sees it, and never raised about."""

from pathlib import Path

from ledger.analysis.comparing.comparable import leaderboards
from ledger.model.boxes.inputs import DatasetUse
from ledger.store.branch.branch import Branch
from tests.conftest import Cli, run_python


def trained(repo: Path, body: str) -> str:
    process = run_python(
        f"import ledger, numpy as np\nwith ledger.run('x') as run:\n{body}\nprint('after')\n", cwd=repo
    )
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, "after\n"), err
    return err


def uses(repo: Path) -> list[DatasetUse]:
    return Branch.open(repo).contents().runs[-1].record.datasets.used


def test_arrays_are_hashed_counted_and_ranked_by_their_content(repo: Path) -> None:
    for value in (0.9, 0.8):
        trained(
            repo,
            f"""
    x, y = np.arange(12.).reshape(6, 2), np.arange(6)
    run.dataset((x, y), role='train')
    val = run.dataset({{'x': x[:2] + 7, 'y': y[:2]}}, role='validation', name='toy', version='v1')
    run.metric('validation/accuracy', {value}, direction='higher')
    run.metric('other/accuracy', {value}, direction='higher', dataset=val)
""",
        )
    train, val = uses(repo)
    assert (train.samples, train.path, train.files, train.declared) == (6, None, None, False)
    assert train.memory == "tuple of 2"
    assert (val.label, val.samples) == ("toy@v1", 2)
    contents = Branch.open(repo).contents()
    assert [version.label for version in contents.datasets] == ["toy@v1"]
    assert {board.group.dataset for board in leaderboards(contents.runs)} == {"toy@v1"}
    assert [len(board.standings) for board in leaderboards(contents.runs)] == [2, 2]
    assert contents.runs[-1].record.datasets.unknown == {}


def test_declared_data_is_ranked_among_itself_and_said_to_be_unverified(repo: Path, cli: Cli) -> None:
    (repo / "val").mkdir()
    (repo / "val/1.txt").write_text("one")
    for how in ("'imagenet-1k', declared='2012'", "'imagenet-1k', declared='2012'", "'imagenet-1k', declared='2014'"):
        trained(
            repo,
            f"    val = run.dataset({how}, role='validation')\n"
            "    run.metric('validation/top1', 0.7, direction='higher')\n"
            "    run.metric('x/top1', 0.7, direction='higher', dataset=val)\n",
        )
    (use,) = uses(repo)
    assert (use.hash, use.declared, use.label) == ("declared:imagenet-1k@2014", True, "imagenet-1k@2014 (declared)")
    boards = leaderboards(Branch.open(repo).contents().runs)
    assert sorted((board.group.dataset, len(board.standings)) for board in boards) == [
        ("imagenet-1k@2012 (declared)", 2),
        ("imagenet-1k@2012 (declared)", 2),
        ("imagenet-1k@2014 (declared)", 1),
        ("imagenet-1k@2014 (declared)", 1),
    ]
    shown = cli("show", "--json", Branch.open(repo).contents().runs[-1].record.id)
    assert '"declared": true' in shown.out
    assert "declared, not verified" in cli("show", Branch.open(repo).contents().runs[-1].record.id).out
    assert cli("verify").code == 0
    assert cli("record", "-d", "validation:imagenet-1k@2012=val", "-m", "validation/top1=0.7").code == 0
    made = leaderboards(Branch.open(repo).contents().runs)
    assert [board.group.dataset for board in made].count("imagenet-1k@2012") == 1, "content is no declaration"


def test_an_address_that_no_storage_answers_to_is_declared(repo: Path, cli: Cli) -> None:
    trained(
        repo, "    run.dataset('gym://user:pw@CartPole-v1?token=x', role='test')\n    run.metric('test/reward', 9)\n"
    )
    (use,) = uses(repo)
    assert (use.hash, use.declared) == ("declared:gym://CartPole-v1", True)
    made = cli("record", "-d", "train:cifar10@v1=hub://cifar10", "-d", "test=gym://CartPole-v1", "-m", "test/reward=9")
    assert made.code == 0, made.err
    first, second = uses(repo)
    assert (first.hash, first.label) == ("declared:cifar10@v1", "cifar10@v1 (declared)")
    assert second.hash == use.hash
    assert "dataset add" not in made.err, "what is not here cannot be added"


def test_a_name_that_is_no_file_is_told_how_to_be_declared(repo: Path) -> None:
    said = trained(repo, "    run.dataset('imdb', role='train')\n    run.metric('accuracy', 1)\n")
    assert "no dataset at" not in said
    assert "run.dataset('imdb', declared=VERSION)" in said
    (use,) = uses(repo)
    assert (use.hash, use.label) == (None, "imdb")
    unknown = Branch.open(repo).contents().runs[-1].record.datasets.unknown
    assert "declared=VERSION" in unknown["used.imdb"]


def test_what_cannot_be_hashed_never_stops_the_training(repo: Path) -> None:
    said = trained(
        repo,
        """
    class Broken:
        shape = property(lambda self: 1 / 0)
        def __len__(self): return 3
        def __getitem__(self, place): raise RuntimeError('disk gone')
    run.dataset(Broken(), role='train')
    run.dataset((n for n in range(3)), role='validation')
    run.dataset(None, role='test')
    run.dataset('', declared='v1')
    run.dataset(np.zeros((1000, 1000)), role='test', version='v 1', name='odd name')
    run.metric('accuracy', 1)
""",
    )
    record = Branch.open(repo).contents().runs[-1].record
    assert record.status == "finished"
    told = " ".join([*record.datasets.unknown.values(), said])
    assert "RuntimeError: disk gone" in told
    assert "without a length" in told


def test_a_role_may_have_its_other_names_and_a_wrong_one_is_named_with_those_that_are(repo: Path) -> None:
    (repo / "val.txt").write_text("1\n")
    err = trained(repo, "    run.dataset('val.txt', role='val')\n    run.dataset('val.txt', role='vlidation')")
    (use,) = uses(repo)
    assert (use.role, use.split, use.path) == ("validation", "validation", "val.txt")
    assert "no such dataset role: `vlidation`" in err
    assert "no such dataset role: `None`" in trained(repo, "    run.dataset('val.txt', role=None)")
    trained(repo, "    run.dataset('val.txt', role='vlidation')")
    said = "no such dataset role: `vlidation` (hint: one of train, validation, test, production)"
    first, _, second = Branch.open(repo).contents().runs
    assert first.record.datasets.unknown == {"val.txt": said}
    assert second.record.datasets.unknown == {"all": f"val.txt: {said}"}
