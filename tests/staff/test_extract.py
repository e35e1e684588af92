"""What one nation may have, as files: nothing above its label, nothing above the asker's own."""

import base64
import io
import json
import zipfile
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from aquila.core.document import to_text
from aquila.core.feature import Feature
from aquila.core.model import Audience, Label, Paper, Principal, Verdict, audience_of
from aquila.core.policy import EXAMPLE_POLICY, release
from aquila.core.tongue import Tongue
from aquila.features.extract import feature as extract
from aquila.features.extract.gather import document_of, gather, plain_files
from aquila.features.orders import feature as orders
from aquila.features.picture import feature as picture
from aquila.features.reports import feature as reports
from aquila.testing.memory_node import MemoryPort
from aquila.web_api.port import Asked

from .conftest import Desk

FEATURES: tuple[Feature, ...] = (orders, picture, reports, extract)
LABELS = st.builds(
    Label,
    policy=st.just(EXAMPLE_POLICY),
    classification=st.sampled_from(("UNCLASSIFIED", "RESTRICTED", "SECRET")),
    releasable_to=st.sampled_from((("MISSION",), ("FRA",), ("ITA",), ("FRA", "ITA"), ("KAZ",))),
    groups=st.sampled_from((("COMMON",), ("STAFF",), ("COMMON", "STAFF"))),
    caveats=st.sampled_from(((), ("EYES ONLY",))),
    redacted_to=st.sampled_from(((), ("FRA",), ("MISSION",))),
)
SAID = st.tuples(st.sampled_from(("picture", "orders.order", "reports.report")), LABELS, st.none() | LABELS)


class Line(msgspec.Struct):
    """What the test reads of a line."""

    label: Label


def asker_of(port: MemoryPort, clearance: str, groups: tuple[str, ...]) -> Principal:
    return Principal(
        id="person:liaison",
        kind="person",
        name="liaison",
        context=port.context,
        nation="ITA",
        clearance=clearance,
        groups_in=frozenset(groups),
        groups_out=frozenset(groups),
        roles=("operator",),
    )


def written(port: MemoryPort, type: str, target: str, action: str, word: str, label: Label) -> None:
    fields = {"title": word} if action == "draft" else {"remarks": word}
    body = Paper(
        type=type, target=target, action=action, happened_at_ms=port.now_ms, fields=fields, seen=(), summary=word
    )
    port.say(body, label, author="person:other")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(SAID, max_size=6),
    st.sampled_from(("FRA", "KAZ", "ITA")),
    st.sampled_from(("UNCLASSIFIED", "RESTRICTED", "SECRET")),
    st.sampled_from(("UNCLASSIFIED", "SECRET")),
    st.sampled_from((("COMMON",), ("STAFF",), ("COMMON", "STAFF"))),
)
def test_an_extract_holds_exactly_what_nation_and_asker_may_both_have(
    said: list[Any], nation: str, clearance: str, own: str, groups: tuple[str, ...]
) -> None:
    port = MemoryPort(FEATURES)
    asker = asker_of(port, own, groups)
    audience = Audience(port.context, nation, clearance, (), frozenset(groups))

    def may(label: Label) -> bool:
        both = (audience, audience_of(asker))
        return all(release(port.policy, label, port.context, each).verdict is Verdict.FULL for each in both)

    wanted, all_words = set(), set()
    for number, (kind, label, second) in enumerate(said):
        first, later = f"zq{number}a", f"zq{number}b"
        all_words |= {first} if kind == "picture" or second is None else {first, later}
        if may(label):
            wanted.add(first)
        if kind == "picture":
            port.place(first, 43.0, 77.0, label)
            continue
        written(port, kind, f"{kind}-{number}", "draft", first, label)
        if second is not None:
            written(port, kind, f"{kind}-{number}", "edit", later, second)
            if may(label) and may(second):
                wanted.add(later)
    gathered = gather(Asked(port, asker, "test"), audience)
    files = plain_files(gathered, nation, port.now_ms)
    files["picture.kmz"] = zipfile.ZipFile(io.BytesIO(files["picture.kmz"])).read("doc.kml")
    files["text"] = to_text(document_of(gathered, nation, port.now_ms, "liaison"), Tongue("en")).encode()
    everything = b"\n".join(files.values()).decode()
    assert {word for word in all_words if word in everything} == wanted
    labels = [msgspec.json.decode(line, type=Line).label for line in files["papers.jsonl"].splitlines()]
    # Groups of several parts may have nothing in common: then the whole is for nobody who was not there.
    for label in (*labels, *(() if gathered.label is None else (gathered.label,))):
        assert may(msgspec.structs.replace(label, groups=groups))


def opened(made: Any) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(base64.b64decode(made["base64"])))


def test_a_release_is_a_package_and_a_line_of_the_journal(desk: Desk, viewer: Desk, port: MemoryPort) -> None:
    port.place("FOX", 43.0, 77.0)
    port.place("SECRET-FOX", 43.0, 77.0, port.national)
    desk.post("/orders", order={"kind": "OPORD", "title": "TO THE PASS", "mission": {"what": "observe"}})
    made = desk.post("/extracts", nation="KAZ")
    package = opened(made)
    assert sorted(package.namelist()) == [
        "extract.pdf",
        "extract.txt",
        "papers.jsonl",
        "picture.geojson",
        "picture.kmz",
    ]
    names = [each["properties"]["name"] for each in json.loads(package.read("picture.geojson"))["features"]]
    assert names == ["FOX"]
    assert package.read("extract.pdf").startswith(b"%PDF")
    assert "TO THE PASS" in package.read("extract.txt").decode()
    (row,) = viewer.get("/extracts", nation="KAZ")
    assert (row["by"], row["sha256"], row["entities"], row["papers"]) == ("token:watch", made["sha256"], 1, 1)
    assert viewer.get("/extracts", nation="FRA") == []


def test_nobody_releases_above_himself_and_nothing_is_no_package(
    desk: Desk, viewer: Desk, partner: Desk, client: TestClient[Any], port: MemoryPort
) -> None:
    assert "UNCLASSIFIED" in desk.post("/extracts", 403, nation="FRA", clearance="SECRET")["error"]["reason"]
    assert "nothing here is released" in desk.post("/extracts", 422, nation="FRA")["error"]["reason"]
    viewer.post("/extracts", 403, nation="FRA")
    desk.post("/extracts", 400, nation="France")
    port.place("FRENCH", 43.0, 77.0, port.national)
    # Who may not have it himself cannot hand it over, even to its own nation.
    desk.post("/extracts", 422, nation="FRA")
    assert partner.post("/extracts", nation="FRA")["entities"] == 1
    admin = Desk(client, port.token("chief", "admin"))
    admin.post("/posts", turn={"post": "liaison_officer", "person": "token:chief", "nation": "FRA"})
    assert "liaison officer" in partner.post("/extracts", 403, nation="FRA")["error"]["reason"]


def test_only_labels_of_the_policy_up_to_the_askers_ceiling_are_offered_and_taken(
    client: TestClient[Any], port: MemoryPort
) -> None:
    desk = Desk(client, port.token("liaison", "operator"))
    assert desk.get("/extracts/labels") == {"classifications": ["UNCLASSIFIED"]}
    above = desk.post("/extracts", 403, nation="FRA", clearance="SECRET")["error"]["reason"]
    assert "up to your own, UNCLASSIFIED" in above
    unknown = desk.post("/extracts", 422, nation="FRA", clearance="COSMIC")["error"]["reason"]
    assert "COSMIC is not of the policy" in unknown
    assert "choose one of UNCLASSIFIED" in unknown
