"""Stream: the live picture and the live journal of one screen, over one WebSocket.

A screen pulls at its own interval: what it lacks is read from the shared table at the moment of sending, so a slow one
gets fewer and newer positions by itself. Entries are never skipped: they queue up to a bound, then the screen is cut
off and comes back with its cursor.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from aquila.core.box import Box
from aquila.core.errors import UsageError
from aquila.core.model import Audience, Entry, audience_of
from aquila.core.view import view_of
from aquila.features.links import Links
from aquila.features.log import arrival_of, cursor_of, labelled_entry
from aquila.features.picture import Picture
from aquila.web_api import frames
from aquila.web_api.auth import Asker, Gate
from aquila.web_api.port import NodePort
from aquila.web_api.release import Releaser
from aquila.web_api.settings import banner_of
from aquila.web_api.table import Table

log = logging.getLogger(__name__)

BACKLOG_BYTES = 4 * 1024 * 1024
INTERVAL_MS = (50, 10_000)
LOOK_S = 1.0
"""At the latest after so long a screen looks whether its login and its policy still hold."""
HEARTBEAT_MS = 5_000
COUNTS_MS = 2_000
STUCK_S = 600.0
META_ROWS = 2_000
CHUNK = 500
SCREENS_MAX = 500
SCREENS_OF_ONE = 20
BOX_SLACK_DEG = 0.05
"""A little more than what is seen, so that what drives in is there already."""

LOGGED_OUT, POLICY_CHANGED, TOO_SLOW, BAD_WORD, TOO_MANY = 4401, 4409, 4413, 4400, 4429


class SetView(msgspec.Struct, frozen=True, tag_field="t", tag="view"):
    """A screen says what it shows (west, south, east, north; None = all) and how often it wants news."""

    bbox: tuple[float, float, float, float] | None = None
    interval_ms: Annotated[float, msgspec.Meta(ge=0, le=3_600_000)] = 1000


class Resync(msgspec.Struct, frozen=True, tag_field="t", tag="resync"):
    """A screen missed something and wants everything again."""


_words: msgspec.json.Decoder[SetView | Resync] = msgspec.json.Decoder(SetView | Resync)


class Closed(Exception):  # noqa: N818  # the end of a connection is no error
    """The node ends this connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Screens:
    """All screens of a node, and one table per audience."""

    def __init__(self, port: NodePort, gate: Gate) -> None:
        self.port = port
        self.gate = gate
        self._tables: dict[Audience, tuple[Table, int]] = {}
        self._open: set[Screen] = set()
        self._stop: Callable[[], None] | None = None
        self.sent_bytes = 0
        self.cut_off = 0

    def __len__(self) -> int:
        return len(self._open)

    def start(self) -> None:
        """Begin to listen to the node."""
        self._stop = self.port.subscribe(self._on_entry)

    def stop(self) -> None:
        """End all screens."""
        if self._stop is not None:
            self._stop()
        for screen in self._open:
            screen.end(Closed(1012, "the node stops"))

    def picture(self) -> Picture:
        """The view."""
        return view_of(self.port.views, "picture", Picture)

    def _on_entry(self, entry: Entry) -> None:
        """Encode once per audience, hand to every screen of it."""
        encoded: dict[Audience, str | None] = {}
        row = labelled_entry(entry, self.port.policy)
        for screen in list(self._open):
            audience = screen.audience
            if audience not in encoded:
                form = screen.releaser.form(row)
                encoded[audience] = None if form is None else entry_text(form)
            screen.hear(entry.arrival, encoded[audience])

    def table(self, audience: Audience, releaser: Releaser) -> Table:
        """The table of an audience under the present policy; made anew after a change of policy."""
        known = self._tables.get(audience)
        if known is None or known[0].policy.epoch != releaser.policy.epoch:
            known = (Table(self.picture(), releaser), 0)
        self._tables[audience] = (known[0], known[1] + 1)
        return known[0]

    def leave(self, table: Table, audience: Audience) -> None:
        """A screen of this audience is gone; the last one takes the table with it."""
        known = self._tables.get(audience)
        if known is None or known[0] is not table:
            return
        if known[1] <= 1:
            del self._tables[audience]
        else:
            self._tables[audience] = (table, known[1] - 1)

    async def serve(self, socket: "WebSocket[Any, Any, Any]", asker: Asker, since: str | None) -> None:
        """Run one screen until it goes or is sent away."""
        if len(self._open) >= SCREENS_MAX:
            await socket.close(code=TOO_MANY, reason=f"more than {SCREENS_MAX} screens")
            return
        who = asker.principal.id
        if sum(screen.who == who for screen in self._open) >= SCREENS_OF_ONE:
            # Accepted first: a browser is told the code of a close, but nothing of a refused handshake.
            await socket.accept()
            await socket.close(code=TOO_MANY, reason=f"you have {SCREENS_OF_ONE} screens open: close one")
            return
        screen = Screen(self, socket, asker, since)
        self._open.add(screen)
        try:
            await screen.run()
        finally:
            self._open.discard(screen)
            screen.close()


