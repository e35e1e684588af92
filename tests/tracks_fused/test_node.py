"""The harbour through the feeds of a started node: bytes on UDP in, one symbol with its sources and its reasons out."""

from collections.abc import Iterator
from typing import Any

import pytest

from aquila.client import NodeError
from aquila.testing.sea import Sea
from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import event


@pytest.fixture(scope="module")
def sea(node: ServedNode) -> Iterator[Sea]:
    playing = Sea(node)
    yield playing
    playing.stop()


def fused(node: ServedNode, *sources: str) -> list[dict[str, Any]]:
    """Fused tracks that have at least these sources."""
    return [row for row in node.api.fused_tracks() if set(sources) <= {source for source, _ in row["members"]}]


def test_a_ship_of_ais_and_radar_is_one_symbol_that_says_why(node: ServedNode, sea: Sea) -> None:
    wait_until(lambda: len(fused(node, "mmsi", "radar")) > 20, "ships are fused", 60.0)
    wait_until(lambda: len(fused(node, "icao24", "radar")) > 5, "aircraft are fused", 60.0)
    row = fused(node, "icao24", "radar")[0]
    why = node.api.why_track(row["id"])
    assert why["because"][0]["reason"] in ("key", "window")
    assert {member["source"] for member in why["members"]} == {"icao24", "radar"}
    radar = next(member for member in why["members"] if member["source"] == "radar")
    assert radar["sensors"][0]["sensor"].startswith("asterix:25/")
    assert any("plotted by" in sentence for sentence in why["sentences"])
    # How sure the radars are of it is said although the aircraft reports itself.
    assert why["exists"] == 1.0
    assert 0.5 < radar["exists"] < 1.0
    # Radars of this kind do not measure how high it is: its own report says that of the track, too.
    rows = {each["id"]: each for each in node.api.entities()}
    assert float(rows[row["id"]]["fields"]["pressure_altitude_ft"]) > 1000


def test_the_map_has_one_symbol_and_the_sources_keep_their_own(node: ServedNode, sea: Sea) -> None:
    def standing() -> tuple[dict[str, Any], dict[str, Any]] | None:
        rows = {row["id"]: row for row in node.api.entities()}
        for track in fused(node, "mmsi", "radar"):
            if "cot" in dict(track["members"]):
                # It goes by its phone's name.
                continue
            ship = next(entity for source, entity in track["members"] if source == "mmsi")
            if ship in rows and track["id"] in rows and rows[ship].get("fused_into") == track["id"]:
                return rows[ship], rows[track["id"]]
        return None

    wait_until(standing, "a ship stands under its track", 30.0)
    found = standing()
    assert found is not None
    ship, symbol = found
    assert ship["source"] == "feed:ais"
    assert symbol["source"] == "fusion"
    assert symbol["position"]["ce_m"] > 0
    assert "fused_into" not in symbol or symbol["fused_into"] is None
    assert symbol["name"] == ship["name"]


def test_of_what_is_not_fused_there_is_nothing_to_say_and_that_is_no_error(node: ServedNode, sea: Sea) -> None:
    why = node.api.why_track("nobody")
    assert (why["id"], why["members"], why["sentences"], why["said"]) == ("nobody", [], [], [])


def test_a_split_by_a_person_stands(node: ServedNode, sea: Sea) -> None:
    wait_until(lambda: fused(node, "mmsi", "radar"), "ships are fused", 60.0)
    track = fused(node, "mmsi", "radar")[0]
    ship = next(entity for source, entity in track["members"] if source == "mmsi")
    others = {entity for source, entity in track["members"] if source != "mmsi"}
    called = {member["entity"]: member["name"] for member in node.api.why_track(ship)["members"]}
    assert node.api.split_track(member=ship)["entries"]

    def together() -> set[str]:
        return {entity for _, entity in next(
            (row["members"] for row in node.api.fused_tracks() if ship in {entity for _, entity in row["members"]}), []
        )}  # fmt: skip

    wait_until(lambda: not together() & others, "they are two")
    why = node.api.why_track(ship)
    assert not {member["entity"] for member in why["members"]} & others
    assert {(word["one"], word["other"], word["word"]) for word in why["said"]} == {
        (ship, other, "apart") for other in others
    }
    assert all(word["by"] and word["at_ms"] > 0 for word in why["said"])
    assert {other["entity"] for other in why["others"]} == others
    # A radar's track is called as before, although another symbol stands for it now.
    assert {other["entity"]: other["name"] for other in why["others"]} == {other: called[other] for other in others}
    assert any("kept apart" in sentence for sentence in why["sentences"])


def test_what_cannot_be_said_of_tracks_is_refused_with_a_sentence(node: ServedNode, sea: Sea) -> None:
    wait_until(lambda: len(fused(node, "mmsi")) > 2, "ships are fused", 60.0)
    with pytest.raises(NodeError, match="nothing here"):
        node.api.split_track(member="nobody")
    first = fused(node, "mmsi")[0]
    with pytest.raises(NodeError, match="one track already"):
        node.api.merge_tracks(one=first["id"], other=first["members"][0][1])


