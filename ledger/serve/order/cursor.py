"""Where a training is in its plan: what goes into its checkpoint, and comes back from it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model.feed import FeedPlan
from ledger.serve.order.plan import BatchPlan

_CHECK = slice(7, 15)
"""Place of the eight digits of a field's hash that a state keeps, to tell what differs."""


class Cursor(NamedTuple):
    """The next batch of a training."""

    epoch: int
    """Its epoch."""
    number: int
    """Its number; the end of the epoch where that is over."""

    def state(self, plan: BatchPlan) -> dict[str, Any]:
        """Return it as three values that every format of checkpoints holds."""
        return {"plan": f"{plan.digest} {_checks(plan.facts)}", "epoch": self.epoch, "batch": self.number}


def load_cursor(state: Mapping[str, Any], plan: BatchPlan) -> Cursor:
    """Return the cursor in a checkpoint.

    Raises:
        LedgerError: it belongs to another plan, or is none.
    """
    match dict(state):
        case {"plan": str(named), "epoch": int(epoch), "batch": int(number)} if epoch >= 0 and number >= 0:
            pass
        case _:
            raise LedgerError(f"the state of a feed has a plan, an epoch and a batch: `{sorted(state)}`")
    digest, _, checks = named.partition(" ")
    if digest != plan.digest:
        names = [name.replace("_", " ") for name in FeedPlan.__struct_fields__]
        theirs, ours = checks.split("."), _checks(plan.facts).split(".")
        pairs = zip(names, theirs, ours, strict=True) if len(theirs) == len(ours) else ()
        differ = [name for name, one, other in pairs if one != other]
        raise LedgerError(
            f"the checkpoint was made under another plan, which differs in: `{', '.join(differ) or 'its format'}`",
            hint="give the batches the same dataset, seed, batch size and order",
        )
    return Cursor(epoch, min(number, plan.end(epoch)))


def _checks(facts: FeedPlan) -> str:
    values = (msgspec.json.encode(getattr(facts, name), order="deterministic") for name in facts.__struct_fields__)
    return ".".join(hash_bytes(value)[_CHECK] for value in values)
