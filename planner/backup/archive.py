"""The archive: a zip of tables as lines of JSON, files, and a manifest that knows the hash of each.

Whoever restores one may have got it from anywhere, so that reading believes nothing: neither names nor sizes.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from planner.errors import BackupError
from planner.repository import Values

FORMAT = "fieldvisit-backup/1"
MANIFEST = "manifest.json"
HOME_FILES = ("settings.toml", "key")
"""What of the home folder is small and made by nobody again."""

MOST_MEMBERS = 10_000
MOST_BYTES_UNPACKED_EACH = 200
"""A byte of the archive unpacks to; deflate could make a thousand of it, and our tables are about ten."""
ALWAYS_BYTES_UNPACKED = 100 << 20
MOST_BYTES_OF_A_ROW = 256 << 20
MOST_BYTES_OF_A_MANIFEST = 16 << 20
_PIECE = 1 << 20

_NAME = re.compile(
    rf"tables/[a-z_]{{1,40}}\.jsonl|home/({'|'.join(map(re.escape, HOME_FILES))})"
    r"|areas/[A-Za-z0-9][A-Za-z0-9_-]{0,63}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}){1,3}"
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself.

    Attributes:
        format: of the archive.
        fieldvisit: the version of the program that wrote it.
        schema: the shape of the rows.
        created_at: when the rows were as they are in it, in ISO 8601.
        rows: how many there are of each table.
        audit_entries: how many entries the audit log has.
        audit_head: the hash of the last one.
        audit_broken: where the log was broken already when it was saved; empty for nowhere.
        members: all files but the manifest, by name.
    """

    format: str
    fieldvisit: str
    schema: str
    created_at: str
    rows: Mapping[str, int]
    audit_entries: int
    audit_head: str
    audit_broken: str
    members: Mapping[str, Member]


class Writer:
    """An archive that is being written into an open file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self.members: dict[str, Member] = {}

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """One more file."""
        size, digest = 0, hashlib.sha256()
        with self._zip.open(name, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                digest.update(piece)
                size += len(piece)
        self.members[name] = Member(size, digest.hexdigest())

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self.add(name, iter(lambda: file.read(_PIECE), b""))

    def close(self, manifest: Manifest) -> None:
        """The manifest is the last to be written."""
        self._zip.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        self._zip.close()


class Archive:
    """An archive that is read. What it raises is BackupError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = path.stat().st_size
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError) as error:
            raise self._refused(f"is no backup: {error}") from error
        try:
            self.manifest = self._manifest()
            self._check_members()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def check(self) -> None:
        """Read every file and compare its hash with the manifest's."""
        for name in self.manifest.members:
            for _ in self.pieces(name):
                pass

    def names(self, folder: str) -> list[str]:
        """Those below `folder/`."""
        return sorted(name for name in self.manifest.members if name.startswith(f"{folder}/"))

    def pieces(self, name: str) -> Iterator[bytes]:
        """A file's content; raises at its end where that was not what the manifest says."""
        digest = hashlib.sha256()
        try:
            with self._zip.open(name) as member:
                while piece := member.read(_PIECE):
                    digest.update(piece)
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise self._refused(f"is damaged in {name}: {error}") from error
        if digest.hexdigest() != self.manifest.members[name].sha256:
            raise self._refused(f"is damaged: {name} is not what was saved")

    def rows(self, table: str) -> Iterator[Values]:
        """The rows of a table."""
        name, number, rest = f"tables/{table}.jsonl", 0, b""
        for piece in self.pieces(name):
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > MOST_BYTES_OF_A_ROW:
                raise self._refused(f"holds a row in {name} that is too long")
            for line in lines:
                number += 1
                yield self._row(name, number, line)
        if rest or number != self.manifest.rows.get(table):
            raise self._refused(f"has not as many rows in {name} as it says")

    def _row(self, name: str, number: int, line: bytes) -> Values:
        row = self._json(f"line {number} of {name}", line)
        if not isinstance(row, dict):
            raise self._refused(f"holds no row in line {number} of {name}")
        return row

    def _manifest(self) -> Manifest:
        try:
            info = self._zip.getinfo(MANIFEST)
        except KeyError:
            raise self._refused(f"is no backup: there is no {MANIFEST} in it") from None
        self._check_packing(info, MOST_BYTES_OF_A_MANIFEST)
        try:
            said = self._json(MANIFEST, self._zip.read(info))
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise self._refused(f"is damaged in {MANIFEST}: {error}") from error
        if not isinstance(said, dict) or not str(said.get("format")).startswith("fieldvisit-backup/"):
            raise self._refused("is no backup of fieldvisit's")
        if said["format"] != FORMAT:
            raise self._refused(f"is of format {said['format']}, and this program reads {FORMAT}: update it")
        try:
            manifest = Manifest(
                **{**said, "members": {name: Member(**member) for name, member in said["members"].items()}}
            )
            datetime.fromisoformat(manifest.created_at)
            fits = all(
                isinstance(getattr(manifest, name), kind)
                for name, kind in (("schema", str), ("rows", dict), ("audit_entries", int), ("audit_head", str))
            )
        except (TypeError, ValueError, AttributeError, KeyError):
            fits = False
        if not fits:
            raise self._refused("has a manifest that this program does not understand")
        return manifest

    def _check_members(self) -> None:
        infos = {info.filename: info for info in self._zip.infolist()}
        infos.pop(MANIFEST)
        if len(infos) != len(self._zip.infolist()) - 1 or infos.keys() != self.manifest.members.keys():
            raise self._refused("holds other files than its manifest says")
        if len(infos) > MOST_MEMBERS:
            raise self._refused("holds too many files")
        for name, info in infos.items():
            if not _NAME.fullmatch(name):
                raise self._refused(f"holds a file with a name that no backup has: {name!r}")
            if info.file_size != self.manifest.members[name].size:
                raise self._refused(f"is damaged: {name} is not as long as its manifest says")
            self._check_packing(info, max(ALWAYS_BYTES_UNPACKED, MOST_BYTES_UNPACKED_EACH * self._size))
        if sum(info.file_size for info in infos.values()) > max(
            ALWAYS_BYTES_UNPACKED, MOST_BYTES_UNPACKED_EACH * self._size
        ):
            raise self._refused("would unpack to far more than a backup does")
        tables = {name.removeprefix("tables/").removesuffix(".jsonl") for name in self.names("tables")}
        if tables != self.manifest.rows.keys():
            raise self._refused("has not the tables that its manifest says")

    def _check_packing(self, info: zipfile.ZipInfo, most: int) -> None:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise self._refused(f"has packed {info.filename!r} in a way that no backup is")
        if info.file_size > most:
            raise self._refused("would unpack to far more than a backup does")

    def _json(self, what: str, text: bytes) -> Any:
        try:
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise self._refused(f"is damaged: {what} is no JSON: {error}") from error

    def _refused(self, why: str) -> BackupError:
        return BackupError(f"{self._path} {why}")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")
