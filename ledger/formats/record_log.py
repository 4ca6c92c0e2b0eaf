"""Records in the framing of LevelDB's log: blocks of 32 KiB, and in them records, whole or in parts.

Source: https://github.com/google/leveldb/blob/main/doc/log_format.md. The checksum here is a plain CRC-32 of kind and
content, as W&B writes it, and not LevelDB's own.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from ledger.model.values import counted

_BLOCK = 1 << 15
_HEAD = struct.Struct("<IHB")
"""Before a part: checksum, length and kind."""
_WHOLE, _FIRST, _LAST = 1, 2, 4
"""Kinds of parts; 3 is one between the first and the last."""
_MOST_BYTES = 256 << 20
"""Longest record that is put together."""


def read_log_records(file: BinaryIO, damage: list[str]) -> Iterator[bytes]:
    """Yield the records of a log; what is broken is left out up to the end of its block, and named.

    Args:
        file: the log, at its first record.
        damage: phrases for what is broken, which are added at the end.

    Raises:
        OSError: the file cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    record: bytearray | None = None
    broken = 0
    is_torn = False
    while block := file.read(_BLOCK - file.tell() % _BLOCK):
        for kind, part in _parts(block):
            if part is None:
                is_torn = file.tell() >= size
                broken += not is_torn
                record = None
            elif kind in {_WHOLE, _FIRST}:
                broken += record is not None
                record = bytearray(part)
            elif record is None or len(record) > _MOST_BYTES:
                broken += record is not None  # the damage before it is counted already
                record = None
            else:
                record += part
            if record is not None and kind in {_WHOLE, _LAST}:
                yield bytes(record)
                record = None
    if is_torn or record is not None:
        damage.append("the end of its file, which was not written whole")
    if broken:
        damage.append(f"{counted(broken, 'damaged place')} of its file")


def _parts(block: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Yield kind and content of the parts in a block; no content where it is broken, and nothing follows."""
    at = 0
    while len(block) - at >= _HEAD.size:
        checksum, length, kind = _HEAD.unpack_from(block, at)
        at += _HEAD.size
        part = block[at : at + length]
        if not kind and not length:
            return  # space that was reserved, and not written
        if len(part) < length or zlib.crc32(part, zlib.crc32(bytes([kind]))) != checksum:
            yield kind, None
            return
        yield kind, part
        at += length
    if any(block[at:]):
        yield 0, None
