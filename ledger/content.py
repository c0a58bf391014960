"""Content of files: which types are taken, and that a file is whole, of a size that can be shown, and nothing else."""

import io
import re
import zipfile
from collections.abc import Mapping

import filetype  # type: ignore[import-untyped]

ENDINGS: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
}
"""What is taken: media type by content to the endings a name may have."""

MOST_PIXELS = 100_000_000
"""Of a picture."""

_PNG_END = b"\x00\x00\x00\x00IEND\xaeB\x60\x82"
_PDF_END = b"%%EOF"

_TAIL = 2048
"""Where a PDF's end is looked for: programs add blank lines, and more, behind it [bytes]."""

_HEAD = 4096
"""Where a page is looked for that a browser might find in another file [bytes]."""

_PAGES = (b"<script", b"<html", b"<!doctype", b"<svg", b"<?php", b"<iframe")

_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
"""Of a JPEG; in its scans 0xff is followed by zero or a restart."""

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG behind which its size stands."""

_ESCAPE = re.compile(rb"#([0-9a-fA-F]{2})")
_DOES = re.compile(
    rb"/(?:OpenAction(?!\s*\[)|JavaScript|Launch|EmbeddedFiles?)(?![A-Za-z0-9])|/JS\s*(?:[(<]|\d+\s+\d+\s+R)"
)
"""Names of a PDF that does something, or holds other files; where one opens it (an array) is harmless."""


class AttachmentError(ValueError):
    """A file is not taken, or is not there to be attached; says why."""


def sniff(content: bytes | bytearray) -> str:
    """Media type by the first bytes.

    Raises
    ------
    AttachmentError
        Not one that is taken.
    """
    guessed = filetype.guess(content[:_HEAD])
    media_type = guessed.mime if guessed is not None else ""
    if media_type not in ENDINGS or (media_type == "application/pdf" and not content.startswith(b"%PDF-")):
        found = f"，实为 {media_type}" if media_type else ""
        raise AttachmentError(
            f"附件类型不支持{found} only JPEG, PNG, WebP and PDF are taken"
            + (f", this is {media_type}" if media_type else ", this is none of them")
        )
    return str(media_type)


def check_whole(content: bytes, media_type: str) -> None:
    """See that a file is whole, of a size that can be shown, and nothing else besides.

    Raises
    ------
    AttachmentError
    """
    pixels = 0
    match media_type:
        case "image/webp":
            size = int.from_bytes(content[4:8], "little") + 8
            whole, pixels = len(content) in (size, size + size % 2), _webp_pixels(content)
        case "image/png":
            whole = content.endswith(_PNG_END)
            pixels = int.from_bytes(content[16:20]) * int.from_bytes(content[20:24])
        case "image/jpeg":
            end, pixels = _jpeg(content)
            whole = end > 0 and not content[end:].strip(b"\0")
        case _:
            whole = _PDF_END in content[-_TAIL:]
    if not whole:
        raise AttachmentError(f"附件不完整 the file is broken off, or goes on behind its end: {media_type}")
    if pixels > MOST_PIXELS:
        raise AttachmentError(f"附件图像过大 the picture has {pixels:,} pixels, more than {MOST_PIXELS:,}")
    head = content[:_HEAD].lower()
    if any(page in head for page in _PAGES):
        raise AttachmentError("附件内含网页或脚本 a page or a script hides in the file")
    if _is_archive(content):
        raise AttachmentError("附件内含压缩包 an archive hides in the file")
    if media_type == "application/pdf":
        plain = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), content)
        if does := _DOES.search(plain):
            name = does[0][:20].decode("ascii", "replace")
            raise AttachmentError(f"附件内含脚本、动作或其他文件 the document runs something or holds files: {name}")


def _jpeg(content: bytes) -> tuple[int, int]:
    """Where a JPEG ends, 0 where it does not, and its pixels."""
    at, pixels = 2, 0
    while found := _MARKER.search(content, at):
        at, marker = found.end(), found[1][0]
        if marker == 0xD9:
            return at, pixels
        if marker in _FRAMES:
            pixels = max(pixels, int.from_bytes(content[at + 3 : at + 5]) * int.from_bytes(content[at + 5 : at + 7]))
        if marker not in (0x01, 0xD8):
            at += int.from_bytes(content[at : at + 2])
    return 0, pixels


def _webp_pixels(content: bytes) -> int:
    """By the header of the first chunk: of a canvas, of a picture without loss, of a picture."""
    kind, head = content[12:16], content[20:30]
    if kind == b"VP8X":
        return (int.from_bytes(head[4:7], "little") + 1) * (int.from_bytes(head[7:10], "little") + 1)
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return ((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1)
    return (int.from_bytes(head[6:8], "little") & 0x3FFF) * (int.from_bytes(head[8:10], "little") & 0x3FFF)


def _is_archive(content: bytes) -> bool:
    try:
        return zipfile.is_zipfile(io.BytesIO(content))
    except zipfile.BadZipFile:  # one in many parts
        return True
