"""The way of a draft onto the ledger: capture, redact, validate, append, or else store it to wait."""

import os
from datetime import UTC, datetime
from pathlib import Path

from ledger.capture.code.code import capture_code
from ledger.capture.code.code_rules import CodeRules, Named
from ledger.capture.machine.environment import capture_environment
from ledger.capture.machine.hardware import capture_hardware
from ledger.capture.machine.platforms.platforms import capture_platforms
from ledger.capture.secrets.redactor import Redactor
from ledger.data.version.stat_cache import FILE, StatCache
from ledger.errors import Conflict, InvalidDocument, LedgerError, NotAppended
from ledger.model import paths
from ledger.model.boxes.machine import Platform
from ledger.model.document import dump
from ledger.model.record import RECORD_FORMAT, Author, Record
from ledger.model.values import Document
from ledger.recorder.data.datasets import Progress, Resolver
from ledger.recorder.message import TOOL, record_message
from ledger.recorder.record.admission import standing
from ledger.recorder.record.boxes import (
    cost_of,
    datasets_of,
    logs_of,
    model_of,
    named_run,
    params_of,
    results_of,
    timing_of,
    with_imported,
    with_problems,
    with_usage,
)
from ledger.recorder.record.draft import Captured, Draft
from ledger.recorder.record.kept_tables import statistics_of
from ledger.recorder.record.notebook import with_notebook
from ledger.recorder.record.options import named_files
from ledger.recorder.record.privacy import private_captured, private_draft, private_record
from ledger.recorder.record.redaction import redact_draft, redact_environment, redact_rest
from ledger.repository.process import Git
from ledger.repository.repository import Repository, read_author
from ledger.repository.worktree.omissions import PatchLimits
from ledger.settings import METADATA_SETTING
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry, homeless_dir, keep_waiting
from ledger.store.branch.policy import Policy
from ledger.store.branch.run_times import note_life, read_lives


class Recorded(Document, frozen=True, kw_only=True):
    """The result of recording a run."""

    record: Record
    """The record."""
    path: str
    """Its folder on the branch."""
    commit: str
    """Commit that holds it."""


def record(
    ledger: Branch | None, draft: Draft, *, state_dir: Path, strict: bool, progress: Progress | None = None
) -> Recorded:
    """Make the record of a run and append it to the ledger.

    Args:
        ledger: ledger to append to; none outside of a repository, so that the record can only wait.
        draft: draft of the run.
        state_dir: folder in which the record waits when it cannot be appended.
        strict: refuse what cannot be captured (a missing file, a taken dataset version) instead of
            recording the rest and saying so in the record.
        progress: receives how many files of a dataset are hashed, and of how many.

    Raises:
        LedgerError: strict, and something the user named cannot be captured; nothing was written.
        NotAppended: the record is made and safe in `state_dir`, but the branch cannot be written.
    """
    entry, made = build_entry(ledger, draft, strict=strict, progress=progress)
    try:
        commit = _append(ledger, entry, state_dir)
    except Conflict:
        if strict:
            raise
        # Another run has just added other data under the same label: look it up again.
        entry, made = build_entry(ledger, draft, strict=strict, progress=progress)
        commit = _append(ledger, entry, state_dir)
    if draft.timed and not draft.elsewhere:  # else what was written here meanwhile is not its result
        note_life(state_dir, draft.started_at, draft.ended_at)
    return Recorded(record=made, path=paths.run_path(draft.id), commit=commit)


def capture_now(
    ledger: Branch | None,
    folder: Path,
    *,
    python: Path | None = None,
    script: Path | None = None,
    named: Named | None = None,
    notebook: bool = False,
) -> Captured:
    """Return the results of the probes for now: code, hardware and environment; they never raise.

    Args:
        ledger: ledger whose repository holds the code.
        folder: folder in which the run works, for its disk.
        python: interpreter of the run, where it is another than this one.
        script: file of the program, where it is known.
        named: files that options name, which are therefore no code.
        notebook: whether the run is in a notebook.
    """
    policy = read_policy(ledger, strict=False)[0]
    redactor = Redactor(policy.secrets)
    repository = ledger.repository if ledger else None
    code, patch = capture_code(
        repository,
        redactor,
        rules=_rules(repository, policy, named or Named(), notebook=notebook) if repository else None,
        limits=PatchLimits(policy.limits.patch_file_bytes, policy.limits.patch_bytes),
        script=script,
        cache=StatCache(repository.state_dir / FILE) if repository else None,
    )
    environment, environment_file = capture_environment(python)

    def platforms() -> list[Platform]:
        return capture_platforms(
            Path("/"),
            os.environ,
            own=policy.platforms,
            secrets=policy.secrets,
            metadata=lambda: _may_ask(repository, policy),
        )

    return Captured(
        code=code,
        patch=patch,
        hardware=capture_hardware(folder, platforms),
        environment=environment,
        environment_file=environment_file,
        redactions=dict(redactor.counts),
    )


def _may_ask(repository: Repository | None, policy: Policy) -> bool:
    """Return whether a metadata service may be asked; a clone that says no has the last word."""
    said = repository.setting(METADATA_SETTING) if repository else None
    return policy.metadata if said is None else said.lower() in {"true", "yes", "on", "1"}


