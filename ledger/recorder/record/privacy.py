"""Removal from a record of what the policy's `privacy:` names: host, e-mail, home folder, interpreter, platforms."""

from typing import TypeVar

import msgspec

from ledger.capture.machine.platforms.platform_table import MACHINES
from ledger.hashing import hash_bytes
from ledger.model.boxes.machine import Hardware, Node, Platform, RankLife
from ledger.model.document import dump, load
from ledger.model.paths import LOG_FILE
from ledger.model.record import Attempt, Record
from ledger.recorder.record.draft import Captured, Draft
from ledger.store.branch.policy import Privacy
from ledger.store.branch.privacy import without_home

T = TypeVar("T", Draft, Hardware, Node)
"""What has GPUs."""
LEFT_OUT = "the policy leaves it out"


def private_draft(draft: Draft, privacy: Privacy) -> Draft:
    """Return the draft with numbers for the names of its hosts, where the policy leaves them out."""
    named: list[Node | RankLife | Attempt] = [*draft.nodes, *draft.ranks, *draft.attempts]
    if not privacy.host:
        return draft
    draft = _without_ids(draft)
    if not named:
        return draft
    hosts = dict.fromkeys(one.host for one in named)
    names = {host: f"host {number}" for number, host in enumerate(hosts, 1)}
    return msgspec.structs.replace(
        draft,
        nodes=[_without_ids(msgspec.structs.replace(node, host=names[node.host])) for node in draft.nodes],
        attempts=[msgspec.structs.replace(one, host=names[one.host]) for one in draft.attempts],
        ranks=[msgspec.structs.replace(life, host=names[life.host]) for life in draft.ranks],
    )


def private_captured(captured: Captured, privacy: Privacy) -> Captured:
    """Return the results of the probes without private parts; hashes are those of the remaining content."""
    hardware, file, environment = captured.hardware, captured.environment_file, captured.environment
    if privacy.host:
        unknown = {**hardware.unknown, "host": LEFT_OUT}
        platforms = [_without_host(platform, hardware.host) for platform in hardware.platforms]
        hardware = msgspec.structs.replace(hardware, host=None, unknown=unknown, platforms=platforms)
        hardware = _without_ids(hardware)
    if privacy.platforms and hardware.platforms:
        unknown = {**hardware.unknown, "platforms": LEFT_OUT}
        hardware = msgspec.structs.replace(hardware, platforms=[], unknown=unknown)
    if file is None:
        return msgspec.structs.replace(captured, hardware=hardware)
    if privacy.interpreter:
        file = msgspec.structs.replace(file, executable=LEFT_OUT)
    if privacy.home:
        file = load(without_home(dump(file)), type(file), source="environment.json")
    if file is not captured.environment_file:
        environment = msgspec.structs.replace(environment, hash=hash_bytes(dump(file)))
    return msgspec.structs.replace(captured, hardware=hardware, environment=environment, environment_file=file)


def _without_ids(holder: T) -> T:
    """Return something with GPUs without the ids of its cards, which name the machine as well as its name does."""
    return msgspec.structs.replace(holder, gpus=[msgspec.structs.replace(gpu, uuid=None) for gpu in holder.gpus])


def _without_host(platform: Platform, host: str | None) -> Platform:
    """Return a platform without a job that is the machine, or is named like it, as a pod is."""
    told = f"{platform.job} {platform.link}"
    if platform.name not in MACHINES and not (host and host in told):
        return platform
    return msgspec.structs.replace(platform, job=None, link=None)


def private_record(record: Record, side: dict[str, bytes], privacy: Privacy) -> Record:
    """Return the record without paths of the home folder, and remove them from the log beside it, too."""
    if not privacy.home:
        return record
    if LOG_FILE in side:
        side[LOG_FILE] = without_home(side[LOG_FILE])
    return load(without_home(dump(record)), Record, source="record.json")
