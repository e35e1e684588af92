"""A CoT event as read from a wire, before it means anything, and what is looked up in it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, Literal, Protocol

import msgspec

from aquila.core.errors import CodecError
from aquila.core.model import Address, Alias
from aquila.core.unseen import seen

UID_LENGTH_MAX: Final = 512
TYPE_LENGTH_MAX: Final = 128
SCHEME: Final = "cot"
FLOW_PREFIX: Final = "TAK-Server-"


class Part(Protocol):
    """Attributes of one child of <detail>: an XML element, or a dict when typed in protobuf."""

    def get(self, key: str, /) -> str | None:
        """The attribute, or None."""
        ...


class Element(Part, Protocol):
    """As much of an XML element as the mapping reads."""

    @property
    def tag(self) -> str:
        """Its name."""
        ...

    @property
    def text(self) -> str | None:
        """The text before its first child."""
        ...

    @property
    def tail(self) -> str | None:
        """The text behind its end."""
        ...

    def __iter__(self) -> "Iterator[Element]":
        """Its children."""
        ...

    def items(self) -> Sequence[tuple[str, str]]:
        """Its attributes in the order written."""
        ...


class Parts(Protocol):
    """The children of <detail> by name, the first of each name."""

    def get(self, name: str, /) -> Part | None:
        """The first of this name, or None."""
        ...

    def __getitem__(self, name: str, /) -> Part:
        """The first of this name; raises KeyError."""
        ...

    def __contains__(self, name: object, /) -> bool:
        """Is there one of this name?"""
        ...

    def keys(self) -> Collection[str]:
        """The names that there are: for who asks for many."""
        ...


class Event(msgspec.Struct):
    """One CoT event as read from a wire, before it means anything.

    Attributes:
        lat_deg, lon_deg: as written, not yet checked for range. hae_m, ce_m, le_m: None = unknown.
        parts: the children of <detail> by name, the first of each name.
        children: the children of <detail> that came as XML, in their order.
    """

    uid: str
    type: str
    at_ms: int
    stale_ms: int
    how: str | None
    lat_deg: float
    lon_deg: float
    hae_m: float | None
    ce_m: float | None
    le_m: float | None
    parts: Parts
    children: Iterable[Element]


def flow_of(parts: Parts, children: Iterable[Element]) -> tuple[str, ...]:
    """Identities of the servers whose flow tags the event carries."""
    if "_flow-tags_" not in parts:
        return ()
    length = len(FLOW_PREFIX)
    return tuple(
        name[length:]
        for child in children
        if child.tag == "_flow-tags_"
        for name, _ in child.items()
        if name.startswith(FLOW_PREFIX)
    )


def child_of(event: Event, tag: str) -> Element | None:
    """The first child of the detail with this name."""
    for child in event.children:
        if child.tag == tag:
            return child
    return None


def text_of(event: Event, tag: str) -> str:
    """The text of the first child of the detail with this name; empty = none."""
    child = child_of(event, tag)
    return "" if child is None else child.text or ""


def parent_of(event: Event) -> Alias | None:
    """Whom the event belongs to: the p-p link with a usable uid; None = nobody is named."""
    for child in event.children:
        if child.tag == "link" and child.get("relation") == "p-p":
            uid = child.get("uid")
            if uid and len(uid) <= UID_LENGTH_MAX:
                return Alias(SCHEME, uid)
    return None


ADDRESSEES_MAX: Final = 256
"""Of one statement."""


def addressees_of(event: Event) -> tuple[Address, ...]:
    """The addressees of every marti/dest; one not understood is no reason to tell everybody."""
    to: list[Address] = []
    for child in event.children:
        if child.tag != "marti":
            continue
        for dest in child:
            if dest.tag != "dest":
                continue
            before = len(to)
            for name, value in dest.items():
                scheme = _ADDRESSES.get(name)
                if scheme is not None and value:
                    # Names are compared as people see them, here and where a device says its own.
                    to.append(Address(scheme, seen(value) if scheme == "callsign" else value))
            if len(to) == before:
                raise CodecError("unsupported", "marti/dest: callsign, uid, group or mission is needed")
    if len(to) > ADDRESSEES_MAX:
        raise CodecError("elements", f"{len(to)} addressees: {ADDRESSEES_MAX} are allowed")
    return tuple(to)


_ADDRESSES: Final[dict[str, Literal["callsign", "uid", "group", "mission"]]] = {
    "callsign": "callsign",
    "uid": "uid",
    "group": "group",
    "mission": "mission",
    "mission-guid": "mission",
}
