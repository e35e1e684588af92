"""Each query, each role, a body that the asker may not have: no byte of it comes out, by whatever way."""

import itertools
import re
from typing import Any

import pytest

from aquila.core.model import (
    LOG_ROOM,
    Act,
    Address,
    Alias,
    Emergency,
    Foreign,
    Note,
    Paper,
    Receipt,
    Removal,
)
from aquila.features.links import LinkRow, LinkState
from aquila.features.picture import TrackFix

CANARY = "zqcanaryqz"
QUERIES = (
    "/entities",
    f"/entities?q={CANARY}",
    "/entities?bbox=42,42,43,43",
    "/entities/{id}",
    "/tracks",
    "/picture?at_ms=1794999999999",
    # A typing error away from the canary: whoever knew the name would be offered it.
    "/log/parse?line=zqcanaryqx%20halted%20near%20zqcanaryqx",
    "/entries",
    "/entries?newest=true",
    "/entries?since=c1&kind=note",
    "/entries/{entry}",
    "/chat/rooms",
    "/chat/lines",
    f"/chat/lines?room={CANARY}",
    "/devices",
    "/groups",
    "/tokens",
    "/users",
    "/links",
    "/me",
    "/openapi.json",
)


def plant(port: Any, label: Any, canary: str = CANARY) -> tuple[str, str]:
    """Everything that anybody can say, under a label, with the canary in every field; gives an entity and an entry."""
    now_ms, alias = port.now_ms, Alias("cot", f"uid-{canary}")
    fields: dict[str, Any] = {
        "name": canary,
        "remarks": canary,
        "team": canary,
        "role": canary,
        "fields": {canary: canary},
    }
    entity = port.place("SECRET", 42.5, 42.5, label, **fields)
    marked = dict(fields, emergency=Emergency(canary, True), category="alert")
    from_conftest = port.report("SECRET2", 42.5, 42.5, **marked)
    bodies = [
        from_conftest,
        Note(room=canary, text=canary, happened_at_ms=now_ms, author_name=canary, reference=canary),
        Note(room=LOG_ROOM, text=canary, happened_at_ms=now_ms, to=(Address("callsign", canary),)),
        Removal(entity="none", alias=alias, happened_at_ms=now_ms),
        Receipt(reference=canary, state="read", happened_at_ms=now_ms, by=alias),
        Foreign(alias=alias, type=canary, happened_at_ms=now_ms),
        Act(action=canary, target=canary, happened_at_ms=now_ms, detail={canary: canary}),
        Paper(
            type=canary, target=canary, action=canary, happened_at_ms=now_ms, fields={canary: canary}, summary=canary
        ),
    ]
    entries = [port.say(body, label, f"device:{canary}") for body in bodies]
    row = LinkRow(id="1", name=canary, transport="tcp", state="up", since_ms=1, peer=canary, principal=canary)
    port.parts["links"].rows.append(LinkState(row=row, label=label, context=port.context))
    fix = TrackFix(
        entity=canary,
        at_ms=now_ms,
        lat_deg=42.5,
        lon_deg=42.5,
        hae_m=None,
        course_deg=None,
        speed_mps=None,
        label=label,
        context=port.context,
    )
    port.parts["tracks"].fixes.append(fix)
    return entity, entries[0].envelope.id


@pytest.mark.parametrize(("role", "path"), list(itertools.product(["viewer", "operator", "admin"], QUERIES)))
def test_no_query_lets_out_what_the_asker_may_not_have(port: Any, client: Any, role: str, path: str) -> None:
    entity, entry = plant(port, port.national)
    headers = port.token("op", role)
    answer = client.get("/api/v1" + path.format(id=entity, entry=entry), headers=headers)
    if CANARY not in path:
        assert CANARY not in answer.text + str(answer.headers)
    else:
        assert answer.json() == []


@pytest.mark.parametrize("path", QUERIES)
def test_what_is_denied_changes_no_byte_of_an_answer(port: Any, client: Any, path: str) -> None:
    """Non-interference: two worlds that differ only in a denied body give the same bytes."""
    entity, entry = plant(port, port.national, "one-world")
    headers = port.token("op", "admin")
    asked = "/api/v1" + path.format(id=entity, entry=entry)
    first = client.get(asked, headers=headers).content
    other = type(port)()
    plant(other, other.national, "another-one, longer and stranger")
    other.token("op", "admin")
    client.app.state.web.port.core = other.core
    port.views.clear()
    port.views.update(other.views)
    port.journal, port.parts = other.journal, {**other.parts, "secrets": port.parts["secrets"]}
    second = client.get(asked, headers=headers).content
    assert strip_ids(first) == strip_ids(second)


def strip_ids(data: bytes) -> bytes:
    """Ids of what is visible are drawn anew in each world."""
    return re.sub(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", b"ID", data)


def test_the_redacted_form_reaches_redacted_readers_only(port: Any, client: Any) -> None:
    entity = port.place("SECRET", 42.512, 77.534, port.coarse, remarks=CANARY, name=CANARY)
    report = port.report("SECRET3", 42.512, 77.534, remarks=CANARY, name=CANARY)
    port.say(report, port.coarse, f"device:{CANARY}")
    italian, french = port.token("ita", "viewer", "ITA"), port.token("fra", "viewer", "FRA")
    turkish = port.token("tur", "viewer", "TUR")
    row = client.get(f"/api/v1/entities/{entity}", headers=italian).json()
    assert (row["redacted"], row["name"], row["source"], row["remarks"]) == (True, "", None, None)
    assert (row["position"]["lat_deg"], row["position"]["lon_deg"]) == (42.55, 77.55)
    assert (row["label"]["releasable_to"], row["sources"], row["motion"]) == ([], [], None)
    assert client.get(f"/api/v1/entities/{entity}", headers=french).json()["name"] == CANARY
    assert client.get(f"/api/v1/entities/{entity}", headers=turkish).status_code == 404
    entries = client.get("/api/v1/entries?kind=report", headers=italian).text
    assert CANARY not in entries
    assert '"redacted":true' in entries
    assert client.get("/api/v1/entries?kind=report", headers=turkish).json() == []
    # What is searched is the redacted form: neither the name nor the exact place finds it.
    assert client.get(f"/api/v1/entities?q={CANARY}", headers=italian).json() == []
    assert client.get("/api/v1/entities?bbox=77.53,42.51,77.54,42.52", headers=italian).json() == []


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_no_frame_of_the_stream_lets_out_what_is_denied(port: Any, client: Any, role: str) -> None:
    plant(port, port.national)
    headers = port.token("op", role)
    with client.websocket_connect("/api/v1/stream?since=", headers=headers) as socket:
        plant(port, port.national)
        port.place("SEEN", 42.5, 42.5)
        # The screen may have had its first frame and counts before the place was there; the next come due by the clock.
        port.now_ms += 10_000
        counts = b'{"t":"counts","entities":1,"fresh":1,"stale":0,"links":0}'
        got = []
        while b"SEEN" not in b"".join(got) or counts not in b"".join(got):
            frame = socket.receive(timeout=60)
            got.append(frame.get("bytes") or frame["text"].encode())
    assert CANARY.encode() not in b"".join(got)
