"""Hostile bytes are refused by name, and hurt nothing that comes after them."""

from collections import Counter

import pytest

from aquila.codecs.cot import cot_xml, tak_v1
from aquila.core.codec import Decoded
from aquila.testing.codecs import decoded, vectors_beside
from aquila.testing.hostile_cot import KINDS, MUST_REFUSE, hostile_frames, hostile_kinds

GOOD = vectors_beside("aquila.codecs.cot", "cot-xml")[0]


def test_nothing_that_must_be_refused_comes_out() -> None:
    seen: Counter[str] = Counter()
    for name, data in hostile_kinds(7, 4_000):
        decoder = cot_xml.decoder()
        found = [*decoder.feed(data), *decoder.feed(GOOD.wire * 2)]
        bodies = [one for one in found if isinstance(one, Decoded)]
        seen[name] += 1
        if name in MUST_REFUSE:
            assert len(bodies) <= 2, (name, data[:200], bodies)
            assert all(one.body == GOOD.bodies[0] for one in bodies), (name, data[:200])
        assert decoder.broken or bodies[-1].body == GOOD.bodies[0], name
    assert seen.keys() == KINDS.keys()


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(hostile_kinds(3, 50)) == list(hostile_kinds(3, 50))


@pytest.mark.parametrize("seed", range(4))
def test_no_hostile_frame_becomes_a_statement(seed: int) -> None:
    for data in hostile_frames(seed, 1_000):
        assert not [one for one in decoded(tak_v1, [data]) if isinstance(one, Decoded)]
