"""The one path from what a run left behind to an entry on the ledger."""

from ledger.recorder.record.draft import Captured as Captured
from ledger.recorder.record.draft import Dataset as Dataset
from ledger.recorder.record.draft import Draft as Draft
from ledger.recorder.record.draft import FigureSource as FigureSource
from ledger.recorder.record.recorder import Recorded as Recorded
from ledger.recorder.record.recorder import record as record
from ledger.recorder.statements.evaluation import evaluate as evaluate
