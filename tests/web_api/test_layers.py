"""Layers: renamed, ordered and marked by one line each, merged by stamps; nobody hears of what he may not see."""

import itertools
from typing import Any

import pytest

from aquila.features.picture.layers import Layers
from aquila.testing.memory_node import MemoryPort

LINE = {"shape": "line", "name": "PL", "points": [[42.0, 77.0], [42.1, 77.2]], "layer": "OPS"}


def draw(port: Any, client: Any, **words: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/drawings", headers=port.token("op", "operator"), json=LINE | words)
    assert answer.status_code in (200, 201), answer.text
    return dict(client.get(f"/api/v1/entities/{answer.json()['entity']}", headers=port.token("op", "operator")).json())


def say(port: Any, client: Any, status: int = 201, **words: Any) -> dict[str, Any]:
    port.now_ms += 1000
    answer = client.post("/api/v1/layers", headers=port.token("op", "operator"), json={"id": "OPS"} | words)
    assert answer.status_code == status or (status == 201 and answer.status_code == 200), answer.text
    return dict(answer.json())


def rows(port: Any, client: Any, who: str = "op") -> list[dict[str, Any]]:
    return list(client.get("/api/v1/layers", headers=port.token(who, "operator")).json())


def spoken(port: Any) -> list[Any]:
    """Lines of the journal but for the acts that let people in."""
    return [entry for entry in port.journal.read(0, 1000) if entry.envelope.kind != "act"]


def test_a_rename_is_one_line_and_the_drawings_stay_as_they_were(port: Any, client: Any) -> None:
    for number in range(3):
        draw(port, client, name=f"PL {number}")
    before = len(spoken(port))
    entry = say(port, client, name="PLAN B")["entry"]
    assert len(spoken(port)) == before + 1
    assert port.journal.entry(entry).body.summary == "layer OPS: called PLAN B"
    assert [(row["id"], row["name"]) for row in rows(port, client)] == [("OPS", "PLAN B")]
    # Both names lead to it, for who draws and who saves.
    for called in ("PLAN B", "OPS"):
        assert draw(port, client, layer=called)["fields"]["layer"] == "OPS"
        told = client.get(f"/api/v1/overlays/file?layer={called}&format=gpkg", headers=port.token("op", "operator"))
        assert told.json()["drawings"] >= 4


def test_a_name_that_another_layer_has_or_had_is_refused(port: Any, client: Any) -> None:
    say(port, client, name="PLAN B")
    for name in ("PLAN B", "OPS"):
        assert "take another name" in say(port, client, 422, id="INTEL", name=name)["error"]["reason"]


def test_the_order_is_kept_beside_the_name(port: Any, client: Any) -> None:
    say(port, client, order="6f8")
    say(port, client, name="PLAN B")
    (row,) = rows(port, client)
    assert (row["name"], row["order"], row["label"]) == ("PLAN B", "6f8", None)
    say(port, client, 400, order="60")
    say(port, client, 400)


def test_what_is_drawn_on_a_marked_layer_is_marked_and_what_was_drawn_keeps_its_own(port: Any, client: Any) -> None:
    old = draw(port, client)
    say(port, client, releasable_to=["ITA"], classification="UNCLASSIFIED")
    new = draw(port, client, name="NEW")
    assert (old["label"]["releasable_to"], new["label"]["releasable_to"]) == (["MISSION"], ["ITA"])
    french = {row["name"] for row in _drawings(port, client, "fr")}
    assert french == {"PL"}
    # Lowered again: what was drawn meanwhile stays as it was marked.
    say(port, client, releasable_to=["MISSION"], classification="UNCLASSIFIED")
    assert {row["name"] for row in _drawings(port, client, "fr")} == {"PL"}
    assert draw(port, client, name="NEWER")["label"]["releasable_to"] == ["MISSION"]
    assert {row["name"] for row in _drawings(port, client, "fr")} == {"PL", "NEWER"}


def test_who_may_not_have_what_lies_on_a_layer_hears_no_new_name_of_it(port: Any, client: Any) -> None:
    draw(port, client)
    say(port, client, releasable_to=["ITA"], classification="UNCLASSIFIED")
    say(port, client, name="SECRET NAME")
    answer = client.get("/api/v1/layers", headers=port.token("fr", "operator", nation="FRA"))
    assert answer.json() == []
    assert [row["name"] for row in rows(port, client)] == ["SECRET NAME"]


def test_a_marking_above_ones_own_clearance_is_refused(port: Any, client: Any) -> None:
    assert "SECRET" in say(port, client, 403, classification="SECRET")["error"]["reason"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_any_order_of_arrival_folds_to_the_same(port: MemoryPort, client: Any, order: tuple[int, ...]) -> None:
    entries = [
        port.journal.entry(say(port, client, **words)["entry"])
        for words in ({"name": "A"}, {"name": "B", "order": "8"}, {"order": "9"})
    ]
    one, other = Layers(), Layers()
    for place in order:
        entry = entries[place]
        assert entry is not None
        one.fold(entry)
        one.fold(entry)
    other.restore(one.snapshot())
    context = port.core.context
    for view in (one, other):
        row = view.row(context, "OPS", lambda label, context: True)
        assert row is not None
        assert (row.name, row.order) == ("B", "9")
    assert view.snapshot() == port.views["layers"].snapshot()


def test_a_viewer_changes_no_layer(port: Any, client: Any) -> None:
    body = {"id": "OPS", "name": "X"}
    assert client.post("/api/v1/layers", headers=port.token("op", "viewer"), json=body).status_code == 403


def _drawings(port: Any, client: Any, who: str) -> list[dict[str, Any]]:
    headers = port.token(who, "operator", nation="FRA")
    return list(client.get("/api/v1/entities?kind=drawing", headers=headers).json())
