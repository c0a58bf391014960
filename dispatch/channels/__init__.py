"""Channels: ways to send. A channel is one method; its answer is one of three: sent, later, refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dispatch.channels.addresses import Allowed, UrlError, parse
from dispatch.channels.answers import Answer
from dispatch.channels.exchange import BOUNDS, Bounds
from dispatch.channels.folder import Folder, is_name
from dispatch.channels.mail import Mail, Smtp, is_address
from dispatch.channels.parcel import Files
from dispatch.channels.webhook import Webhook
from ledger.deliveries import Claimed


class Channel(Protocol):
    """A way to send."""

    def send(self, delivery: Claimed, files: Files) -> Answer:
        """Make one attempt, within bounds of time; raises nothing that the receiver could bring about."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the channels of an installation need.

    Attributes
    ----------
    webhook_allow : tuple of Allowed
        Where webhooks may go although it is not the public internet.
    smtp : Smtp or None
        Mail server; None for no mail.
    mail_from : str
        Address that letters come from.
    folder_root : Path or None
        Folder below which folders are written; None for none.
    bounds : Bounds
        Of an exchange by HTTP.
    """

    webhook_allow: tuple[Allowed, ...] = ()
    smtp: Smtp | None = None
    mail_from: str = ""
    folder_root: Path | None = None
    bounds: Bounds = BOUNDS


def channels(settings: Settings) -> Mapping[str, Channel]:
    """All channels, by the name that a subscription gives them."""
    return {
        "webhook": Webhook(settings.webhook_allow, settings.bounds),
        "email": Mail(settings.smtp, settings.mail_from),
        "folder": Folder(settings.folder_root),
    }


class TargetError(ValueError):
    """A target that the channel could never reach; says what is expected."""


def check_target(channel: str, target: str) -> None:
    """See that a target may be subscribed; where a name leads is seen at each sending.

    Raises
    ------
    TargetError
    """
    match channel:
        case "webhook":
            try:
                parse(target)
            except UrlError as error:
                raise TargetError(str(error)) from error
        case "email":
            if not is_address(target):
                raise TargetError("邮件地址无效 expected one mail address")
        case "folder":
            if not is_name(target):
                raise TargetError("文件夹名无效 expected a plain name: letters, digits, _ and -")
        case _:
            raise TargetError(f"没有此通道 there is no channel {channel!r}: webhook, email, folder")
