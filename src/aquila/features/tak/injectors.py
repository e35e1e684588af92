"""Injectors: XML that an administrator has this node add to the detail of events of one uid, on their way to clients.

What the journal holds, and what is told of the past, stays as it was said.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from lxml import etree

from aquila.codecs.cot.marti import enveloped
from aquila.core.contract import Call, Reply
from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Endpoint, Labelled, Query, Reading, check_text
from aquila.core.ids import statement_id
from aquila.core.model import Act, Arrival, Context, Entry, Principal, Stamp
from aquila.core.view import view_of

INJECTOR_ADD, INJECTOR_REMOVE = "injector.add", "injector.remove"
XML_MAX = 4_000
OF_UID_MAX = 10
ALL_MAX = 200
KNOWN_MAX = 2_000
"""Newest acts that are known, those of injectors that were removed among them."""
FORBIDDEN = frozenset({"marti", "event", "detail", "point"})
"""Elements that say where an event goes, or what it is."""
KIND = "InjectorConfig"


class Injector(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An element for the detail of every event of a uid."""

    uid: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    to_inject: Annotated[str, msgspec.Meta(min_length=1, max_length=XML_MAX)]

    def __post_init__(self) -> None:
        check_text("uid", self.uid)
        check_text("toInject", self.to_inject)
        _check_xml(self.to_inject)


class AskInjectors(msgspec.Struct, frozen=True, kw_only=True):
    """Of which uid; None = of all."""

    uid: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An injector that is to be added, or removed."""

    injector: Injector
    is_removed: bool = False


class _Said(msgspec.Struct, frozen=True, array_like=True):
    stamp: Stamp
    context: Context
    target: str
    uid: str
    xml: str | None


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[_Said])


def _check_xml(text: str) -> None:
    """Raises ValueError for what is not one element."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text.encode(), parser)
        # As it will stand in an event, which is ASCII: signs beyond that are no part of a name.
        etree.fromstring(text.encode("ascii", "xmlcharrefreplace"), parser)
    except etree.XMLSyntaxError as wrong:
        raise ValueError(f"toInject is no XML element: {str(wrong)[:200]}") from None
    if not text.startswith("<") or text.startswith(("<?", "<!")) or etree.QName(root).localname in FORBIDDEN:
        raise ValueError(f"toInject: one element, without a header, that is none of {', '.join(sorted(FORBIDDEN))}")


class Injectors:
    """A view of the acts injector.add and injector.remove: of each injector the newest by stamp counts."""

    name = "injectors"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._said: dict[tuple[Context, str], _Said] = {}
        self._by_uid: dict[str, tuple[str, ...]] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, envelope = arrival.body, arrival.envelope
        if act.action not in (INJECTOR_ADD, INJECTOR_REMOVE):
            return
        key = (envelope.context, act.target)
        known = self._said.get(key)
        if known is not None and envelope.stamp <= known.stamp:
            return
        xml = act.detail.get("xml") if act.action == INJECTOR_ADD else None
        self._said[key] = _Said(envelope.stamp, envelope.context, act.target, act.detail.get("uid", ""), xml)
        self._index()

    def _index(self) -> None:
        if len(self._said) > KNOWN_MAX:
            newest = sorted(self._said, key=lambda key: self._said[key].stamp)[-KNOWN_MAX:]
            self._said = {key: self._said[key] for key in newest}
        found: dict[str, list[str]] = {}
        for each in sorted(self._said.values(), key=lambda each: each.target):
            if each.xml is not None:
                found.setdefault(each.uid, []).append(each.xml)
        self._by_uid = {uid: tuple(texts) for uid, texts in found.items()}

    def snapshot(self) -> bytes:
        """See View."""
        return _encoder.encode([self._said[key] for key in sorted(self._said)])

    def restore(self, data: bytes) -> None:
        """See View."""
        self._said = {(each.context, each.target): each for each in _decoder.decode(data)}
        self._index()

    def of_uid(self, uid: str) -> tuple[str, ...]:
        """The elements for events of this uid."""
        return self._by_uid.get(uid, ())

    def all(self) -> list[tuple[str, str]]:
        """(uid, element) of all, by uid."""
        by_uid = self._by_uid
        return [(uid, text) for uid in sorted(by_uid) for text in by_uid[uid]]


