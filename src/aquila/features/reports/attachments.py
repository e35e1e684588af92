"""Files beside a report: what a patrol's device sent, when and from where; shown to whoever may have the file."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Protocol, runtime_checkable

import msgspec

from aquila.core.dtg import dtg
from aquila.core.feature import Reading
from aquila.core.model import Label, Verdict
from aquila.core.paper_work import Id, Line, Time
from aquila.core.papers import Thing

ATTACHMENTS_MAX = 100
NEAR_MS = 10 * 60_000
"""A photo lies where its patrol was within this time of sending it; farther off its place is not known."""


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One file. package: its uid. at_ms: when it was sent. lat_deg, lon_deg: of its sender then; None = not known."""

    package: Id
    name: Line
    mime: Line
    at_ms: Time
    lat_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None


Attachments = Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=ATTACHMENTS_MAX)]


class Fix(Protocol):
    """A kept position."""

    at_ms: int
    lat_deg: float
    lon_deg: float


@runtime_checkable
class KnowsFiles(Protocol):
    """The view of files that were sent, as far as reports look at it; another feature has it."""

    def packages(self, now_ms: int) -> list[Any]:
        """All that are there, the newest first: with uid, label, context and facts."""
        ...

    def package(self, context: Any, uid: str, now_ms: int) -> Any:
        """The one of this uid; None = it is not there."""
        ...


def files_of(reading: Reading) -> KnowsFiles | None:
    """The view of files; None = this node has none."""
    view: object = reading.views.get("packages")
    return view if isinstance(view, KnowsFiles) else None


def sent_by(uid: str, from_ms: int, until_ms: int, reading: Reading, fixes: Sequence[Fix]) -> Iterator[Any]:
    """(attachment, label) of each file that a device sent in this time and the asker may have, the oldest first."""
    view = files_of(reading)
    for package in () if view is None else reversed(view.packages(reading.now_ms())):
        facts = package.facts
        if facts is None or facts.tool == "private" or not from_ms <= facts.added_at_ms <= until_ms:
            continue
        is_its_own = uid == facts.creator_uid or facts.submitter == f"device:{uid}"
        if is_its_own and reading.release(package.label, package.context).verdict is Verdict.FULL:
            yield _attachment(package.uid, facts, fixes), package.label


def _attachment(uid: str, facts: Any, fixes: Sequence[Fix]) -> Attachment:
    near = min(fixes, key=lambda fix: abs(fix.at_ms - facts.added_at_ms), default=None)
    if near is not None and abs(near.at_ms - facts.added_at_ms) > NEAR_MS:
        near = None
    return Attachment(
        package=uid,
        name=facts.name[:200],
        mime=facts.mime[:200],
        at_ms=facts.added_at_ms,
        lat_deg=None if near is None else near.lat_deg,
        lon_deg=None if near is None else near.lon_deg,
    )


def attachments_of(thing: Thing, reading: Reading) -> tuple[Attachment, ...]:
    """Those of a report that the asker may have and that were not withdrawn."""
    found = msgspec.convert(thing.get("attachments", ()), tuple[Attachment, ...])
    return tuple(each for each in found if label_of(each.package, reading) is not None)


def label_of(uid: str, reading: Reading) -> Label | None:
    """How a file is marked; None = it is not there, or not for this asker."""
    view = files_of(reading)
    package = None if view is None else view.package(reading.context, uid, reading.now_ms())
    if package is None or reading.release(package.label, package.context).verdict is not Verdict.FULL:
        return None
    label: Label = package.label
    return label


def text_of(each: Attachment) -> str:
    """As it is printed."""
    place = "" if each.lat_deg is None or each.lon_deg is None else f", {each.lat_deg:.5f}, {each.lon_deg:.5f}"
    return f"{each.name}, {dtg(each.at_ms)}{place}"
