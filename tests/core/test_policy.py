"""What release promises, for every label and every reader: default deny, monotone, derived, redacted."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from aquila.core.codec import Marking
from aquila.core.errors import Refused
from aquila.core.model import (
    Alias,
    Audience,
    Label,
    Motion,
    Note,
    Position,
    Principal,
    Report,
    Verdict,
)
from aquila.core.policy import Policy, admit, derive, lane_of, redact, release

POLICY = Policy(communities={"MISSION": ("ITA", "FRA", "KAZ")})
NATIONS = ["ITA", "FRA", "KAZ", "DEU"]
GROUPS = ["COMMON", "RED", "BLUE"]

some = st.lists(st.sampled_from([*NATIONS, "MISSION"]), max_size=3, unique=True).map(tuple)
groups = st.lists(st.sampled_from(GROUPS), max_size=3, unique=True).map(tuple)
words = st.sampled_from([*POLICY.classifications, "COSMIC", ""])
caveats = st.lists(st.sampled_from(["EYES", "CRYPTO"]), max_size=2, unique=True).map(tuple)
labels = st.builds(
    Label,
    policy=st.sampled_from([POLICY.name, POLICY.name, "OTHER"]),
    classification=words,
    releasable_to=some,
    groups=groups,
    caveats=caveats,
    redacted_to=some,
)
audiences = st.builds(
    Audience,
    context=st.sampled_from(["REAL", "EXERCISE:DEMO"]),
    nation=st.sampled_from([*NATIONS, None]),
    clearance=words,
    caveats=caveats,
    groups=groups.map(frozenset),
    active=st.booleans(),
)


def verdict(label: Label, audience: Audience, context: str = "REAL") -> Verdict:
    return release(POLICY, label, context, audience).verdict


@given(labels, audiences)
def test_nothing_is_released_by_default(label: Label, audience: Audience) -> None:
    refused = [
        msgspec.structs.replace(label, releasable_to=(), redacted_to=()),
        msgspec.structs.replace(label, groups=()),
        msgspec.structs.replace(label, policy="OTHER"),
        msgspec.structs.replace(label, classification="COSMIC"),
    ]
    assert all(verdict(each, audience) == Verdict.DENIED for each in refused)
    assert verdict(label, msgspec.structs.replace(audience, active=False)) == Verdict.DENIED
    assert verdict(label, msgspec.structs.replace(audience, nation=None)) == Verdict.DENIED
    assert verdict(label, audience, "SIMULATION:X") == Verdict.DENIED


@given(
    labels,
    audiences,
    st.sampled_from(NATIONS),
    st.sampled_from(GROUPS),
    st.sampled_from(["EYES", "CRYPTO"]),
)
def test_a_stricter_label_or_a_lesser_reader_never_sees_more(
    label: Label, audience: Audience, nation: str, group: str, caveat: str
) -> None:
    before = verdict(label, audience)
    rank = POLICY.rank(label.classification)
    stricter = [
        msgspec.structs.replace(label, caveats=(*label.caveats, caveat)),
        msgspec.structs.replace(label, groups=tuple(set(label.groups) - {group})),
        msgspec.structs.replace(
            label,
            releasable_to=tuple(set(label.releasable_to) - {nation, "MISSION"}),
            redacted_to=tuple(set(label.redacted_to) - {nation}),
        ),
    ]
    if rank is not None and rank + 1 < len(POLICY.classifications):
        stricter.append(msgspec.structs.replace(label, classification=POLICY.classifications[rank + 1]))
    lesser = msgspec.structs.replace(audience, groups=audience.groups - {group}, caveats=())
    assert all(verdict(each, audience) <= before for each in stricter)
    assert verdict(label, lesser) <= before


@given(labels, labels, audiences)
def test_what_is_made_of_two_is_as_strict_as_each(a: Label, b: Label, audience: Audience) -> None:
    if a.policy != b.policy:
        return
    joined = verdict(derive(POLICY, [a, b]), audience)
    assert joined <= min(verdict(a, audience), verdict(b, audience))


def report(lat: float, lon: float, name: str, speed: float) -> Report:
    return Report(
        entity="e",
        alias=Alias("cot", "u"),
        type="a-f-G-U-C-I",
        sidc="10031000001211000000",
        category="unit",
        observed_at_ms=1_700_000_012_345,
        stale_at_ms=1_700_000_099_999,
        name=name,
        how="m-g",
        position=Position(lat, lon, 812.0, 5.0),
        motion=Motion(12.0, speed),
        remarks=name * 3,
        fields={"secret": name},
    )


@given(
    st.floats(42.001, 42.099),
    st.floats(77.001, 77.099),
    st.text(min_size=1, max_size=9),
    st.floats(0, 90),
)
def test_the_redacted_form_depends_on_the_cell_only(lat: float, lon: float, name: str, speed: float) -> None:
    assert redact(POLICY, report(lat, lon, name, speed)) == redact(POLICY, report(42.05, 77.05, "other", 3.0))


def test_a_note_has_no_redacted_form() -> None:
    assert redact(POLICY, Note(room="log", text="secret", happened_at_ms=1)) is None


def device(**more: object) -> Principal:
    return Principal(
        id="device:A",
        kind="device",
        name="A",
        context="REAL",
        nation="ITA",
        groups_in=frozenset({"COMMON"}),
        **more,
    )


def test_a_marking_above_the_ceiling_is_refused() -> None:
    answer = admit(POLICY, device(), report(1, 2, "x", 1), Marking("SECRET"))
    assert isinstance(answer, Refused)
    assert answer.reason == "ceiling"


def test_a_marking_in_unknown_words_is_refused() -> None:
    answer = admit(POLICY, device(), report(1, 2, "x", 1), Marking("VERY SECRET"))
    assert isinstance(answer, Refused)
    assert answer.reason == "marking"


def test_an_unmarked_statement_gets_the_default_and_the_groups_of_its_writer() -> None:
    answer = admit(POLICY, device(), report(1, 2, "x", 1))
    assert not isinstance(answer, Refused)
    assert answer.label == msgspec.structs.replace(POLICY.default_label, groups=("COMMON",))


def test_releasability_that_travelled_along_narrows_the_label() -> None:
    answer = admit(POLICY, device(), report(1, 2, "x", 1), Marking(releasable_to=("ITA",)))
    assert not isinstance(answer, Refused)
    assert answer.label.releasable_to == ("ITA",)


def test_who_may_write_into_no_group_says_nothing() -> None:
    answer = admit(
        POLICY,
        msgspec.structs.replace(device(), groups_in=frozenset()),
        report(1, 2, "x", 1),
    )
    assert isinstance(answer, Refused)
    assert answer.reason == "group"


def test_own_positions_are_positions_and_markers_are_statements() -> None:
    own = msgspec.structs.replace(report(1, 2, "x", 1), own=True)
    placed = msgspec.structs.replace(report(1, 2, "x", 1), how="h-g-i-g-o")
    assert lane_of(POLICY, own) == "position"
    assert lane_of(POLICY, placed) == "statement"
    assert lane_of(POLICY, Note(room="log", text="x", happened_at_ms=1)) == "statement"
