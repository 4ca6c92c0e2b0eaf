"""Changes to `policy.yaml` on the branch, each in one commit: nothing is checked out, and no entry can be lost."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from ledger import __version__
from ledger.errors import Conflict, InvalidDocument, LostRace, UsageError
from ledger.model.paths import POLICY_FILE
from ledger.model.values import plain
from ledger.repository.history.append import append_commit
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import list_keys, load_policy
from ledger.store.integrity.policy_rights import policy_at, signed_change

_TRIES = 20


def read_policy_text(ledger: Branch) -> str:
    """Return `policy.yaml` as it is on the branch; empty where there is none.

    Raises:
        LedgerError: git cannot read the branch.
    """
    return (ledger.read(POLICY_FILE) or b"").decode("utf-8", "replace")


def change_policy(ledger: Branch, change: Callable[[str], str], message: str) -> str | None:
    """Commit a changed policy and return the commit; none where nothing changes.

    Args:
        ledger: ledger of the policy; its branch is created where it is missing.
        change: returns the new text for the present one; called again after a lost race.
        message: first line of the commit message.

    Raises:
        InvalidDocument: the new policy is none.
        LostRace: other writers moved the branch first too many times in a row.
        LedgerError: git cannot write; the branch is as it was.
    """
    author, now = ledger.author(), datetime.now(UTC)
    ledger.create(author, now)
    for _ in range(_TRIES):
        with ledger.writing() as turn:
            tip = ledger.tip()
            before = read_policy_text(ledger)
            after = change(before)
            if after == before:
                return None
            load_policy(after.encode())
            signed = signed_change(
                ledger.repository, policy_at(ledger.repository, tip), POLICY_FILE, before.encode(), after.encode()
            )
            try:
                return append_commit(
                    ledger.repository,
                    ledger.ref,
                    parent=tip,
                    files={POLICY_FILE: after.encode()} | signed,
                    message=f"{message}\n\nLedger-Tool: git-ledger {__version__}\n",
                    author=author,
                    now=now,
                    inherited=turn.descriptor,
                )
            except LostRace:
                continue
    raise LostRace("other writers moved the branch first too many times in a row", hint="try again")


def replaced(before: str, after: str) -> Callable[[str], str]:
    """Return the change from one text to another, refused where the policy is no longer the edited one."""

    def change(present: str) -> str:
        if present != before:
            raise Conflict("somebody else changed the policy in the meantime", hint="ledger policy edit")
        return after

    return change


def with_value(text: str, key: str, values: Sequence[str]) -> str:
    """Return a policy with a value set; for a list, with the values added.

    Args:
        text: text of the policy.
        key: dotted, such as `code.ignore` or `directions.validation/score`.
        values: one, or for a list several, as YAML.

    Raises:
        UsageError: no value, or several for what takes one.
        InvalidDocument: the policy, or the result, is invalid.
    """
    if not values:
        raise UsageError(f"no value was given for: `{key}`", hint=f"ledger policy set {key} VALUE")
    found = [_value(one) for one in values]
    if None in found:
        raise UsageError(f"an empty value cannot be set for: `{key}`", hint=f"ledger policy unset {key}")
    return _edited(text, key, lambda present: _set(key, present, found))


def without_value(text: str, key: str, values: Sequence[str]) -> str:
    """Return a policy with a key removed, or with some values removed from its list.

    Raises:
        UsageError: it is not in the policy.
        InvalidDocument: the policy, or the result, is invalid.
    """
    gone = [_value(one) for one in values]

    def change(present: object) -> object:
        if present is None:
            raise UsageError(f"the policy does not set: `{key}`", hint="ledger policy show")
        if not gone:
            return None
        kept = [one for one in present if one not in gone] if isinstance(present, list) else None
        return kept or None

    return _edited(text, key, change)


def _value(text: str) -> object:
    """Return a value as YAML reads it; what YAML cannot read, such as `*.log`, is text."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    except ValueError as error:  # such as the 30th of February
        raise UsageError(f"the value cannot be read: {error}: `{plain(text)[:80]}`") from error


def _set(key: str, present: object, values: list[object]) -> object:
    if isinstance(present, list) or key in list_keys():
        known = list(present) if isinstance(present, list) else []
        return [*known, *(one for one in values if one not in known)]
    if len(values) > 1:
        raise UsageError(f"only one value can be set for: `{key}`", hint=f"ledger policy set {key} VALUE")
    return values[0]


def _edited(text: str, key: str, change: Callable[[object], object]) -> str:
    """Rewrite one top-level block, and leave all others as people wrote them, comments included."""
    import yaml

    try:
        whole = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise InvalidDocument(POLICY_FILE, [" ".join(str(error).split())]) from error
    if not isinstance(whole, dict):
        raise InvalidDocument(POLICY_FILE, ["it must hold a mapping, such as `directions:`"])
    top, _, rest = key.partition(".")
    block = _changed(whole.get(top), rest, change)
    lines = text.splitlines(keepends=True)
    start, end = _block(lines, top)
    written = "" if block in (None, {}, []) else yaml.safe_dump({top: block}, sort_keys=False, allow_unicode=True)
    before = "".join(lines[:start])
    if start == len(lines) and before and not before.endswith("\n"):
        before += "\n"
    return before + written + "".join(lines[end:])


def _changed(block: object, rest: str, change: Callable[[object], object]) -> object:
    if not rest:
        return change(block)
    inner = dict(block) if isinstance(block, dict) else {}
    # Names of metrics contain dots, too: a key that exists as written takes precedence.
    name, _, deeper = (rest, "", "") if rest in inner or "/" in rest else rest.partition(".")
    value = _changed(inner.get(name), deeper, change)
    if value in (None, {}, []):
        inner.pop(name, None)
    else:
        inner[name] = value
    return inner


def _block(lines: Sequence[str], top: str) -> tuple[int, int]:
    """Return where a top-level block begins and ends; the end of the text where it does not exist."""
    start = next((at for at, line in enumerate(lines) if line.startswith((f"{top}:", f'"{top}":'))), len(lines))
    end = start + 1
    while end < len(lines) and (lines[end].startswith((" ", "\t", "-")) or not lines[end].strip()):
        end += 1
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    return start, min(end, len(lines))
