"""Attachments: files that accompany a move; bounded, told by their content, kept once, read through their case.

What hangs on no case is bounded for each party, and goes after a day.
"""

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row, tuple_row

from ledger import audit
from ledger.content import ENDINGS, AttachmentError, check_whole, sniff
from ledger.database import in_words, query
from ledger.principal import Principal

__all__ = ["ENDINGS", "AttachmentError", "File", "NoSuchAttachmentError", "QuotaError", "TooLargeError", "clean_name",
           "hang", "read", "store", "sweep"]  # fmt: skip

MOST_BYTES = 10 << 20
"""Size of a file [bytes]."""

MOST_LOOSE = 200 << 20
"""All files of a party that hang on no case [bytes]."""

MOST_NAME = 120
"""Characters of a name."""

KEPT = timedelta(days=1)
"""How long a file is kept that hangs on no case."""

SWEEP_S = 3600.0
"""How often such files are looked for [s]."""

_SWEPT = 100
"""Files that are removed in one transaction."""

_UNSAFE = frozenset('<>:"|?*')


class TooLargeError(AttachmentError):
    """A file is larger than may be; reading has stopped."""


class QuotaError(TooLargeError):
    """With this file a party would have too much that hangs on no case."""


class NoSuchAttachmentError(LookupError):
    """There is no such file, or it hangs on no case of this principal's."""

    def __init__(self) -> None:
        super().__init__("无此附件 there is no such file")


class File(NamedTuple):
    """A file as it is read."""

    name: str
    media_type: str
    content: bytes


