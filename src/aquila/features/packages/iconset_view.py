"""Icon sets: a view of the acts iconset.add and iconset.remove: the newest by stamp counts."""

import msgspec

from aquila.core.model import Act, Arrival, Context, Entry, Label, Stamp

ICONSET_ADD, ICONSET_REMOVE = "iconset.add", "iconset.remove"
ICONSETS_MAX = 1_000
"""Newest icon sets that are known, those that were removed among them."""
SLACK = 100
"""Trimmed in batches; the snapshot holds exactly the maximum."""


class Iconset(msgspec.Struct, frozen=True, array_like=True):
    """What was said last about one icon set of one sender.

    Attributes:
        first: when it was said first. target: of its acts. uid, name: as it calls itself.
        sha256: of its zip; None = it was removed.
    """

    first: Stamp
    stamp: Stamp
    target: str
    author: str
    label: Label
    context: Context
    uid: str
    name: str
    size_bytes: int
    sha256: str | None


Key = tuple[Context, str]
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[Iconset])


class Iconsets:
    """The view. Reading may come from any thread: every look is at a copy."""

    name = "iconsets"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._iconsets: dict[Key, Iconset] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, envelope = arrival.body, arrival.envelope
        if act.action not in (ICONSET_ADD, ICONSET_REMOVE):
            return
        key = (envelope.context, act.target)
        known = self._iconsets.get(key)
        first = envelope.stamp if known is None else min(known.first, envelope.stamp)
        if known is not None and envelope.stamp <= known.stamp:
            self._iconsets[key] = msgspec.structs.replace(known, first=first)
            return
        said, size = act.detail, act.detail.get("size_bytes", "")
        self._iconsets[key] = Iconset(
            first=first,
            stamp=envelope.stamp,
            target=act.target,
            author=envelope.author,
            label=envelope.label,
            context=envelope.context,
            uid=said.get("uid", ""),
            name=said.get("name", ""),
            size_bytes=int(size) if size.isdecimal() and len(size) < 16 else 0,
            sha256=said.get("hash") if act.action == ICONSET_ADD else None,
        )
        if len(self._iconsets) > ICONSETS_MAX + SLACK:
            self._trim()

    def _trim(self) -> None:
        if len(self._iconsets) > ICONSETS_MAX:
            newest = sorted(self._iconsets, key=lambda key: self._iconsets[key].stamp)[-ICONSETS_MAX:]
            self._iconsets = {key: self._iconsets[key] for key in newest}

    def snapshot(self) -> bytes:
        """See View."""
        self._trim()
        return _encoder.encode([self._iconsets[key] for key in sorted(self._iconsets)])

    def restore(self, data: bytes) -> None:
        """See View."""
        self._iconsets = {(each.context, each.target): each for each in _decoder.decode(data)}

    def said(self, context: Context, target: str) -> Iconset | None:
        """What was said last about it; None = nothing, or it was removed."""
        found = self._iconsets.get((context, target))
        return None if found is None or found.sha256 is None else found

    def iconsets(self) -> list[Iconset]:
        """All that are there, the one that was there first is the first."""
        there = [each for each in list(self._iconsets.values()) if each.sha256 is not None]
        return sorted(there, key=lambda each: (each.first, each.target))

    def needs_file(self, sha256: str, now_ms: int) -> bool:
        """See core.contract.NeedsFiles."""
        return any(each.sha256 == sha256 for each in self.iconsets())
