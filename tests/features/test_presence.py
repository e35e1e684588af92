from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.core.model import Act, Original
from aquila.features.links import presence as presence_module
from aquila.features.links.presence import Presence, Software, software_of
from aquila.testing.views import folded_in_any_order

SAID = Original(
    "cot-xml",
    b"<event version='2.0' uid='A' type='a-f-G-U-C' time='2026-03-01T10:11:12Z' start='2026-03-01T10:11:12Z'"
    b" stale='2026-03-01T10:21:12Z' how='m-g'><point lat='1' lon='2' hae='0' ce='9' le='9'/>"
    b"<detail><takv platform='ATAK-CIV' version='5.5.0' device='PHONE' os='34'/></detail></event>",
)


def heard(make: Any, number: int, kind: str, which: int) -> Any:
    uid, author = f"U{which}", f"device:D{which % 2}"
    if kind == "down":
        act = Act(action="link.down", target=author, happened_at_ms=make.start_ms + number, detail={"link": "tak"})
        return make.entry(act, number)
    label = make.labels[which % 3]
    if kind == "statement":
        return make.entry(make.report(uid, number, own=True), number, author, label)
    return make.sample(uid, number, author, label, own=kind == "own")


KINDS = st.sampled_from(["own", "own", "other", "statement", "down"])


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(KINDS, st.integers(0, 5)), max_size=40), dice=st.randoms(use_true_random=False))
def test_any_order_folds_to_the_same_state_and_a_snapshot_is_enough(make: Any, rows: Any, dice: Any) -> None:
    arrivals = [heard(make, number, *row) for number, row in enumerate(rows, 1)]
    one, _, third = folded_in_any_order(Presence, arrivals, dice)
    assert [seen.uid for seen in one.seen()] == [seen.uid for seen in third.seen()]


@pytest.mark.parametrize("order", [1, -1])
def test_the_oldest_are_forgotten_in_any_order(make: Any, monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    monkeypatch.setattr(presence_module, "UIDS_MAX", 10)
    monkeypatch.setattr(presence_module, "SLACK", 3)
    presence = Presence()
    for number in range(1, 41)[::order]:
        presence.fold(make.sample(f"U{number}", number, own=True))
        assert len(presence) <= 13
    kept = Presence()
    kept.restore(presence.snapshot())
    assert [seen.uid for seen in kept.seen()] == [f"U{number}" for number in range(40, 30, -1)]


def test_only_who_speaks_of_itself_is_a_contact(make: Any) -> None:
    presence = Presence()
    presence.fold(make.sample("OTHER", 1))
    presence.fold(make.sample("SELF", 2, own=True, name="Alpha", team="Cyan", battery_pct=70))
    (seen,) = presence.seen()
    assert (seen.uid, seen.callsign, seen.team, seen.battery_pct) == ("SELF", "Alpha", "Cyan", 70)


def test_a_new_callsign_counts_at_once_and_an_old_report_changes_nothing(make: Any) -> None:
    presence = Presence()
    for number, name in ((2, "new"), (1, "old")):
        presence.fold(make.sample("U", number, own=True, name=name))
    assert presence.seen()[0].callsign == "new"


def test_who_left_was_there_until_then(make: Any) -> None:
    presence = Presence()
    presence.fold(make.sample("U", 1, own=True))
    gone = Act(action="link.down", target="device:A", happened_at_ms=make.start_ms + 9_000, detail={"link": "tak"})
    strangers = Act(
        action="link.down", target="device:B", happened_at_ms=make.start_ms + 99_000, detail={"link": "tak"}
    )
    presence.fold(make.entry(gone, 9))
    presence.fold(make.entry(strangers, 10))
    (seen,) = presence.seen()
    assert presence.last_ms(seen) == make.start_ms + 9_000


def test_what_a_client_runs_is_read_from_what_it_sent(make: Any) -> None:
    presence = Presence()
    presence.fold(make.sample("U", 1, own=True))
    assert presence.software(presence.seen()[0]) == Software()
    assert software_of(SAID) == Software(platform="ATAK-CIV", version="5.5.0", device="PHONE", os="34")
    assert software_of(Original("cot-xml", b"<event>")) == Software()
