"""Strips: what may be judged and stored together."""

from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from api.strips import strips
from ingest.log import POSITIONS, REGISTRY, TICK, Frame


@st.composite
def polls(draw: st.DrawFn) -> tuple[list[Frame], dict[int, int]]:
    """Frames of a poll, and the fence of each partition."""
    frames: list[Frame] = []
    fences: dict[int, int] = {}
    for partition in sorted(draw(st.sets(st.integers(0, 5), max_size=4))):
        first, count = draw(st.integers(0, 5)), draw(st.integers(1, 8))
        fences[partition] = draw(st.integers(0, first + count + 3))
        forms = draw(st.lists(st.sampled_from([POSITIONS, POSITIONS, TICK, REGISTRY]), min_size=count, max_size=count))
        frames += [Frame(partition, form, 0, b"", first + at) for at, form in enumerate(forms)]
    return frames, fences


def of(partition: int, frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.partition == partition]


@given(polls())
def test_every_frame_once_in_the_order_of_its_partition(poll: tuple[list[Frame], dict[int, int]]) -> None:
    frames, fences = poll
    given_out = list(strips(frames, fences.__getitem__))
    assert all(given_out)
    flat = [frame for strip in given_out for frame in strip]
    assert len(flat) == len(frames)
    for partition in fences:
        assert of(partition, flat) == of(partition, frames)
    for strip in given_out:
        assert len(list(groupby(strip, key=lambda frame: frame.partition))) == len({one.partition for one in strip})


@given(polls())
def test_what_lies_in_one_strip_belongs_together(poll: tuple[list[Frame], dict[int, int]]) -> None:
    frames, fences = poll
    for strip in strips(frames, fences.__getitem__):
        for partition in {frame.partition for frame in strip}:
            own = of(partition, strip)
            if any(frame.form == REGISTRY for frame in own):
                assert len(own) == 1
            else:
                assert len({frame.offset < fences[partition] for frame in own}) == 1


@given(polls())
def test_no_cut_without_need(poll: tuple[list[Frame], dict[int, int]]) -> None:
    """Each partition is cut as seldom as can be, and all that can be done now is done at once."""
    frames, fences = poll
    given_out = list(strips(frames, fences.__getitem__))
    pieces = {}
    for partition, fence in fences.items():
        own = of(partition, frames)
        cuts = sum(
            REGISTRY in (one.form, other.form) or (one.offset < fence) != (other.offset < fence)
            for one, other in pairwise(own)
        )
        pieces[partition] = 1 + cuts
        mine = [bool(of(partition, strip)) for strip in given_out]
        assert mine == sorted(mine, reverse=True), "a partition that has frames left has some in every strip"
        assert sum(mine) == pieces[partition]
    assert len(given_out) == max(pieces.values(), default=0)


def test_the_fence_is_asked_for_anew() -> None:
    """It moves as strips are stored: what was behind it may be before it by then."""
    frames = [Frame(0, POSITIONS, 0, b"", at) for at in range(6)]
    fence = {0: 2}
    given_out = []
    for strip in strips(frames, fence.__getitem__):
        given_out.append([frame.offset for frame in strip])
        fence[0] = 4
    assert given_out == [[0, 1], [2, 3], [4, 5]]
