"""What inputs of hostile sizes cost: CPU seconds at a size and at twice that, and whether they grow in proportion.

`--quick` takes a tenth of each size, once. A line says `no` where twice the input costs more than three times as much
and more than a tenth of a second: on a shared machine less says nothing.
"""

import argparse
import http.client
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from ledger.capture.curves import read_curves
from ledger.capture.logs import summarise_log
from ledger.capture.metrics import read_metrics
from ledger.capture.params import read_params
from ledger.capture.secrets import Redactor
from ledger.data.manifest import build_manifest
from ledger.errors import LedgerError
from ledger.model import boxes
from ledger.model.document import dump
from ledger.model.record import Record
from ledger.publish.build import build_site
from ledger.model.entries import Contents
from ledger.repository.blobs import blob_reader
from ledger.store.check.documents import load_checked
from ledger.store.inbox import fold_inbox
from ledger.store.ledger import Ledger
from ledger.store.policy import load_policy
from ledger.store.selection import list_runs
from ledger.store.verify import verify
from tests.benchmarks.ledgers import entry_of, ledger_of
from tests.benchmarks.measuring import cpu_seconds, quiet_world, run, show
from tests.samples import START, Blobs, keep_beside, sample_reader, sample_run
