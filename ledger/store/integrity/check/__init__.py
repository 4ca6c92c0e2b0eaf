"""The rules by which commits are let onto the ledger, a file for each topic; `check_range.py` asks them all."""

from ledger.store.integrity.check.answer import Checked
from ledger.store.integrity.check.check_range import check_range
from ledger.store.integrity.findings import Finding

__all__ = ["Checked", "Finding", "check_range"]
