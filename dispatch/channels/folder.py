"""Folder: one JSON file a delivery, the report's files beside it."""

import json
import os
import re
import tempfile
from pathlib import Path

from dispatch.channels.answers import Answer, Later, Refused, Sent
from dispatch.channels.parcel import Files, name
from ledger.deliveries import Claimed

_NAME = re.compile(r"[\w-]{1,64}")


def is_name(target: str) -> bool:
    """Whether a target is the plain name of a folder: letters, digits, ``_`` and ``-``."""
    return _NAME.fullmatch(target) is not None


class Folder:
    """Writes below ``ROOT/ROLE/TENANT/TARGET`` (``ROOT/centre/TARGET``), where no other tenant's target leads.

    Parameters
    ----------
    root : Path or None
        None: this installation has no such channel.
    """

    def __init__(self, root: Path | None) -> None:
        self._root = root

    def send(self, delivery: Claimed, files: Files) -> Answer:
        """Write the files of a delivery; its JSON file is there when all others are."""
        if self._root is None:
            return Later("未设置文件夹通道 the folder channel is not set up: WARNLOOP_FOLDER_ROOT")
        if not is_name(delivery.target):
            return Refused(f"文件夹名无效 {delivery.target!r} is no plain name of a folder")
        tenant = re.sub(r"[^\w-]", lambda found: f"%{ord(found[0]):X}", delivery.tenant)
        parts = [part for part in (delivery.role, tenant, delivery.target) if part]
        try:
            folder = self._root.resolve().joinpath(*parts)
            folder.mkdir(parents=True, exist_ok=True)
            if folder.resolve() != folder:
                return Refused("文件夹是链接 the folder is a link to somewhere else")
            for file in files():
                _write(folder / name(file), file.content)
            when = re.sub(r"\D", "", str(json.loads(delivery.payload)["timestamp"])[:19])
            _write(folder / f"{when}-{delivery.id}.json", delivery.payload.encode())
        except OSError as error:
            return Later(f"写入失败 cannot write: {error.strerror or error}")
        return Sent("/".join(parts))


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
