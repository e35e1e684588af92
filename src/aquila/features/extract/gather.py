"""Gather: what a nation may have, as files. Everything passes twice: who makes it must have it, and the nation must.

What the nation would only get coarsened is left out: an extract leaves the node, and nobody can take it back.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from aquila.codecs.geojson import codec as geojson
from aquila.codecs.kml import codec as kml
from aquila.codecs.kml import document as kml_document
from aquila.codecs.kml import kmz
from aquila.core.codec import Outgoing
from aquila.core.document import Document, Paragraph, to_pdf, to_text
from aquila.core.dtg import dtg
from aquila.core.feature import Reading
from aquila.core.model import Audience, Context, Label, Report, Verdict
from aquila.core.papers import Papers, Thing
from aquila.core.policy import Decision, Policy, derive, release
from aquila.core.tongue import Tongue
from aquila.core.view import view_of

DENIED = Decision(Verdict.DENIED, "not in full")
PAPERS = ("orders", "reports")
"""Views whose papers go in."""
ENTITIES_MAX = 20_000
THINGS_MAX = 5_000


class Seen(Protocol):
    """What is read of an entity."""

    @property
    def report(self) -> Any:
        """Its newest report."""
        ...

    @property
    def label(self) -> Label:
        """Of the report."""
        ...


class Sees(Protocol):
    """The view `picture`."""

    def entities(self) -> list[str]:
        """All ids."""
        ...

    def sight(self, entity: str, may: Any, policy: Policy) -> Seen | None:
        """What a reader may have of it."""
        ...


class Lens:
    """A reading through the eyes of an audience, and never more than the asker's own. See Reading.

    Args:
        reading: of who makes the extract. audience: for whom it is.
    """

    def __init__(self, reading: Reading, audience: Audience) -> None:
        self.context = reading.context
        self.views = reading.views
        self.policy = reading.policy
        self._reading = reading
        self._audience = audience

    def release(self, label: Label, context: Context) -> Decision:
        """In full, for both; else not at all."""
        own = self._reading.release(label, context)
        theirs = release(self.policy, label, context, self._audience)
        return theirs if own.verdict is Verdict.FULL and theirs.verdict is Verdict.FULL else DENIED


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """What goes in. label: at least as strict as each part; None = there is nothing."""

    sights: tuple[tuple[Report, Label], ...]
    things: tuple[tuple[Thing, Label], ...]
    label: Label | None


def gather(reading: Reading, audience: Audience) -> Gathered:
    """All of the picture, the orders and the reports that the audience may have in full, and the asker too."""
    lens: Any = Lens(reading, audience)
    sights = tuple(_sights(lens))
    things = tuple(_things(lens))
    labels = {label for _, label in (*sights, *things)}
    return Gathered(sights=sights, things=things, label=derive(reading.policy, labels) if labels else None)


def _sights(lens: Any) -> Iterator[tuple[Report, Label]]:
    picture: Sees = lens.views["picture"]
    for entity in picture.entities()[:ENTITIES_MAX]:
        sight = picture.sight(entity, lens.release, lens.policy)
        if sight is not None and isinstance(sight.report, Report):
            yield sight.report, sight.label


def _things(lens: Any) -> Iterator[tuple[Thing, Label]]:
    for name in PAPERS:
        for number, thing in enumerate(view_of(lens.views, name, Papers).things(lens)):
            if number >= THINGS_MAX:
                return
            yield thing, derive(lens.policy, {step.label for step in thing.steps})


def files_of(gathered: Gathered, nation: str, now_ms: int, maker: str) -> dict[str, bytes]:
    """The files of the package by name. English: who it is for speaks another language than who makes it."""
    tongue = Tongue("en")
    paper = document_of(gathered, nation, now_ms, maker)
    files = plain_files(gathered, nation, now_ms)
    return {**files, "extract.txt": to_text(paper, tongue).encode(), "extract.pdf": to_pdf(paper, tongue)}


def plain_files(gathered: Gathered, nation: str, now_ms: int) -> dict[str, bytes]:
    """Those for machines: the picture twice, and the papers."""
    outs = [Outgoing(body=report, label=label, now_ms=now_ms) for report, label in gathered.sights]
    features = [_encoded(geojson, out) for out in outs]
    return {
        "picture.geojson": b'{"type":"FeatureCollection","features":[' + b",".join(features) + b"]}\n",
        "picture.kmz": kmz(kml_document(f"For {nation}", [_encoded(kml, out).decode() for out in outs])),
        "papers.jsonl": b"".join(_line(thing, label) for thing, label in gathered.things),
    }


def packed(files: Mapping[str, bytes]) -> bytes:
    """One zip of them, with fixed times."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _encoded(codec: Any, out: Outgoing) -> bytes:
    encoded: bytes = codec.encode(out)
    return encoded


def _line(thing: Thing, label: Label) -> bytes:
    row = {
        "id": thing.id,
        "type": thing.type,
        "at_ms": thing.newest.at_ms,
        "by": thing.newest.by,
        "action": thing.newest.action,
        "fields": thing.fields(),
        "label": label,
    }
    return msgspec.json.encode(row) + b"\n"


def document_of(gathered: Gathered, nation: str, now_ms: int, maker: str) -> Document:
    """The same for people: what the PDF and the text say."""
    lines = [Paragraph(f"Made {dtg(now_ms)} by {maker}. {len(gathered.sights)} entities in the picture files.")]
    for thing, label in gathered.things:
        title = str(thing.get("title") or thing.first.summary or thing.id)
        lines.append(Paragraph(f"{thing.type}: {title} ({_marking(label)})", is_heading=True))
        lines += [Paragraph(text, (thing.newest.entry,)) for text in _flat(thing.fields())]
    return Document(title=f"Extract for {nation}", marking=_marking(gathered.label), paragraphs=tuple(lines))


def _flat(fields: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Each value with the way to it, as a line."""
    for name, value in sorted(fields.items()):
        yield from _said(f"{before}{name}", value)


def _said(name: str, value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        return _flat(value, f"{name}.")
    if isinstance(value, list | tuple):
        return [line for number, each in enumerate(value, start=1) for line in _said(f"{name}.{number}", each)]
    return [] if value in (None, "") else [f"{name}: {value}"]


def _marking(label: Label | None) -> str:
    if label is None:
        return "NOTHING TO RELEASE"
    parts = [label.classification, *label.caveats]
    return f"{' '.join(parts)} REL TO {', '.join(label.releasable_to)}"
