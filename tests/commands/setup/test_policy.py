"""`ledger policy`, and `ledger recover --branch`: the policy changes without a checkout, and nothing is lost."""

from pathlib import Path

import pytest

from ledger.errors import InvalidDocument, UsageError
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import list_keys, load_policy
from ledger.store.branch.policy_edit import with_value, without_value
from tests.conftest import Cli, git_in, state_of

RECORD = ("record", "-m", "validation/accuracy=0.5")


def test_a_value_is_set_and_comments_stay(repo: Path, cli: Cli) -> None:
    before = state_of(repo)
    assert cli("policy", "set", "directions.validation/score", "higher").code == 0
    assert cli("policy", "set", "code.ignore", "metrics.json", "*.log").code == 0
    assert cli("policy", "set", "code.ignore", "out.json").code == 0
    policy = Branch.open(repo).policy
    assert policy.directions == {"validation/score": "higher"}
    assert policy.code.ignore == ["metrics.json", "*.log", "out.json"]
    shown = cli("policy", "show").out
    assert "# Which values of a metric are better" in shown
    assert "policy: set code.ignore" in git_in(repo, "log", "-1", "--format=%s", "ledger")
    assert state_of(repo) == before
    assert cli("verify").code == 0


def test_a_list_takes_one_value_or_several_where_it_is_not_there_yet(repo: Path, cli: Cli) -> None:
    assert cli("policy", "set", "secrets.names", "kennwort").code == 0
    assert cli("policy", "set", "signatures.redactors", "ada@example.com", "bob@example.com").code == 0
    policy = Branch.open(repo).policy
    assert policy.secrets.names == ["kennwort"]
    assert policy.signatures.redactors == ["ada@example.com", "bob@example.com"]
    assert list_keys() >= {"code.ignore", "places", "require.boxes", "secrets.allow"}


def test_a_value_is_taken_back(repo: Path, cli: Cli) -> None:
    cli("policy", "set", "code.ignore", "a", "b")
    assert cli("policy", "unset", "code.ignore", "a").code == 0
    assert Branch.open(repo).policy.code.ignore == ["b"]
    assert cli("policy", "unset", "code.ignore").code == 0
    assert Branch.open(repo).policy.code.ignore == []
    assert cli("policy", "unset", "code.ignore").code == 2


@pytest.mark.parametrize(
    ("key", "value"), [("nonsense", "1"), ("limits.record_bytes", "many"), ("code.untracked", "x")]
)
def test_what_is_no_policy_is_refused_and_nothing_is_written(repo: Path, cli: Cli, key: str, value: str) -> None:
    cli("policy", "set", "places", "scratch")
    before = git_in(repo, "rev-parse", "ledger")
    done = cli("policy", "set", key, value)
    assert done.code == 1
    assert "policy.yaml" in done.err
    assert git_in(repo, "rev-parse", "ledger") == before


def test_saying_it_twice_makes_no_commit(repo: Path, cli: Cli) -> None:
    cli("policy", "set", "require.seed", "true")
    before = git_in(repo, "rev-parse", "ledger")
    assert "the policy is unchanged" in cli("policy", "set", "require.seed", "true").err
    assert git_in(repo, "rev-parse", "ledger") == before


def test_the_editor_is_git_s_and_a_mistake_keeps_the_text(repo: Path, cli: Cli) -> None:
    env = {"GIT_EDITOR": "f() { echo 'places: [scratch]' >> \"$1\"; }; f"}
    assert cli("policy", "edit", env=env).code == 0
    assert Branch.open(repo).policy.places == ["scratch"]
    bad = {"GIT_EDITOR": "f() { echo 'nonsense: 1' >> \"$1\"; }; f"}
    done = cli("policy", "edit", env=bad)
    assert done.code == 1
    assert "your text is in: `" in done.err
    assert "nonsense" in Path(done.err.split("`")[-2]).read_text()


def test_a_change_is_proposed_on_a_branch_of_its_own(repo: Path, cli: Cli) -> None:
    cli(*RECORD)
    done = cli("policy", "propose", "require.seed", "true", "--name", "seeds")
    assert done.code == 0, done.err
    assert not Branch.open(repo).policy.require.seed
    assert Branch.open(repo, "ledger-review/seeds").policy.require.seed
    assert cli("propose", "--list").out.strip() == "seeds"


def test_other_blocks_stay_as_they_were_written() -> None:
    text = "# mine\ndirections:   # ours\n  a: higher\n\nlimits:\n  record_bytes: 5\n"
    changed = with_value(text, "limits.record_bytes", ["7"])
    assert changed == "# mine\ndirections:   # ours\n  a: higher\n\nlimits:\n  record_bytes: 7\n"
    assert load_policy(with_value(changed, "directions.b", ["lower"]).encode()).directions == {
        "a": "higher",
        "b": "lower",
    }
    assert "limits" not in without_value(changed, "limits.record_bytes", [])
    with pytest.raises(UsageError):
        with_value(text, "limits.record_bytes", ["1", "2"])
    with pytest.raises(InvalidDocument):
        with_value("- a\n", "limits.record_bytes", ["1"])