def members_of(node: ServedNode, id: str) -> dict[str, str]:
    """By id, the source of each member of the track that has this one."""
    return {member["entity"]: member["source"] for member in node.api.why_track(id)["members"]}


def three_sources(node: ServedNode) -> list[str]:
    """Ids of the members of a ship that AIS, a radar and a phone see, that of AIS first."""
    wait_until(lambda: fused(node, "mmsi", "radar", "cot"), "a ship of three sources", 60.0)
    members = dict(fused(node, "mmsi", "radar", "cot")[0]["members"])
    return [members["mmsi"], members["cot"], members["radar"]]


def test_what_was_said_is_taken_back_and_said_again(node: ServedNode, sea: Sea) -> None:
    ship, phone, radar = three_sources(node)
    locked = node.api.lock_track(id=ship)["entries"]
    split = node.api.take_back_tracks(entries=locked)["entries"]
    assert node.api.why_track(ship)["said"] == []
    again = node.api.take_back_tracks(entries=split)["entries"]
    assert {word["word"] for word in node.api.why_track(ship)["said"]} == {"same"}
    with pytest.raises(NodeError, match="said otherwise since"):
        node.api.take_back_tracks(entries=locked)
    node.api.take_back_tracks(entries=again)
    assert set(members_of(node, ship)) >= {ship, phone}
    assert radar


def test_a_ship_that_was_split_in_three_is_one_again_after_a_merge(node: ServedNode, sea: Sea) -> None:
    ship, phone, radar = three_sources(node)
    node.api.split_track(member=ship)
    wait_until(lambda: set(members_of(node, ship)) == {ship}, "the ship stands alone")
    wait_until(lambda: {phone, radar} <= set(members_of(node, phone)), "the others stay together", 60.0)
    node.api.merge_tracks(one=ship, other=phone)
    wait_until(lambda: {ship, phone, radar} <= set(members_of(node, ship)), "all three are one", 60.0)
    assert [word["word"] for word in node.api.why_track(ship)["said"]] == ["same"]


def test_two_ships_of_one_source_cannot_be_called_one(node: ServedNode, sea: Sea) -> None:
    wait_until(lambda: len(fused(node, "mmsi", "radar")) > 1, "ships are fused", 60.0)
    one, other = fused(node, "mmsi", "radar")[:2]
    with pytest.raises(NodeError, match="tells its own apart"):
        node.api.merge_tracks(one=one["id"], other=other["id"])


def test_two_tracks_that_radars_have_cannot_be_called_one(node: ServedNode, sea: Sea) -> None:
    wait_until(lambda: fused(node, "mmsi", "radar") and fused(node, "icao24", "radar"), "all are fused", 60.0)
    ship, aircraft = fused(node, "mmsi", "radar")[0], fused(node, "icao24", "radar")[0]
    with pytest.raises(NodeError, match=r"^T\d+ and T\d+ are of one source|tells its own apart"):
        node.api.merge_tracks(one=ship["id"], other=aircraft["id"])


def test_the_journal_names_both_of_whom_something_is_said(node: ServedNode, sea: Sea) -> None:
    ship, phone, _ = three_sources(node)
    named = {member["entity"]: member["name"] for member in node.api.why_track(ship)["members"]}
    said = node.api.lock_track(id=ship)["entries"]
    lines = [node.api.entry(id=id)["body"]["summary"] for id in said]
    assert any(f"AIS {named[ship]}" in line and f"TAK device {named[phone]}" in line for line in lines), lines
    assert all(line.endswith(" are one track") for line in lines)
    node.api.take_back_tracks(entries=said)


def test_an_identity_that_is_borne_elsewhere_is_a_conflict_of_both(node: ServedNode, sea: Sea) -> None:
    wait_until(lambda: fused(node, "mmsi", "radar"), "ships are fused", 60.0)
    ship = dict(fused(node, "mmsi", "radar")[0]["members"])["mmsi"]
    key = next(key for member in node.api.why_track(ship)["members"] for key in member["keys"] if "mmsi:" in key)
    contact = '<contact callsign="IMPOSTOR"/>'
    with node.client("IMPOSTOR") as impostor:
        impostor.say(event(f"MMSI-{key.removeprefix('mmsi:')}", "a-f-S", contact, lat=42.75, lon=77.30))
        wait_until(lambda: node.api.why_track(ship)["conflicts"], "the conflict is seen")
    why = node.api.why_track(ship)
    ((mine, others),) = why["conflicts"]
    assert mine == ship
    assert [(other["entity"], other["name"]) for other in why["others"]] == [(others, "IMPOSTOR")]
    assert node.api.why_track(others)["conflicts"] == [[others, ship]]