def _rules(repository: Repository, policy: Policy, named: Named, *, notebook: bool) -> CodeRules:
    return CodeRules(
        top=(repository.worktree or repository.git_dir).resolve(),
        untracked=policy.code.untracked,
        ignore=policy.code.ignore,
        named=named,
        lives=read_lives(repository.state_dir),
        notebook=notebook,
    )


def read_policy(ledger: Branch | None, *, strict: bool) -> tuple[Policy, str | None]:
    """Return the policy, and why the default is used where it could not be read.

    Raises:
        InvalidDocument: strict, and `policy.yaml` is damaged.
    """
    try:
        return (ledger.policy if ledger else Policy()), None
    except InvalidDocument as error:
        if strict:
            raise
        return Policy(), error.message


def build_entry(
    ledger: Branch | None,
    draft: Draft,
    *,
    strict: bool,
    progress: Progress | None = None,
    author: Author | None = None,
) -> tuple[Entry, Record]:
    """Return the entry that adds a run's record, with the record; nothing is written.

    Args:
        ledger: ledger that it is for.
        draft: draft of the run.
        strict: refuse what cannot be captured.
        progress: receives how many files of a dataset are hashed, and of how many.
        author: who makes it; git knows them by default, which takes 3 ms.

    Raises:
        LedgerError: strict, and something the user named cannot be captured.
    """
    policy, policy_problem = read_policy(ledger, strict=strict)
    redactor = Redactor(policy.secrets)
    captured = draft.captured or capture_now(ledger, Path.cwd(), named=named_files(draft))
    for kind, count in captured.redactions.items():
        redactor.counts[kind] = redactor.counts.get(kind, 0) + count
    draft = private_draft(redact_draft(draft, redactor), policy.privacy)
    captured = private_captured(captured, policy.privacy)
    author = author or (ledger.author() if ledger else read_author(Git(Path.cwd())))
    now = datetime.now(UTC)
    folder = paths.run_path(draft.id)
    files: dict[str, bytes] = {}
    side: dict[str, bytes] = {}
    if captured.patch:
        side[paths.PATCH_FILE] = captured.patch
    captured = redact_environment(captured, redactor)
    code = with_notebook(captured.code, draft, side, redactor, policy)
    if captured.environment_file is not None:
        side[paths.ENVIRONMENT_FILE] = dump(captured.environment_file)
    resolver = Resolver(ledger, author=author, now=now, strict=strict, progress=progress)
    datasets = datasets_of(draft, resolver, policy, files)
    hardware = with_usage(captured.hardware, draft)
    results = results_of(draft, datasets, policy, side, redactor, strict=strict)
    made = Record(
        format=RECORD_FORMAT,
        id=draft.id,
        status=draft.status,
        reason=draft.reason,
        exit_code=draft.exit_code,
        experiment=draft.experiment,
        tags=draft.tags,
        note=draft.note,
        author=author,
        command=draft.command,
        folder=draft.folder,
        seed=draft.seed,
        parent=named_run(ledger, draft.parent, strict=strict),
        children=draft.children,
        baseline=named_run(ledger, draft.baseline, strict=strict),
        links=draft.links,
        timing=timing_of(draft, now),
        code=code,
        params=params_of(draft, policy),
        datasets=with_problems(datasets, "datasets", draft),
        hardware=hardware,
        environment=with_imported(captured.environment, draft.imported),
        cost=cost_of(hardware, draft, policy, policy_problem),
        model=with_problems(model_of(draft, redactor, strict=strict), "model", draft),
        logs=with_problems(logs_of(draft, side, redactor, strict=strict), "logs", draft),
        results=results,
        statistics=statistics_of(
            draft,
            side,
            metrics=results.metrics,
            uses=datasets.used,
            redactor=redactor,
            limit=policy.limits.table_bytes,
            strict=strict,
        ),
        imported=draft.origin,
        tool=TOOL,
    )
    made = standing(private_record(redact_rest(made, redactor), side, policy.privacy), strict=strict)
    files[f"{folder}/{paths.RECORD_FILE}"] = dump(made)
    files |= {f"{folder}/{name}": content for name, content in side.items()}
    commit = captured.code.commit
    keep = [commit.removeprefix("git:")] if commit and captured.code.pushed is False else []
    entry = Entry(
        id=draft.id,
        files=files,
        message=redactor.text(record_message(made, folder)),
        author=author,
        made_at=now,
        keep=keep,
        home=str(ledger.repository.common_dir.resolve()) if ledger else None,
    )
    return entry, made


def _append(ledger: Branch | None, entry: Entry, state_dir: Path) -> str:
    try:
        if ledger is None:
            raise LedgerError("no git repository here", hint="inside a repository: ledger recover --homeless")  # noqa: TRY301  # it waits like every other one
        return ledger.append(entry).commit
    except Conflict:
        raise
    except LedgerError as error:
        try:
            path = keep_waiting(state_dir, entry)
        except OSError as disk:
            why = (disk.strerror or str(disk)).lower()
            raise LedgerError(
                f"{error.message}; the record could not be kept anywhere else either ({why}): `{disk.filename}`",
                hint=error.hint,
            ) from disk
        hint = error.hint or "ledger recover"
        if path.is_relative_to(homeless_dir()) and hint.endswith("ledger recover"):
            hint += " --homeless"
        raise NotAppended(f"{error.message}; the record is safe in: `{path}`", hint=hint) from error
