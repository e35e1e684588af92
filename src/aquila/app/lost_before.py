"""Links that were lost before the node was started: what its view of presence remembers of them, as lost links."""

from collections.abc import Iterator

from aquila.app.engine import Engine
from aquila.app.lost_links import LOST_MAX, LOST_MS, LostLink
from aquila.app.tak import Speaker
from aquila.core.view import view_of
from aquila.features.links import Presence
from aquila.features.links.presence import Seen
from aquila.links import why
from aquila.links.peer import LinkState

TRANSPORTS = ("tcp", "tls", "websocket")
"""Of links that hold a conversation. By what else one is heard, a mesh or a feed, there is no link to be lost."""


def lost_before(engine: Engine) -> Iterator[LostLink]:
    """Peers that had spoken, each link once, the one lost last at the end; call it before any link is up.

    Who had its goodbye noted was lost then, for the reason that was noted. Who had none was up when the node ended, and
    was lost when it was last heard: nothing later is known. What a link had counted is not kept.
    """
    node, now_ms = engine.node.identity.node, engine.node.clock_ms()
    presence = view_of(engine.node.views, "presence", Presence)
    links: dict[tuple[str, str, str], LostLink] = {}
    for seen in presence.seen():  # the newest first: it speaks for its link
        at_ms = presence.last_ms(seen)
        if seen.stamp.node != node or seen.via.partition(":")[0] not in TRANSPORTS or now_ms - at_ms > LOST_MS:
            continue
        if seen.link not in links:
            number = -1 - len(links)  # links of this run count upwards
            links[seen.link] = _lost(number, seen, at_ms, presence.reason(seen) or why.NODE_ENDED)
    yield from sorted(links.values(), key=lambda lost: lost.at_ms)[-LOST_MAX:]


def _lost(number: int, seen: Seen, at_ms: int, reason: str) -> LostLink:
    state = LinkState(
        id=number,
        listener=seen.via.partition(":")[0],
        principal=seen.author,
        name=seen.author.partition(":")[2],
        address="",
        format=None,
        state="down",
        since_ms=at_ms,
        why=reason,
        in_count=0,
        out_count=0,
        in_bytes=0,
        out_bytes=0,
        errors={},
        refused={},
        throttled_count=0,
        backlog_bytes=0,
        waiting_count=0,
    )
    return LostLink(state, Speaker(seen.label, {seen.uid: seen.type}, seen.callsign, seen.uid), seen.uid, at_ms)


__all__ = ["lost_before"]
