"""Leaves out of a record what the policy's `privacy:` names: host, e-mail, home folder, interpreter."""

import re
from pathlib import Path

import msgspec

from ledger.hashing import hash_bytes
from ledger.model.document import dump, load
from ledger.model.paths import LOG_FILE
from ledger.model.record import Record
from ledger.recorder.draft import Captured
from ledger.store.policy import Privacy

LEFT_OUT = "the policy leaves it out"
_AFTER = rb"""(?=[/"'\\\s:,;)\]}>]|$)"""
"""What may follow the path of a home folder: a longer name is another folder."""


def private_captured(captured: Captured, privacy: Privacy) -> Captured:
    """Return what the probes saw without what is private; hashes are those of what is left."""
    hardware, file, environment = captured.hardware, captured.environment_file, captured.environment
    if privacy.host:
        unknown = {**hardware.unknown, "host": LEFT_OUT}
        hardware = msgspec.structs.replace(hardware, host=None, unknown=unknown)
    if privacy.interpreter:
        file = msgspec.structs.replace(file, executable=LEFT_OUT)
    if privacy.home:
        file = load(_without_home(dump(file)), type(file), source="environment.json")
    if file is not captured.environment_file:
        environment = msgspec.structs.replace(environment, hash=hash_bytes(dump(file)))
    return msgspec.structs.replace(captured, hardware=hardware, environment=environment, environment_file=file)


def private_record(record: Record, side: dict[str, bytes], privacy: Privacy) -> Record:
    """Return the record, and change the log beside it, without paths of the home folder."""
    if not privacy.home:
        return record
    if LOG_FILE in side:
        side[LOG_FILE] = _without_home(side[LOG_FILE])
    return load(_without_home(dump(record)), Record, source="record.json")


def _without_home(data: bytes) -> bytes:
    try:
        homes = {str(Path.home()), str(Path.home().resolve())} - {"/"}
    except (RuntimeError, OSError):
        return data
    for home in sorted(homes, key=len, reverse=True):
        data = re.sub(re.escape(home.encode()) + _AFTER, b"~", data)
    return data