def injected(data: bytes, texts: Sequence[str]) -> bytes:
    """A CoT event in XML with these elements at the end of its detail; one without a detail stays as it is."""
    head, found, rest = data.rpartition(b"</detail>")
    return head + "".join(texts).encode("ascii", "xmlcharrefreplace") + found + rest if found else data


def injectors_of(reading: Reading) -> Injectors:
    """The view of this node."""
    return view_of(reading.views, "injectors", Injectors)


def _list(principal: Principal, ask: AskInjectors, reading: Reading) -> Iterator[Labelled]:
    for uid, text in injectors_of(reading).all():
        if ask.uid in (None, uid):
            yield Labelled({"uid": uid, "toInject": text}, None, reading.context)


async def change(principal: Principal, ask: Change, desk: Desk) -> Injector | Refused:
    """Add or remove it; the same again changes nothing."""
    injector, view = ask.injector, injectors_of(desk)
    is_there = injector.to_inject in view.of_uid(injector.uid)
    if is_there == (not ask.is_removed):
        return injector
    if not ask.is_removed and (len(view.of_uid(injector.uid)) >= OF_UID_MAX or len(view.all()) >= ALL_MAX):
        return Refused("full", f"at most {OF_UID_MAX} injectors of one uid, {ALL_MAX} of all: remove one first")
    target = statement_id("injector", injector.uid, 0, injector.to_inject.encode())
    act = Act(
        action=INJECTOR_REMOVE if ask.is_removed else INJECTOR_ADD,
        target=target,
        happened_at_ms=desk.now_ms(),
        detail={"uid": injector.uid, "xml": injector.to_inject},
    )
    entry = await desk.write(act)
    return entry if isinstance(entry, Refused) else injector


listed = Query(
    name="injectors",
    path="/injectors",
    request=AskInjectors,
    row=object,
    role="admin",
    answer=_list,
    summary="What is added to events on their way to clients",
)
changed = Command(
    name="change_injector",
    method="POST",
    path="/injectors",
    request=Change,
    answer=Injector,
    role="admin",
    act=change,
    summary="Add or remove an injector",
)


def _added(call: Call) -> Change:
    return Change(injector=call.json(Injector))


def _removed(call: Call) -> Change:
    fields = {"uid": call.one("uid"), "toInject": call.one("toInject")}
    return Change(injector=msgspec.convert(fields, Injector), is_removed=True)


def _rows(rows: Sequence[dict[str, str]], call: Call) -> Reply:
    return enveloped(KIND, list(rows), call)


def _one(answer: Injector, call: Call) -> Reply:
    return enveloped(KIND, {"uid": answer.uid, "toInject": answer.to_inject}, call)


_PATH, _TABLE, _OFFICIAL = "/Marti/api/injectors/cot/uid", "tak.md 6.3", "official server"
endpoints = (
    Endpoint(
        method="GET",
        path=_PATH,
        work=listed,
        ask=lambda call: AskInjectors(),
        render=_rows,
        role="admin",
        source=_TABLE,
    ),
    Endpoint(
        method="GET",
        path=f"{_PATH}/{{uid}}",
        work=listed,
        ask=lambda call: AskInjectors(uid=call.parts["uid"]),
        render=_rows,
        role="admin",
        source=_TABLE,
    ),
    Endpoint(method="POST", path=_PATH, work=changed, ask=_added, render=_one, role="admin", source=_OFFICIAL),
    Endpoint(method="DELETE", path=_PATH, work=changed, ask=_removed, render=_one, role="admin", source=_OFFICIAL),
)
