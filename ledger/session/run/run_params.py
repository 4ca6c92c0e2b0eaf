"""The params of a living run: read as a mapping, added to by a call."""

from collections.abc import Iterator, Mapping

from ledger.capture.inputs.params import flatten_known
from ledger.errors import LedgerError
from ledger.model.values import ParamValue
from ledger.session.run.lifetime import Lifetime
from ledger.session.spool.events import ParamsEvent


class RunParams(Mapping[str, ParamValue]):
    """The params of a run as known in this process, by dotted name: `run.params["optimizer.lr"]`.

    Args:
        life: lifetime of the run in this process.
        values: params at its start.
        missing: params without a value, and why.
    """

    def __init__(self, life: Lifetime, values: Mapping[str, ParamValue], missing: Mapping[str, str]) -> None:
        self._life = life
        self._values = dict(values)
        self._note_missing(missing)

    def __call__(self, values: Mapping[str, object] | None = None, /, **more: object) -> None:
        """Add params that became known later: `run.params(lr=0.1)`; they replace params of the same name."""
        with self._life.harmless("params"):
            chosen, missing = flatten_known({**(values or {}), **more})
            self._values |= chosen
            self._life.say(ParamsEvent(values=chosen))
            self._note_missing(missing)

    def _note_missing(self, missing: Mapping[str, str]) -> None:
        for name, why in missing.items():
            self._life.problem(f"params.{name}", LedgerError(why))

    def __getitem__(self, name: str) -> ParamValue:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)
