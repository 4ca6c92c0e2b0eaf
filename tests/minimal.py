"""The smallest record there is: every box says that nothing is known, or says nothing."""

from datetime import UTC, datetime

import msgspec

from ledger.model.boxes.code import Code
from ledger.model.boxes.cost import Cost
from ledger.model.boxes.inputs import Datasets, Params
from ledger.model.boxes.machine import Environment, Hardware
from ledger.model.boxes.outputs import Logs, Model, Results, Statistics
from ledger.model.record import RECORD_FORMAT, Author, Record, Timing

NOW = datetime(2026, 11, 20, 19, 48, 12, 123456, tzinfo=UTC)
ADA = Author(name="Ada", email="ada@example.com")
TOOL = "git-ledger 0.1.0"


def minimal_record(**changes: object) -> Record:
    """Return the record with these fields changed."""
    record = Record(
        format=RECORD_FORMAT,
        id="20261120-194812-abcdef",
        status="finished",
        experiment="x",
        author=ADA,
        timing=Timing(started_at=NOW, ended_at=NOW, duration_seconds=0.0, recorded_at=NOW),
        code=Code(unknown={"all": "why"}),
        params=Params(),
        datasets=Datasets(),
        hardware=Hardware(),
        environment=Environment(),
        cost=Cost(),
        model=Model(),
        logs=Logs(),
        results=Results(),
        statistics=Statistics(),
        tool=TOOL,
    )
    return msgspec.structs.replace(record, **changes)
