"""Answers: how an attempt to send went, one of three."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver has it.

    Attributes
    ----------
    detail : str
        What the receiver said, for the record.
    """

    detail: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Not now; trying again may help.

    Attributes
    ----------
    retry_after_s : float or None
        No sooner than that, the receiver asks [s].
    hidden : bool
        Why is not its owner's to know, nor how long it took: it would tell what there is in a network of ours.
    """

    detail: str
    status: int | None = None
    retry_after_s: float | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Never; trying again would not help.

    Attributes
    ----------
    gone : bool
        The receiver wants nothing any more: the subscription is to be disabled.
    """

    detail: str
    status: int | None = None
    gone: bool = False


Answer = Sent | Later | Refused
