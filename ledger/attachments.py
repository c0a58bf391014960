"""Attachments: files that accompany a move; bounded, told by their content, kept once, read through their case."""

import hashlib
import io
import re
import unicodedata
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import filetype  # type: ignore[import-untyped]
import psycopg
from psycopg.rows import class_row

from ledger.database import in_words, query
from ledger.principal import Principal

MOST_BYTES = 10 << 20
"""Size of a file [bytes]."""

MOST_NAME = 120
"""Characters of a name."""

ENDINGS: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
}
"""What is taken: media type by content to the endings a name may have."""

_ENDS = {
    "image/png": b"\x00\x00\x00\x00IEND\xaeB\x60\x82",
    "image/jpeg": b"\xff\xd9",
    "application/pdf": b"%%EOF",
}
"""What a whole file of the type holds near its end."""

_TAIL = 2048
"""Where a PDF's end is looked for: programs add blank lines, and more, behind it [bytes]."""

_HEAD = 4096
"""Where a page is looked for that a browser might find in another file [bytes]."""

_PAGES = (b"<script", b"<html", b"<!doctype", b"<svg", b"<?php", b"<iframe")
_UNSAFE = frozenset('<>:"|?*')


class AttachmentError(ValueError):
    """A file is not taken, or is not there to be attached; says why."""


class TooLargeError(AttachmentError):
    """A file is larger than may be; reading has stopped."""


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


def store(connection: psycopg.Connection, name: str, chunks: Iterable[bytes], most_bytes: int = MOST_BYTES) -> str:
    """Keep a file that arrives in chunks; returns its SHA-256 (hexadecimal).

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
    AttachmentError
        No JPEG, PNG, WebP or PDF; another than its name says; broken off; something else besides.
    DatabaseError
    """
    content, media_type = _receive(chunks, most_bytes)
    _agree(clean_name(name), media_type)
    _whole(content, media_type)
    digest = hashlib.sha256(content)
    with in_words():
        kept = {"sha256": digest.digest(), "media_type": media_type, "content": content}
        connection.execute(query("inner/attachment_keep"), kept)
    return digest.hexdigest()


def _receive(chunks: Iterable[bytes], most_bytes: int) -> tuple[bytes, str]:
    """Read a file and tell its type, from its first bytes on."""
    content, media_type = bytearray(), ""
    for chunk in chunks:
        content += chunk
        if len(content) > most_bytes:
            raise TooLargeError(f"附件超过{most_bytes >> 10} KiB the file is larger than {most_bytes >> 10} KiB")
        if not media_type and len(content) >= 16:
            media_type = _sniff(content)
    return bytes(content), media_type or _sniff(content)


def _sniff(content: bytearray) -> str:
    guessed = filetype.guess(content[:_HEAD])
    media_type = guessed.mime if guessed is not None else ""
    if media_type not in ENDINGS or (media_type == "application/pdf" and not content.startswith(b"%PDF-")):
        found = f"，实为 {media_type}" if media_type else ""
        raise AttachmentError(
            f"附件类型不支持{found} only JPEG, PNG, WebP and PDF are taken"
            + (f", this is {media_type}" if media_type else ", this is none of them")
        )
    return str(media_type)


def _agree(name: str, media_type: str) -> None:
    """See that a name's ending is one of the type's."""
    if not name.lower().endswith(ENDINGS[media_type]):
        raise AttachmentError(f"文件名与内容不符 the content is {media_type}, the name says otherwise: {name}")


def _whole(content: bytes, media_type: str) -> None:
    """See that a file is whole and nothing else besides."""
    if media_type == "image/webp":
        whole = len(content) == (size := int.from_bytes(content[4:8], "little") + 8) or len(content) == size + size % 2
    elif media_type == "image/png":
        whole = content.endswith(_ENDS[media_type])
    else:
        whole = (
            _ENDS[media_type] in content[-_TAIL:] if media_type == "application/pdf" else _ENDS[media_type] in content
        )
    if not whole:
        raise AttachmentError(f"附件不完整 the file is broken off, or goes on behind its end: {media_type}")
    head = content[:_HEAD].lower()
    if any(page in head for page in _PAGES):
        raise AttachmentError("附件内含网页或脚本 a page or a script hides in the file")
    if _is_archive(content):
        raise AttachmentError("附件内含压缩包 an archive hides in the file")


def _is_archive(content: bytes) -> bool:
    try:
        return zipfile.is_zipfile(io.BytesIO(content))
    except zipfile.BadZipFile:  # one in many parts
        return True


def hang(
    cursor: psycopg.Cursor[Any], violation_id: uuid.UUID, number: int, attachments: Sequence[tuple[str, str]]
) -> list[str]:
    """Hang stored files, (name, SHA-256), on a move in the cursor's transaction; returns the names as they are kept.

    Whoever knows the hash of a file has had it, so that asking by hash shows nobody what is another's.

    Raises
    ------
    AttachmentError
        A file is not stored, or its name says otherwise than its content.
    """
    if not attachments:
        return []
    hashes, names = [], []
    for name, sha256 in attachments:
        names.append(clean_name(name))
        hashes.append(_digest(sha256))
    types = dict(cursor.execute(query("inner/attachment_types"), {"hashes": hashes}).fetchall())
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
