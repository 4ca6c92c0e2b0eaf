"""One path from what a run left behind to an entry on the ledger, whoever asks for it."""

from ledger.recorder.draft import Captured as Captured
from ledger.recorder.draft import Dataset as Dataset
from ledger.recorder.draft import Draft as Draft
from ledger.recorder.draft import FigureSource as FigureSource
from ledger.recorder.evaluation import evaluate as evaluate
from ledger.recorder.record import Recorded as Recorded
from ledger.recorder.record import record as record
