"""A log and lists of frames, side by side through random steps."""

from contextlib import ExitStack, closing
from random import Random

import pytest

from ingest.log import TICK, LogError, LogReader, NewFrame
from tests.conformance.following import ALL, EACH, at, read_all
from tests.conformance.implementations import PARTITIONS, Implementation

pytestmark = EACH


@pytest.mark.parametrize("seed", range(4))
def test_a_log_behaves_as_lists_would(implementation: Implementation, seed: int) -> None:
    random = Random(seed)
    model: dict[int, list[NewFrame]] = {partition: [] for partition in ALL}
    first = dict.fromkeys(ALL, 0)
    with ExitStack() as stack:
        logs = [stack.enter_context(closing(implementation.open())) for _ in range(3)]
        readers: dict[LogReader, dict[int, int]] = {}

        def append() -> None:
            partitions = random.choices(sorted(ALL), k=random.choice((1, 1, 3, 40)))
            frames = [
                NewFrame(partition, TICK, random.randrange(9), random.randbytes(random.choice((0, 1, 90, 9_000))))
                for partition in partitions
            ]
            if random.random() < 0.1:
                frames.insert(random.randrange(len(frames)), NewFrame(PARTITIONS, TICK, 0, b""))
                with pytest.raises(ValueError, match="partition"):
                    random.choice(logs).append(frames)
                return
            random.choice(logs).append(frames)
            for frame in frames:
                model[frame.partition].append(frame)

        def poll(reader: LogReader, following: dict[int, int], timeout_s: float = 0.0) -> None:
            behind = {partition for partition, offset in following.items() if offset < first[partition]}
            try:
                frames = reader.poll(timeout_s)
            except LogError as trouble:
                assert behind, trouble  # noqa: PT017 - it need not be raised
                assert not trouble.passing  # noqa: PT017
                frames = []
            for lost in set(following) - reader.assigned:
                del following[lost]
            if not frames:
                for partition in behind & reader.assigned:
                    reader.seek(partition, first[partition])
                    following[partition] = first[partition]
            for frame in frames:
                offset = following[frame.partition]
                assert frame.partition not in behind
                assert frame == at(model[frame.partition][offset], offset)
                following[frame.partition] += 1

        def seek(reader: LogReader, following: dict[int, int]) -> None:
            for partition in random.sample(sorted(reader.assigned), len(reader.assigned) // 2):
                following[partition] = random.randint(first[partition], len(model[partition]))
                reader.seek(partition, following[partition])

        def step() -> None:
            event = random.random()
            if not readers or (event < 0.02 and len(readers) < 4):
                readers[random.choice(logs).reader()] = {}
                return
            reader, following = random.choice(list(readers.items()))
            if event < 0.04:
                reader.close()
                del readers[reader]
            elif event < 0.35:
                append()
            elif event < 0.45:
                seek(reader, following)
            elif event < 0.5:
                partition = random.randrange(PARTITIONS)
                offset = random.randint(0, len(model[partition]))
                reader.trim(partition, offset)
                first[partition] = max(first[partition], offset)
            elif event < 0.55:
                assert reader.ends() == {partition: len(model[partition]) for partition in reader.assigned}
            else:
                poll(reader, following, random.choice((0.0, 0.0, 0.01)))

        for _ in range(350):
            step()
        for reader in readers:
            reader.close()
        found = read_all(logs[0], first)
    assert found == {
        partition: [at(frame, offset) for offset, frame in enumerate(frames)][first[partition] :]
        for partition, frames in model.items()
    }
