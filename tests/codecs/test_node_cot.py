"""What @tak-ps/node-cot, the library inside CloudTAK, decodes of our frames is what we meant."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aquila.codecs.cot import convert, cot_xml, tak_v1
from aquila.core.codec import Decoded
from aquila.core.model import Foreign, Note, Original, Receipt, Removal, Report
from aquila.testing.codecs import decoded, outgoing, vectors_beside

HERE = Path(__file__).parent / "node_cot"
CACHE = Path(__file__).parents[2] / ".dev" / "node_cot"
FILES = ("package.json", "package-lock.json", "decode.mjs")


@pytest.fixture(scope="session")
def node_cot() -> Path:
    """A folder in which node finds the peer; installed once for each state of its lock file."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.fail("node and npm are needed: install Node 20.19 or later")
    CACHE.mkdir(parents=True, exist_ok=True)
    stamp = CACHE / "installed"
    wanted = (HERE / "package-lock.json").read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        for name in FILES:
            shutil.copy(HERE / name, CACHE / name)
        subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
            cwd=CACHE,
            check=True,
            timeout=110,
        )
        stamp.write_text(wanted)
    shutil.copy(HERE / "decode.mjs", CACHE / "decode.mjs")
    return CACHE


def frames() -> list[tuple[str, Any, str, bytes]]:
    """Name, body, format and bytes of every vector, sent on and written anew, in both formats."""
    made: list[tuple[str, Any, str, bytes]] = []
    assert cot_xml.encode is not None
    assert tak_v1.encode is not None
    for vector in vectors_beside("aquila.codecs.cot", "cot-xml"):
        for one in decoded(cot_xml, [vector.wire]):
            assert isinstance(one, Decoded)
            original = Original("cot-xml", one.original)
            frame = convert(original, "tak-v1")
            body = one.body
            made.append((vector.name, body, "cot-xml", cot_xml.encode(outgoing(body, original.data))))
            made.append((vector.name, body, "tak-v1", tak_v1.encode(outgoing(body, frame))))
            if not isinstance(body, Foreign):
                made.append((vector.name, body, "cot-xml", cot_xml.encode(outgoing(body))))
                made.append((vector.name, body, "tak-v1", tak_v1.encode(outgoing(body))))
    return made


def test_node_cot_decodes_what_we_meant(node_cot: Path) -> None:
    made = frames()
    lines = [json.dumps({"format": format_, "data": base64.b64encode(data).decode()}) for _, _, format_, data in made]
    run = subprocess.run(
        ["node", "decode.mjs"],
        cwd=node_cot,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(answers) == len(made)
    for (name, body, format_, _), answer in zip(made, answers, strict=True):
        assert "error" not in answer, (name, format_, answer)
        says_what_we_meant(name, body, answer)


def says_what_we_meant(name: str, body: Any, answer: Any) -> None:
    event, feature = answer["raw"], answer["geojson"]
    attributes, detail = event["_attributes"], event["detail"]
    assert attributes["access"] == "UNCLASSIFIED", name
    assert "TAK-Server-node-1" in detail["_flow-tags_"]["_attributes"], name
    if isinstance(body, Report):
        assert attributes["uid"] == body.alias.value, name
        assert attributes["type"] == body.type, name
        if body.name is not None:
            assert feature["properties"]["callsign"] == body.name, name
        if body.position is not None:
            point = event["point"]["_attributes"]
            assert (point["lat"], point["lon"]) == (body.position.lat_deg, body.position.lon_deg)
        if body.motion is not None:
            assert float(detail["track"]["_attributes"]["speed"]) == body.motion.speed_mps
        if body.team is not None:
            assert detail["__group"]["_attributes"]["name"] == body.team, name
        if body.geometry is not None and body.geometry.shape in ("polygon", "circle"):
            assert feature["geometry"]["type"] == "Polygon", name
        line = body.geometry is not None and body.geometry.shape in ("line", "route")
        # node-cot shows a range and bearing as its anchor, with the line in the properties.
        if line and body.type != "u-rb-a":
            assert feature["geometry"]["type"] == "LineString", name
    elif isinstance(body, Note):
        chat = detail["__chat"]["_attributes"]
        assert (chat["id"], chat["senderCallsign"]) == (body.room, body.author_name), name
        assert chat["messageId"] == body.reference, name
        assert feature["properties"]["remarks"] == body.text, name
    elif isinstance(body, Receipt):
        assert detail["__chatreceipt"]["_attributes"]["messageId"] == body.reference, name
    elif isinstance(body, Removal):
        links = detail["link"]
        link = links[0] if isinstance(links, list) else links
        assert link["_attributes"]["uid"] == body.alias.value, name
    if not isinstance(body, Foreign) and body.to:
        dests = detail["marti"]["dest"]
        dests = dests if isinstance(dests, list) else [dests]
        sent = [pair for dest in dests for pair in dest["_attributes"].items()]
        assert sent == [(address.scheme, address.value) for address in body.to], name
