"""TAK edge: what a TAK peer brings goes to the engine, with the rules of the stream contract around it.

S and T numbers are the rules of codecs/cot/README.md. The session has answered pings and format switches already; here
stand the rules that need the whole node: who is who, loops, goodbyes, doors that close.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable

import msgspec

from aquila.app.engine import Engine
from aquila.app.lost_links import LostLink, LostLinks
from aquila.app.refused_links import RefusedLink, RefusedLinks
from aquila.codecs.cot import disconnect_notice
from aquila.core.codec import Control, Decoded
from aquila.core.contacts import Contacts
from aquila.core.errors import CodecError, Refused
from aquila.core.fanout import Outbound
from aquila.core.ids import entity_id
from aquila.core.model import Act, Address, Alias, Body, Label, Principal, Removal, Report
from aquila.core.policy import claimed_time_ms, label_for
from aquila.links.hub import Hub
from aquila.links.mesh import MeshLink
from aquila.links.peer import Peer

log = logging.getLogger(__name__)

RELAYED_MAX = 50_000


class Speaker(msgspec.Struct):
    """What a link has said of itself.

    Attributes:
        types: CoT type of each uid that speaks over this link, for the goodbye. label: of its latest position.
        incognito: it asked not to be shown to other clients.
    """

    label: Label
    types: dict[str, str]
    callsign: str | None = None
    uid: str | None = None
    incognito: bool = False


class TakEdge:
    """Implements links.peer.Edge for TAK peers.

    Args:
        engine: who takes what is said. hub: where goodbyes go. contacts: the directory of callsigns.
        links_of_one: a device or person may have so many at once.

    Attributes:
        refused: who did not come in lately, told by the doors.
    """

    def __init__(self, engine: Engine, hub: Hub, contacts: Contacts, links_of_one: int = 32) -> None:
        self._engine = engine
        self._hub = hub
        self._contacts = contacts
        self._relayed: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._held: dict[int, Peer] = {}
        self.links: dict[int, Peer] = {}
        self._lost = LostLinks()
        self.refused = RefusedLinks()
        self._links_of: Counter[str] = Counter()
        self._links_of_one = links_of_one
        self.controls: Counter[str] = Counter()
        self.on_introduced: list[Callable[[tuple[Address, ...]], None]] = []
        """Told the names by which somebody can be reached from now on."""
        self.on_undelivered: list[Callable[[tuple[Outbound, ...], tuple[Address, ...]], None]] = []
        """Told what did not leave for a peer that is gone, and the names it went by."""
        engine.on_room.append(self._resume)

    def up(self, link: Peer) -> None:
        """See Edge."""
        principal = link.principal
        assert principal is not None
        label = label_for(self._engine.node.policy, principal, None)
        if isinstance(label, Refused):
            label = self._engine.node.policy.default_label
        link.tag = Speaker(label, {})
        self.links[link.id] = link
        self._links_of[principal.id] += 1
        if principal.kind != "listener":
            self.refused.let_in(link.address)
        self._say("link.up", link, {})

    def no_place(self, principal: Principal) -> Refused | None:
        """Why this principal may have no further link; None = it may. Who is unknown is bounded by its listener."""
        count = self._links_of[principal.id]
        if principal.kind == "listener" or count < self._links_of_one:
            return None
        return Refused("connections", f"{principal.name} has {count} links already, the most that one may have")

    def heard(self, link: Peer, decoded: Decoded) -> bool:
        """See Edge. A position goes on at once; a statement waits for its commit."""
        principal, speaker = link.principal, link.tag
        assert principal is not None
        assert isinstance(speaker, Speaker)
        key = _loop_key(decoded)
        if self._loops(decoded, key):
            return True
        refused = self._engine.hear(decoded, principal, link.via, _format_in(decoded), link.id)
        if refused is None:
            body = decoded.body
            if isinstance(body, Report) and body.own:
                self._introduce(link, speaker, body)
                if decoded.label is not None:
                    label = label_for(self._engine.node.policy, principal, decoded.label)
                    speaker.label = speaker.label if isinstance(label, Refused) else label
            return True
        if refused.reason == "busy":
            self._relayed.pop(key, None)  # It comes again, and is no loop then.
            self._held[link.id] = link
            return False
        if refused.reason == "replay":
            return True  # The node counts it. No policy is against what a phone says again when it is back.
        link.count_refused(refused)
        if refused.reason == "spoof":
            log.warning("spoofed uid refused link=%s reason=%s", link.id, refused.reason)
        return True

    def heard_on_mesh(self, link: MeshLink, decoded: Decoded) -> None:
        """See MeshEdge. Nobody there has a name of his own, so nobody is introduced."""
        if self._loops(decoded, _loop_key(decoded)):
            return
        refused = self._engine.hear(decoded, link.principal, f"mesh:{link.id}", _format_in(decoded), link.id)
        if refused is not None and refused.reason != "replay":
            link.count_refused(refused)

    def error_on_mesh(self, link: MeshLink, error: CodecError) -> None:
        """See MeshEdge."""
        self._engine.counts[f"unreadable {error.reason}"] += 1

    def control(self, link: Peer, control: Control) -> None:
        """See Edge."""
        self.controls[control.kind] += 1
        speaker = link.tag
        assert isinstance(speaker, Speaker)
        if control.kind == "incognito-on" and not speaker.incognito:
            speaker.incognito = True
            for uid in self._contacts.uids(link.id):
                self._hub.fanout.forget(entity_id("cot", uid))
                self._say_goodbye(uid, speaker)
        elif control.kind == "incognito-off":
            speaker.incognito = False

    def is_hidden(self, link: int | None, body: Body) -> bool:
        """Is this what an incognito client says of itself? The node hears it, other clients do not (S2)."""
        if link is None or not isinstance(body, Report) or not body.own or link not in self.links:
            return False
        speaker = self.links[link].tag
        return isinstance(speaker, Speaker) and speaker.incognito

    def error(self, link: Peer, error: CodecError) -> None:
        """See Edge."""
        self._engine.counts[f"unreadable {error.reason}"] += 1
        log.info("unreadable link=%s reason=%s", link.id, error.reason)

    def down(self, link: Peer, reason: str, undelivered: tuple[Outbound, ...]) -> None:
        """See Edge. Those who could see the peer are told that it is gone (S4)."""
        self._held.pop(link.id, None)
        self.links.pop(link.id, None)
        if link.principal is not None:
            self._links_of[link.principal.id] -= 1
            self._links_of += Counter()  # forgets those that have none
        speaker = link.tag
        assert isinstance(speaker, Speaker)
        has_name = link.principal is not None and link.principal.kind != "listener"
        state = msgspec.structs.replace(link.state(), why=reason)
        lost = LostLink(state, speaker, speaker.uid, self._engine.node.clock_ms())
        self._lost.add(lost, has_name=has_name)
        names = self._contacts.names(link.id)
        for tell in self.on_undelivered if undelivered else ():
            tell(undelivered, names)
        for uid in self._contacts.leave(link.id):
            self._say_goodbye(uid, speaker)
        self._say("link.down", link, {"reason": reason, "undelivered": str(len(undelivered))})

    def recall(self, lost: Iterable[LostLink]) -> None:
        """Take links that were lost before the node was started, the one lost last at the end."""
        for each in lost:
            self._lost.add(each, has_name=False)

    def lost_links(self) -> list[LostLink]:
        """Links that went lately and whose peers are not back."""
        uids, principals = set[str](), set[str]()
        for link in self.links.values():
            if isinstance(link.tag, Speaker) and link.tag.uid is not None:
                uids.add(link.tag.uid)
            if link.principal is not None:
                principals.add(link.principal.id)
        return self._lost.still(self._engine.node.clock_ms(), uids, principals)

    def refused_links(self) -> list[RefusedLink]:
        """Who did not come in lately, each address once."""
        return self.refused.still(self._engine.node.clock_ms())

    @property
    def default_label(self) -> Label:
        """The marking of what nobody has marked."""
        return self._engine.node.policy.default_label

    # -- inside -----------------------------------------------------------------------------------------------------

    def _loops(self, decoded: Decoded, key: tuple[str, int]) -> bool:
        """Has this very statement gone through here already? The flow tag alone proves nothing (T8): edits keep it."""
        if decoded.flow and self._engine.node.identity.node in decoded.flow and key in self._relayed:
            self._engine.counts["refused loop"] += 1
            return True
        self._relayed[key] = None
        if len(self._relayed) > RELAYED_MAX:
            self._relayed.popitem(last=False)
        return False

    def _introduce(self, link: Peer, speaker: Speaker, body: Report) -> None:
        """S3: name and uid are taken from every report a peer makes of itself, so a new callsign works at once."""
        uid = body.alias.value
        fresh = self._contacts.hear(link.id, uid, body.name)
        for tell in self.on_introduced if fresh else ():
            tell(fresh)
        if uid not in speaker.types:
            self._hub.fanout.identify(link.id, body.entity)
        speaker.types[uid] = body.type
        speaker.uid, speaker.callsign = uid, body.name or speaker.callsign

    def _say_goodbye(self, uid: str, speaker: Speaker) -> None:
        engine = self._engine
        now_ms = engine.node.clock_ms()
        entity = entity_id("cot", uid)
        notice = disconnect_notice(uid, speaker.types.get(uid, "a-f-G"), now_ms, engine.clockwork.new_id())
        self._hub.publish(
            Outbound(
                id="",
                body=Removal(entity=entity, alias=Alias("cot", uid), happened_at_ms=now_ms),
                label=speaker.label,
                context=engine.node.context,
                key=entity,
                original=notice,
                stale_at_ms=now_ms + 20_000,
            )
        )

    def _say(self, action: str, link: Peer, detail: dict[str, str]) -> None:
        principal = link.principal
        target = principal.id if principal is not None else "unknown"
        if principal is not None and principal.kind == "listener":
            # The listener is many; of a guest its address is known, and the name once it has said one.
            callsign = link.tag.callsign if isinstance(link.tag, Speaker) else None
            guest = {"address": link.address, "callsign": callsign or ""}
            detail = {**{key: value for key, value in guest.items() if value}, **detail}
        node = self._engine.node
        self._engine.say(
            Act(action=action, target=target, happened_at_ms=node.clock_ms(), detail={"link": link.via, **detail})
        )

    def _resume(self) -> None:
        held, self._held = self._held, {}
        for link in held.values():
            link.resume()


def _loop_key(decoded: Decoded) -> tuple[str, int]:
    body = decoded.body
    if isinstance(body, Report):
        return (body.alias.value, body.observed_at_ms)
    alias = getattr(body, "alias", None) or getattr(body, "author_alias", None)
    return (alias.value if alias is not None else "", claimed_time_ms(body))


def _format_in(decoded: Decoded) -> str:
    """The format that the original is in: a protobuf frame begins with its magic byte, XML never does."""
    return "tak-v1" if decoded.original[:1] == b"\xbf" else "cot-xml"
