"""What the policy forbids, changes of the policy itself, and signatures."""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledger.hashing import hash_bytes
from ledger.store.integrity.signatures import payload
from tests.store.integrity.check.corpus.register import Make, each, hostile, record_of
from tests.store.integrity.check.forge import Forge, Proposed, named


@hostile("policy", "changed together with records")
def a_policy_change_hidden_among_records(forge: Forge) -> str:
    return forge.put({**forge.run(), "policy.yaml": b"limits:\n  figure_bytes: 99\n"})


@hostile("policy", "changed together with records")
def a_policy_change_in_a_commit_between_records(forge: Forge) -> str:
    first = forge.put(forge.run())
    return forge.put(forge.run(), forge.put({"policy.yaml": b"limits:\n  figure_bytes: 99\n"}, first))


@hostile("policy", "a CI workflow is changed together with records")
def a_workflow_hidden_among_records(forge: Forge) -> str:
    return forge.put({**forge.run(), ".github/workflows/ledger-review.yml": b"on: push\n"})


@hostile("size", "policy and workflows")
def a_workflow_of_a_megabyte(forge: Forge) -> str:
    return forge.put({".gitlab-ci.yml": b"#" * 1_000_000})


@hostile("tree", "not a regular file")
def a_workflow_that_is_a_link(forge: Forge) -> str:
    return forge.put({".gitlab-ci.yml": (b"120000", forge.blob(b"runs/2026/11/20/x/log.txt"))})


@hostile("size", "limits.figure_bytes")
def a_policy_change_that_lets_itself_in(forge: Forge) -> str:
    raised = forge.put({"policy.yaml": b"limits:\n  figure_bytes: 99999999\n"})
    data = b"\x89PNG\r\n\x1a\n" + bytes(3 << 20)
    run = forge.run(lambda record: record["results"].update(figures=[{**named(data, "figures/a.png"), "title": "a"}]))
    return forge.put({**run, f"{next(iter(run)).rpartition('/')[0]}/figures/a.png": data}, raised)


def _policy(text: bytes) -> Make:
    return lambda forge: forge.put({"policy.yaml": text})


each(
    "policy",
    "",
    {
        "a policy that is no YAML": _policy(b"a: [\n"),
        "a policy with a field that nobody knows": _policy(b"trust: everybody\n"),
        "a policy of aliases": _policy(
            b"prices:\n  a: &a [1,1,1,1,1,1,1,1,1]\n  b: &b [*a,*a,*a,*a,*a]\n  c: [*b,*b,*b]\n"
        ),
        "a policy that makes objects": _policy(b"prices: !!python/object/apply:os.system ['touch canary']\n"),
        "a policy that is deep": _policy(b"directions: " + b"[" * 30_000),
        "a policy of a number of digits": _policy(b"limits:\n  figure_bytes: " + b"9" * 6000 + b"\n"),
        "a policy of a megabyte": _policy(b"directions:\n" + b"  a: higher\n" * 100_000),
    },
)


def _under(policy: str, files: Callable[[Forge], dict[str, bytes]]) -> Make:
    def make(forge: Forge) -> Proposed:
        since = forge.with_policy(policy)
        return Proposed(tip=forge.put(files(forge), since), since=since)

    return make


def _requires(line: str, edit: Callable[[dict[str, Any]], object] | None = None) -> Make:
    return _under(f"require:\n  {line}\n", lambda forge: forge.run(edit))


each(
    "policy",
    "the policy asks for",
    {
        "a box that must be known": _requires("boxes: [model]"),
        "code that must be committed": _requires(
            "clean_code: true", lambda record: record["code"].update(dirty=True, omitted=[])
        ),
        "code that must be kept": _requires(
            "clean_code: captured", lambda record: record["code"].update(dirty=True, omitted=[])
        ),
        "code that must be known": _requires("clean_code: true", lambda record: record["code"].pop("commit")),
        "a seed that must be stated": _requires("seed: true", lambda record: record.pop("seed", None)),
        "a headline that must be": _requires("headline: true", lambda record: record["results"].pop("headline")),
        "a dataset that must be a version": _requires(
            "known_datasets: true", lambda record: record["datasets"]["used"][0].update(version="v9")
        ),
        "a dataset that must have a name": _requires(
            "known_datasets: true", lambda record: record["datasets"]["used"][0].pop("name")
        ),
    },
)
each(
    "policy",
    "budget",
    {
        "a run over the budget": _under(
            "require: {budget: true}\nbudget: {duration_seconds: 1}\n", lambda forge: forge.run()
        ),
        "a run of unknown size": _under(
            "require: {budget: true}\nbudget: {parameters: 9}\n", lambda forge: forge.run()
        ),
    },
)
each(
    "policy",
    "needs 3 finished runs",
    {
        "a best run that was not repeated": _requires(
            "repeats_for_best: 3", lambda record: record.update(tags=["best"])
        ),
        "a baseline that was not repeated": _under(
            "require:\n  repeats_for_best: 3\n", lambda forge: forge.note(lambda one: one.update(kind="baseline"))
        ),
        "a tag of best that was not repeated": _under(
            "require:\n  repeats_for_best: 3\n",
            lambda forge: forge.note(lambda one: one.update(kind="tag", text="best")),
        ),
    },
)


def _key(folder: Path, name: str) -> Path:
    file = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(file)], check=True)
    return file


def _signed(forge: Forge, *, by_stranger: bool = False, of_other: bool = False, at_all: bool = True) -> Proposed:
    with tempfile.TemporaryDirectory() as folder:
        ours, stranger = _key(Path(folder), "ours"), _key(Path(folder), "stranger")
        public = ours.with_suffix(".pub").read_text()
        since = forge.with_policy(f"signatures:\n  required: true\n  signers: |\n    ada@example.com {public}")
        run = forge.run()
        document = next(iter(run))
        hashes = {path: hash_bytes(data) for path, data in run.items()}
        said = payload(record_of(forge) if of_other else document, hashes)
        made = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-n", "ledger", "-f", str(stranger if by_stranger else ours)],
            input=said,
            capture_output=True,
            check=True,
        ).stdout
    if at_all:
        run[f"{document}.{'0' * 16}.sig"] = made
    return Proposed(tip=forge.put(run, since), since=since)


each("signature", "not signed", {"no signature where one is needed": lambda forge: _signed(forge, at_all=False)})
each(
    "signature",
    "does not match",
    {
        "a signature of a stranger": lambda forge: _signed(forge, by_stranger=True),
        "a signature of another entry": lambda forge: _signed(forge, of_other=True),
    },
)


@hostile(None)
def a_good_signature(forge: Forge) -> Proposed:
    return _signed(forge)


@hostile("signature", "does not match")
def a_bad_signature_added_to_an_entry_that_stands(forge: Forge) -> Proposed:
    with tempfile.TemporaryDirectory() as folder:
        public = _key(Path(folder), "ours").with_suffix(".pub").read_text()
    since = forge.with_policy(f"signatures:\n  signers: |\n    ada@example.com {public}")
    return Proposed(tip=forge.put({f"{record_of(forge)}.{'0' * 16}.sig": b"no signature\n"}, since), since=since)