def clean_name(name: str) -> str:
    """A file's name without folders and without characters that deceive; up to `MOST_NAME` characters.

    Raises
    ------
    AttachmentError
        Nothing is left of it.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(
        "_" if letter in _UNSAFE else " " if letter.isspace() else letter
        for letter in last
        if letter.isspace() or not unicodedata.category(letter).startswith("C")
    )
    plain = unicodedata.normalize("NFC", " ".join(kept.split())).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    if dot and len(plain) > MOST_NAME > len(ending) + 1:
        plain = stem[: MOST_NAME - len(ending) - 1].rstrip(". ") + dot + ending
    plain = plain[:MOST_NAME].strip(". ")
    if not plain:
        raise AttachmentError("附件没有文件名 the file has no name")
    return plain


def store(
    connection: psycopg.Connection,
    principal: Principal,
    actor: str,
    name: str,
    chunks: Iterable[bytes],
    most_bytes: int = MOST_BYTES,
    most_loose: int = MOST_LOOSE,
) -> str:
    """Keep a file that a principal's actor sends in chunks; returns its SHA-256 (hexadecimal). Leaves an audit row.

    Parameters
    ----------
    name : str
        As the sender calls it; its ending must agree with the content.
    chunks : iterable of bytes
        Read until the file is seen to be too large or no file that is taken.

    Raises
    ------
    TooLargeError
        Larger than `most_bytes`.
    QuotaError
        More than `most_loose` bytes of the principal's would hang on no case.
    AttachmentError
        No JPEG, PNG, WebP or PDF; another than its name says; broken off; something else besides.
    DatabaseError
    """
    content, media_type = _receive(chunks, most_bytes)
    _agree(clean_name(name), media_type)
    check_whole(content, media_type)
    digest = hashlib.sha256(content)
    owner = {"sha256": digest.digest(), "role": principal.role, "tenant": principal.tenant, "actor": actor}
    with in_words(), connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        _alone(cursor)
        cursor.execute(query("inner/attachment_keep"), {**owner, "media_type": media_type, "content": content})
        cursor.execute(query("inner/upload_keep"), owner)
        for (loose,) in cursor.execute(query("inner/uploads_loose"), owner).fetchall():
            if loose > most_loose:
                raise QuotaError(
                    f"未用于案件的附件合计超过{most_loose >> 10} KiB，请先提交或次日再传 files that hang on no case "
                    f"come to more than {most_loose >> 10} KiB: hang them on a move, or wait a day"
                )
        detail = {"role": principal.role, "tenant": principal.tenant, "name": clean_name(name), "bytes": len(content)}
        audit.write(cursor, actor, "attachment.store", digest.hexdigest(), detail)
    return digest.hexdigest()


def sweep(connection: psycopg.Connection) -> None:
    """Remove what hangs on no case and was brought longer than `KEPT` ago; leaves an audit row of what went.

    Raises
    ------
    DatabaseError
    """
    wanted = {"kept": KEPT, "most": _SWEPT}
    found: list[tuple[bytes]] = [(b"",)]
    while found:
        with in_words(), connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
            _alone(cursor)
            found = cursor.execute(query("inner/attachments_loose"), wanted).fetchall()
            hashes = [sha256 for (sha256,) in found]
            gone = cursor.execute(query("inner/attachments_sweep"), {"hashes": hashes}).fetchall()
            if gone:
                audit.write(cursor, "warnloop", "attachment.sweep", "", {"files": sorted(name for (name,) in gone)})


def _alone(cursor: psycopg.Cursor[Any]) -> None:
    """Let nobody else bring or remove files until commit: what is counted stays, what is found again does not go."""
    cursor.execute("LOCK TABLE uploads IN SHARE ROW EXCLUSIVE MODE")


def _receive(chunks: Iterable[bytes], most_bytes: int) -> tuple[bytes, str]:
    """Read a file and tell its type, from its first bytes on."""
    content, media_type = bytearray(), ""
    for chunk in chunks:
        content += chunk
        if len(content) > most_bytes:
            raise TooLargeError(f"附件超过{most_bytes >> 10} KiB the file is larger than {most_bytes >> 10} KiB")
        if not media_type and len(content) >= 16:
            media_type = sniff(content)
    return bytes(content), media_type or sniff(content)


def _agree(name: str, media_type: str) -> None:
    """See that a name's ending is one of the type's."""
    if not name.lower().endswith(ENDINGS[media_type]):
        raise AttachmentError(f"文件名与内容不符 the content is {media_type}, the name says otherwise: {name}")


def hang(
    cursor: psycopg.Cursor[Any],
    principal: Principal,
    violation_id: uuid.UUID,
    number: int,
    attachments: Sequence[tuple[str, str]],
) -> list[str]:
    """Hang stored files, (name, SHA-256), on a move in the cursor's transaction; returns the names as they are kept.

    A party hangs what it has brought itself, or what hangs on this very case: a hash is no key to what is another's.

    Raises
    ------
    AttachmentError
        A file is not stored or is another's, not to be told apart; or its name says otherwise than its content.
    """
    if not attachments:
        return []
    hashes, names = [], []
    for name, sha256 in attachments:
        names.append(clean_name(name))
        hashes.append(_digest(sha256))
    asked = {"hashes": hashes, "id": violation_id, "role": principal.role, "tenant": principal.tenant}
    types = dict(cursor.execute(query("inner/attachment_types"), asked).fetchall())
    for name, digest in zip(names, hashes, strict=True):
        if digest is None or digest not in types:
            raise AttachmentError(f"附件未上传 the file has not been uploaded: {name}")
        _agree(name, types[digest])
    hung = {"id": violation_id, "number": number, "hashes": hashes, "names": names}
    cursor.execute(query("inner/case_attach"), hung)
    return names


def read(connection: psycopg.Connection, principal: Principal, sha256: str) -> File:
    """A file that hangs on a case of the principal's.

    Raises
    ------
    NoSuchAttachmentError, DatabaseError
    """
    asked = {"sha256": _digest(sha256), **principal.scope}
    with in_words(), connection.cursor(row_factory=class_row(File)) as cursor:
        found = cursor.execute(query("shown/attachment_read"), asked).fetchone()
    if found is None:
        raise NoSuchAttachmentError
    return found


def _digest(sha256: str) -> bytes | None:
    """Bytes of a hexadecimal hash; None where it is none."""
    return bytes.fromhex(sha256) if re.fullmatch("[0-9a-fA-F]{64}", sha256) else None