class Screen:
    """One connection: what it shows, what it has, what waits for it."""

    def __init__(self, screens: Screens, socket: "WebSocket[Any, Any, Any]", asker: Asker, since: str | None) -> None:
        self._screens = screens
        self._port = screens.port
        self._socket = socket
        self._asker = asker
        self.audience = audience_of(asker.principal)
        self.releaser = Releaser(screens.port.policy, self.audience)
        self._table = screens.table(self.audience, self.releaser)
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._ending: Closed | None = None
        self._texts: deque[str] = deque()
        self._text_bytes = 0
        self._since = since
        self._at = 0
        self._heard = 0
        self._is_live = False
        self._sequence = 0
        self._box: Box | None = None
        self._interval_ms = 1000
        self._wants_all = True
        self._moved = np.zeros(0, dtype=np.int64)
        self._described = np.zeros(0, dtype=np.int64)
        self._last_ms = {"frame": 0, "beat": 0, "counts": 0}
        self._counts: tuple[int, ...] = ()

    # -- told by others ---------------------------------------------------------------------------------------------

    def hear(self, arrival: int, text: str | None) -> None:
        """An entry was committed; `text` None = this screen may not have it."""
        self._heard = max(self._heard, arrival)
        if not self._is_live or text is None or arrival <= self._at:
            return
        self._at = arrival
        self._queue(text)

    def end(self, closed: Closed) -> None:
        """End this connection."""
        self._ending = self._ending or closed
        self._ended.set()

    @property
    def who(self) -> str:
        """Id of the principal whose screen it is."""
        return self._asker.principal.id

    def close(self) -> None:
        """Let go of what is shared."""
        self._screens.leave(self._table, self.audience)

    def _queue(self, text: str) -> None:
        self._texts.append(text)
        self._text_bytes += len(text)
        if self._text_bytes > BACKLOG_BYTES:
            self.end(Closed(TOO_SLOW, "too slow: come back with the last cursor"))
        self._wake.set()

    # -- the connection ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send and listen until one of the two ends."""
        await self._socket.accept()
        sending = asyncio.ensure_future(self._send_all())
        listening = asyncio.ensure_future(self._listen())
        watching = asyncio.ensure_future(self._watch())
        tasks = {sending, listening, watching}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        closed = next((end for end in ends if isinstance(end, Closed)), None)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, Closed | WebSocketDisconnect):
                log.error("screen failed who=%s", self._asker.principal.kind, exc_info=end)
                closed = closed or Closed(1011, "the node failed")
        if closed is not None:
            self._screens.cut_off += closed.code == TOO_SLOW
            await self._say_goodbye(closed)

    async def _say_goodbye(self, closed: Closed) -> None:
        try:
            # A screen that does not read would keep us waiting for its buffer.
            async with asyncio.timeout(1.0):
                await self._socket.close(code=closed.code, reason=closed.reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
            log.debug("screen gone before goodbye code=%s", closed.code)

    async def _listen(self) -> None:
        while True:
            text = await self._socket.receive_text()
            try:
                word = _words.decode(text)
                if isinstance(word, SetView):
                    self._set_view(word)
                else:
                    self._wants_all = True
            except (msgspec.ValidationError, msgspec.DecodeError, ValueError, RecursionError) as wrong:
                raise Closed(BAD_WORD, str(wrong)[:100]) from wrong
            self._wake.set()

    def _set_view(self, word: SetView) -> None:
        box = None
        if word.bbox is not None:
            west, south, east, north = word.bbox
            if not east - west < 360:
                west, east = -180.0, 180.0
            wrapped = (_wrapped(west), max(-90.0, south), _wrapped(east), min(90.0, north))
            box = Box(*wrapped).checked()
        self._box = box
        low, high = INTERVAL_MS
        self._interval_ms = int(max(low, min(high, word.interval_ms)))
        # What has come into view is sent at once.
        self._last_ms["frame"] = 0

    async def _watch(self) -> None:
        """Look at login and policy on a clock of its own: the sender may be stuck in a full buffer."""
        stuck = 0.0
        while True:
            if self._ending is not None:
                raise self._ending
            if not self._screens.gate.is_still(self._asker):
                raise Closed(LOGGED_OUT, "logged out")
            if self._port.policy.epoch != self.releaser.policy.epoch:
                raise Closed(POLICY_CHANGED, "the policy changed")
            stuck = stuck + LOOK_S if self._texts else 0.0
            if stuck > STUCK_S:
                raise Closed(TOO_SLOW, "nothing was read for ten minutes")
            await self._sleep_or_end(LOOK_S)

    async def _sleep_or_end(self, wait_s: float) -> None:
        try:
            # Twice as often as promised, so that two seconds hold even when the loop is late.
            async with asyncio.timeout(wait_s / 2):
                await self._ended.wait()
        except TimeoutError:
            return

    # -- sending ----------------------------------------------------------------------------------------------------

    async def _send_all(self) -> None:
        await self._hello()
        while True:
            if not self._is_live:
                await self._catch_up()
            await self._send_texts()
            await self._send_due()
            self._wake.clear()
            if not self._texts and self._is_live:
                await self._wait()

    async def _wait(self) -> None:
        due_ms = self._last_ms["frame"] + self._interval_ms - self._port.clock_ms()
        wait_s = max(0.01, min(LOOK_S, due_ms / 1000))
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _hello(self) -> None:
        port = self._port
        last = await asyncio.to_thread(port.journal.last_arrival)
        since = None if self._since is None else arrival_of(self._since)
        # A cursor from beyond the end is one of a journal that was restored from an older backup.
        self._at = last if since is None or since > last else since
        hello = {
            "t": "hello",
            "node": {"id": port.node, "name": port.name},
            "context": port.context,
            "banner": banner_of(port.context, port.policy.default_label.classification),
            "cursor": cursor_of(self._at),
            "server_time_ms": port.clock_ms(),
            "epoch": port.policy.epoch,
        }
        await self._send_text(msgspec.json.encode(hello).decode())

    async def _catch_up(self) -> None:
        """Read the journal from the cursor until nothing is left, then go over to what comes live."""
        journal, policy = self._port.journal, self.releaser.policy
        while True:
            entries = await asyncio.to_thread(journal.read, self._at, CHUNK)
            for entry in entries:
                form = self.releaser.form(labelled_entry(entry, policy))
                self._at = entry.arrival
                if form is not None:
                    await self._send_text(entry_text(form))
            if not entries and self._at >= self._heard:
                self._is_live = True
                return
            if not entries:
                # Committed and told, but this reader of the store does not see it yet.
                await asyncio.sleep(0.01)

    async def _send_texts(self) -> None:
        while self._texts:
            text = self._texts.popleft()
            self._text_bytes -= len(text)
            await self._send_text(text)

    async def _send_due(self) -> None:
        now_ms = self._port.clock_ms()
        if self._wants_all or now_ms - self._last_ms["frame"] >= self._interval_ms or now_ms < self._last_ms["frame"]:
            self._last_ms["frame"] = now_ms
            await self._send_picture(now_ms)
        if abs(now_ms - self._last_ms["beat"]) >= HEARTBEAT_MS:
            await self._send_frame(frames.heartbeat(self._sequence, now_ms), now_ms)
        if abs(now_ms - self._last_ms["counts"]) >= COUNTS_MS:
            self._last_ms["counts"] = now_ms
            await self._send_counts(now_ms)

    async def _send_counts(self, now_ms: int) -> None:
        counts = (*self._table.counts(now_ms), self._link_count())
        if counts != self._counts:
            self._counts = counts
            entities, fresh, links = counts
            text = {"t": "counts", "entities": entities, "fresh": fresh, "stale": entities - fresh, "links": links}
            await self._send_text(msgspec.json.encode(text).decode())

    def _link_count(self) -> int:
        try:
            links: Links = self._port.part("links")
        except (KeyError, UsageError):
            return 0
        return sum(
            1
            for state in links.states()
            if state.is_there and (state.label is None or self.releaser(state.label, state.context).verdict)
        )

    async def _send_picture(self, now_ms: int) -> None:
        table = self._table
        # One screen at a time works for all of this audience; links get their turn between two steps.
        async with table.turns:
            has_more = table.refresh()
            while has_more:
                await asyncio.sleep(0)
                has_more = table.refresh()
        if self._wants_all:
            self._wants_all = False
            self._moved, self._described = np.zeros(0, np.int64), np.zeros(0, np.int64)
            await self._send_frame(frames.snapshot(self._sequence, now_ms), now_ms)
        for frame in self._frames(now_ms):
            await self._send_frame(frame, now_ms)

    def _frames(self, now_ms: int) -> list[bytes]:
        """What this screen lacks: removals, descriptions, positions. Marks all of it as sent."""
        table, columns = self._table, self._table.columns
        self._moved = table.columns_grown(self._moved)
        self._described = table.columns_grown(self._described)
        alive = columns["alive"]
        gone = np.flatnonzero(~alive & (self._described > 0))
        wanted = alive if self._box is None else alive & _inside(columns, self._box)
        metas = np.flatnonzero(wanted & (columns["described"] > self._described))
        moved = np.flatnonzero(wanted & columns["placed"] & (columns["moved"] > self._moved))
        self._described[gone] = self._moved[gone] = 0
        self._described[metas] = columns["described"][metas]
        self._moved[moved] = columns["moved"][moved]
        sequence, made = self._sequence, []
        if len(gone):
            made.append(frames.remove(gone, sequence, now_ms))
        for start in range(0, len(metas), META_ROWS):
            rows = [table.metas[handle] for handle in metas[start : start + META_ROWS].tolist()]
            made.append(frames.meta(rows, sequence + len(made), now_ms))
        if len(moved):
            made.append(frames.positions(columns, moved, sequence + len(made), now_ms))
        return made

    async def _send_frame(self, frame: bytes, now_ms: int) -> None:
        self._sequence += 1
        self._last_ms["beat"] = now_ms
        self._screens.sent_bytes += len(frame)
        with _gone():
            await self._socket.send_bytes(frame)

    async def _send_text(self, text: str) -> None:
        self._screens.sent_bytes += len(text)
        with _gone():
            await self._socket.send_text(text)


@contextmanager
def _gone() -> Iterator[None]:
    """A screen that closes while it is sent to is an OSError to some servers; to us it has gone, as any other has."""
    try:
        yield
    except OSError as gone:
        raise WebSocketDisconnect(detail="gone while it was sent to") from gone


def entry_text(form: Any) -> str:  # an EntryRow
    """The text frame of an entry that may leave."""
    return msgspec.json.encode({"t": "entry", "entry": form, "cursor": form.cursor}).decode()


def _wrapped(lon_deg: float) -> float:
    """A longitude as a map gives it, which may have been turned round the world, in -180..180."""
    return lon_deg if -180 <= lon_deg <= 180 else (lon_deg + 180) % 360 - 180


def _inside(columns: frames.Columns, box: Box) -> npt.NDArray[np.bool_]:
    """Rows in the box or without a place of their own; drawings reach further than their place, so all of them."""
    west, south, east, north = box
    lat, lon = columns["lat_e7"], columns["lon_e7"]
    slack = BOX_SLACK_DEG
    rows = (lat >= (south - slack) * 1e7) & (lat <= (north + slack) * 1e7)
    after, before = lon >= (west - slack) * 1e7, lon <= (east + slack) * 1e7
    rows &= (after & before) if west <= east else (after | before)
    result: npt.NDArray[np.bool_] = rows | columns["drawn"] | ~columns["placed"]
    return result
