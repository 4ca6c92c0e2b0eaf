"""The place of a dataset version's manifest on the branch, and the comparison of two manifests.

Up to 4,096 files it is one file beside `dataset.json`. A larger one is cut into shards by the hash of each path, so
that a version which changes a few files of a million adds a few shards and shares all others with its parent. They lie
outside of `datasets/`: who asks for runs and versions never lists them. See `.github/decisions/manifests.md`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from ledger.data.version.difference import VersionDifference, diff_lines, diff_manifests
from ledger.data.version.listing import Lines, Manifest, load_lines, manifest_of_text, path_of
from ledger.data.version.stat_cache import FILE, StatCache
from ledger.errors import InvalidDocument, NotFound
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.entries import DatasetVersion, ManifestLine
from ledger.store.branch.branch import Branch

WHOLE_UP_TO = 4096
"""Most files in a manifest of a single file: 500 KB, less than the trees of its shards would save."""
_PER_SHARD = 64
"""Most lines of a shard on average: 8 KB, so that 100 files changed of 1,000,000 add 100 shards, under 1 MB."""
_HASHED_BITS = 64


def manifest_files(name: str, version: str, manifest: Manifest) -> dict[str, bytes]:
    """Return the content of each file on the branch that holds a manifest, by path.

    Raises:
        LedgerError: name or version cannot stand in a path.
    """
    if manifest.files <= WHOLE_UP_TO:
        return {f"{paths.dataset_path(name, version)}/{paths.MANIFEST_FILE}": manifest.lines.text}
    bits = (-(-manifest.files // _PER_SHARD) - 1).bit_length()
    shards: dict[int, list[bytes]] = defaultdict(list)
    for path, text in manifest.lines.texts():
        shards[_shard_of(path, bits)].append(text)
    folder = paths.shards_path(name, version)
    return {f"{folder}/{_shard_name(shard, bits)}": b"".join(lines) for shard, lines in sorted(shards.items())}


def read_manifest(ledger: Branch, version: DatasetVersion) -> Manifest:
    """Return the manifest of a version on the ledger.

    Raises:
        NotFound: it has none.
        InvalidDocument: it cannot be read, or is not what the version says.
        LedgerError: git cannot read the branch.
    """
    shards = _read_shards(ledger, version)
    contents = ledger.repository.read_objects(shards.values())
    manifest = join_shards((data or b"" for data in contents), version.label)
    if manifest.hash != version.hash:
        raise InvalidDocument(
            version.label,
            [f"its manifest does not match the hash of the version: `{manifest.hash}`"],
            hint="ledger verify",
        )
    return manifest


def read_difference(ledger: Branch, old: DatasetVersion, new: DatasetVersion) -> VersionDifference:
    """Return the differences between two versions, from only those parts of their manifests that differ.

    Raises:
        NotFound: one has no manifest.
        InvalidDocument: a part cannot be read.
        LedgerError: git cannot read the branch.
    """
    if old.hash == new.hash:
        return VersionDifference()
    before, after = _read_shards(ledger, old), _read_shards(ledger, new)
    # Each path is in one shard of a version, and equal shards have equal content. However the two versions are
    # cut, the remaining shards hold all differences.
    gone = [blob for shard, blob in before.items() if after.get(shard) != blob]
    come = [blob for shard, blob in after.items() if before.get(shard) != blob]
    if len(gone) + len(come) > len(before):  # little is shared: two whole manifests are smaller
        return diff_manifests(read_manifest(ledger, old), read_manifest(ledger, new))
    return diff_lines(_read_lines(ledger, gone, old), _read_lines(ledger, come, new))


def hash_cache(ledger: Branch | None) -> StatCache | None:
    """Return the cache of file hashes beside a ledger; none where there is no ledger."""
    return StatCache(ledger.repository.state_dir / FILE) if ledger else None


def join_shards(contents: Iterable[bytes], source: str) -> Manifest:
    """Return the manifest that shards hold, in any order.

    Raises:
        InvalidDocument: one is malformed, or two of them hold one path; every problem is named.
    """
    texts: list[bytes] = []
    problems: list[str] = []
    size = 0
    for content in contents:
        try:
            lines = load_lines(content, source)
        except InvalidDocument as error:
            problems += error.problems
            continue
        size += sum(line.bytes for line in lines)
        texts += Lines.of(lines).text.splitlines(keepends=True)
    texts.sort(key=path_of)
    before = None
    for text in texts:
        path = path_of(text)
        if path == before:
            problems.append(f"path: it is in two shards: `{ascii(path)[1:-1][:80]}`")
        before = path
    if problems or not texts:
        raise InvalidDocument(source, problems[:20] or ["it lists no files"])
    return manifest_of_text(b"".join(texts), size)


def group_shards(files: Collection[str]) -> dict[str, list[str]]:
    """Return the paths of all shards on the branch, by the folder of their version's shards."""
    groups: dict[str, list[str]] = defaultdict(list)
    for path in files:
        if path.startswith(f"{paths.SHARDS}/"):
            groups["/".join(path.split("/")[:3])].append(path)
    return groups


def _shard_of(path: str, bits: int) -> int:
    return int(hash_bytes(path.encode()).partition(":")[2][: _HASHED_BITS // 4], 16) >> (_HASHED_BITS - bits)


def _shard_name(shard: int, bits: int) -> str:
    """Return folder and file name of a shard, half of its bits each, so that no git tree grows long."""
    low = bits // 2
    folder, file = shard >> low, shard & ((1 << low) - 1)
    return f"{folder:0{-(-(bits - low) // 4)}x}/{file:0{-(-low // 4)}x}.jsonl"


def _read_shards(ledger: Branch, version: DatasetVersion) -> Mapping[str, str]:
    """Return the blob id of each part of a version's manifest, by name."""
    whole = f"{paths.dataset_path(version.name, version.version)}/{paths.MANIFEST_FILE}"
    folder = paths.shards_path(version.name, version.version)
    tip = ledger.tip()
    files = ledger.repository.read_tree(tip, [whole, f"{folder}/"]) if tip else []
    # A version that was added twice, by releases of the tool that cut it in different ways, has both.
    alone = [file for file in files if file.path == whole]
    shards = {file.path.removeprefix(folder): file.blob for file in alone or files}
    if not shards:
        raise NotFound(f"the ledger holds no manifest of this dataset version: `{version.label}`")
    return shards


def _read_lines(ledger: Branch, blobs: list[str], version: DatasetVersion) -> list[ManifestLine]:
    contents = ledger.repository.read_objects(blobs) if blobs else iter(())
    return [line for data in contents for line in load_lines(data or b"", version.label)]