def damaged(repo: Path, cli: Cli, tmp_path: Path) -> None:
    """Record, check the branch out, record again, and commit all there: the second run is deleted."""
    cli(*RECORD, "-p", "a=1")
    git_in(repo, "worktree", "add", "-q", str(tmp_path / "by hand"), "ledger")
    cli(*RECORD, "-p", "a=2")
    with (tmp_path / "by hand" / "policy.yaml").open("a") as file:
        file.write("places: [scratch]\n")
    git_in(tmp_path / "by hand", "commit", "--all", "-qm", "By hand")
    git_in(repo, "worktree", "remove", "--force", str(tmp_path / "by hand"))


def test_what_a_commit_made_by_hand_took_off_is_put_back(repo: Path, cli: Cli, tmp_path: Path) -> None:
    damaged(repo, cli, tmp_path)
    assert len(Branch.open(repo).contents().runs) == 1
    assert cli("verify").code == 1
    done = cli("recover", "--branch")
    assert done.code == 0, done.err
    assert "restored 1 entry" in done.err
    assert len(Branch.open(repo).contents().runs) == 2
    assert Branch.open(repo).policy.places == ["scratch"]
    assert cli("verify").code == 0
    assert git_in(repo, "for-each-ref", "--format=%(refname)", "refs/ledger/before")
    assert "nothing was removed" in cli("recover", "--branch").err


def test_a_damaged_branch_is_not_sent_to_a_remote_without_a_ledger(repo: Path, cli: Cli, tmp_path: Path) -> None:
    damaged(repo, cli, tmp_path)
    git_in(tmp_path, "init", "-q", "--bare", "hub.git")
    git_in(repo, "remote", "add", "origin", str(tmp_path / "hub.git"))
    done = cli("sync")
    assert done.code == 1
    assert "ledger recover --branch puts it back" in done.err
    assert git_in(tmp_path / "hub.git", "for-each-ref") == ""
    cli("recover", "--branch")
    assert cli("sync").code == 0
    assert cli("verify").code == 0


def test_a_branch_of_the_project_s_own_is_left_alone_and_another_can_be_named(repo: Path, cli: Cli) -> None:
    git_in(repo, "branch", "ledger", "main")
    before = git_in(repo, "rev-parse", "ledger")
    (repo / "data").mkdir()
    (repo / "data" / "x").write_text("1")
    done = cli(*RECORD, "-d", "validation:v@v1=data")
    assert done.code == 1
    assert "the record is safe in" in done.err
    assert "git config ledger.branch NAME" in done.err
    assert git_in(repo, "rev-parse", "ledger") == before
    git_in(repo, "config", "ledger.branch", "experiments")
    assert "which was waiting" in cli("list").err
    assert cli(*RECORD).code == 0
    assert len(cli("list", "--columns", "id", "--csv").out.split()) == 3
    assert git_in(repo, "ls-tree", "--name-only", "experiments").split() == [
        "datasets",
        "format",
        "policy.yaml",
        "runs",
    ]
    assert git_in(repo, "rev-parse", "ledger") == before
    assert cli("hooks", "install").code == 1


def test_a_squashed_proposal_waits_no_longer(repo: Path, cli: Cli) -> None:
    cli(*RECORD)
    cli(*RECORD, "-p", "lr=2", "--proposal", "p1")
    assert cli("propose", "--list").out.strip() == "p1"
    squashed = git_in(repo, "commit-tree", "ledger-review/p1^{tree}", "-p", "ledger", "-m", "p1 (#12)").strip()
    git_in(repo, "update-ref", "refs/heads/ledger", squashed)
    assert cli("propose", "--list").out.strip() == ""


def test_a_record_of_another_repository_is_not_taken_in(
    repo: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_in(tmp_path, "init", "-q", "other")
    git_in(tmp_path / "other", "commit", "-q", "--allow-empty", "-m", "x")
    git_in(tmp_path / "other", "branch", "ledger")  # it refuses every record
    monkeypatch.chdir(tmp_path / "other")
    cli(*RECORD)
    waiting = tmp_path / "other" / ".git" / "ledger" / "waiting"
    home = Path.home() / "state" / "ledger"
    home.mkdir(parents=True)
    waiting.rename(home / "waiting")
    monkeypatch.chdir(repo)
    done = cli("recover", "--homeless")
    assert done.code == 1
    assert "it was made in another repository" in done.err
    assert git_in(repo, "branch", "--list", "ledger") == ""
