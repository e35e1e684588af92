"""What a person has said of two tracks is never undone by the correlator, whatever comes after it."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila.app.fusing import Fusing, HeardReport
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Motion, Position, Report
from aquila.core.policy import Policy
from aquila.features.tracks.pairs import Pair, Word, groups_of, pair_of, wrong_with

POLICY = Policy()
START_MS = 1_795_000_000_000
EPOCH_MS = 2_000
SHIPS = 4
SCHEMES = ("cot", "meshtastic", "mmsi")
MEMBERS = [(scheme, ship, entity_id(scheme, f"{scheme}-{ship}")) for scheme in SCHEMES for ship in range(SHIPS)]
SOURCES = {entity: scheme for scheme, _, entity in MEMBERS}
ACTS = st.lists(
    st.tuples(st.sampled_from(["same", "apart", "free"]), st.integers(0, 11), st.integers(0, 11)),
    min_size=1,
    max_size=8,
)


def report(scheme: str, ship: int, at_ms: int, north_m: float, key: str = "") -> HeardReport:
    """Four ships a few hundred metres apart on one course."""
    place = Position(43.0 + north_m / 111_195 + at_ms % 100_000 * 1e-9, 16.0 + ship * 0.002, None, 20.0)
    body = Report(
        entity=entity_id(scheme, f"{scheme}-{ship}"),
        alias=Alias(scheme, f"{scheme}-{ship}"),
        type="a-u-S",
        sidc="10013000000000000000",
        category="platform",
        observed_at_ms=at_ms,
        position=place,
        motion=Motion(0.0, 5.0),
        own=True,
        fields={"mmsi": key} if key else {},
    )
    return HeardReport(body, POLICY.default_label, at_ms)


def groups(fusing: Fusing) -> dict[str, frozenset[str]]:
    """For each member all that it is one with."""
    found = (frozenset(key[1] for key in group.members) for group in fusing.shot.groups)
    return {member: group for group in found for member in group}


def epoch(fusing: Fusing, number: int, *, keyed: bool) -> None:
    at_ms = START_MS + number * EPOCH_MS
    batch = [
        report(scheme, ship, at_ms, number * 10.0, str(238_000_000 + ship) if keyed and scheme != "meshtastic" else "")
        for scheme, ship, _ in MEMBERS
    ]
    fusing.step(batch, at_ms)


@settings(max_examples=60)
@given(ACTS, st.booleans(), st.integers(0, 6))
def test_no_epoch_undoes_what_was_said(acts: list[tuple[Word, int, int]], keyed: bool, settled: int) -> None:
    fusing, words = Fusing(POLICY, compiled=False), dict[Pair, Word]()
    number = 0
    for _ in range(settled):
        epoch(fusing, number, keyed=keyed)
        number += 1
    for word, a, b in acts:
        one, other = MEMBERS[a][2], MEMBERS[b][2]
        if one == other or (word == "same" and SOURCES[one] == SOURCES[other]):
            continue
        said: dict[Pair, Word] = {pair_of(one, other): word}
        if wrong_with(words, said, SOURCES) is None:
            words.update(said)
            fusing.words = dict(words)
        for _ in range(2):
            epoch(fusing, number, keyed=keyed)
            number += 1
            now = groups(fusing)
            for (first, second), told in words.items():
                if told == "same":
                    assert now[first] is now[second]
                if told == "apart":
                    assert now[first] is not now[second]


@pytest.mark.parametrize("keyed", [False, True])
def test_ships_of_three_sources_are_found_without_a_word(keyed: bool) -> None:
    fusing = Fusing(POLICY, compiled=False)
    for number in range(8):
        epoch(fusing, number, keyed=keyed)
    assert sorted(len(group.members) for group in fusing.shot.groups) == [3] * SHIPS


def test_words_that_contradict_each_other_are_refused() -> None:
    a, b, c = (MEMBERS[n * SHIPS][2] for n in range(3))
    same_source = MEMBERS[1][2]
    stands: dict[Pair, Word] = {pair_of(a, b): "same", pair_of(b, c): "same"}
    assert "not the same" in (wrong_with(stands, {pair_of(a, c): "apart"}, SOURCES) or "")
    assert "one source" in (wrong_with(stands, {pair_of(same_source, b): "same"}, SOURCES) or "")
    assert wrong_with(stands, {pair_of(a, b): "free", pair_of(b, c): "free"}, SOURCES) is None
    assert groups_of(stands)[a] == {a, b, c}
    apart: dict[Pair, Word] = {pair_of(a, c): "apart", pair_of(a, b): "same"}
    assert wrong_with(apart, {pair_of(b, c): "same"}, SOURCES)
    assert {entity for pair in combinations((a, b, c), 2) for entity in pair} == {a, b, c}


def test_two_ships_with_one_mmsi_are_a_conflict_and_stay_two() -> None:
    fusing = Fusing(POLICY, compiled=False)
    for number in range(6):
        at_ms = START_MS + number * EPOCH_MS
        fusing.step([report("mmsi", 0, at_ms, 0.0, "238000001"), report("cot", 0, at_ms, 9_000.0, "238000001")], at_ms)
    assert len(fusing.shot.groups) == 2
    assert fusing.shot.conflicts == ((MEMBERS[8][2], MEMBERS[0][2]),)
