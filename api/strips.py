"""Strips: frames of a poll, cut where a batch must be cut."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from ingest.log import REGISTRY, Frame


def strips(frames: Sequence[Frame], fence: Callable[[int], int]) -> Iterator[list[Frame]]:
    """Cut frames where the registry changes, and at the offset up to which they have had their effect.

    Parameters
    ----------
    frames : sequence of Frame
        By partition and offset.
    fence : callable
        Partition to that offset, as it stands when it is asked for.

    Yields
    ------
    list of Frame
        Of each partition either one ``REGISTRY`` frame alone, or others that all lie on one side of the fence.
    """
    waiting = {partition: list(own) for partition, own in groupby(frames, key=lambda frame: frame.partition)}
    while waiting:
        strip: list[Frame] = []
        for partition, own in waiting.items():
            count = 1
            if own[0].form != REGISTRY:
                offset = fence(partition)
                had = own[0].offset < offset
                while count < len(own) and own[count].form != REGISTRY and (own[count].offset < offset) == had:
                    count += 1
            strip += own[:count]
            waiting[partition] = own[count:]
        waiting = {partition: own for partition, own in waiting.items() if own}
        yield strip
