"""Listening: one feed at work, from bytes to the engine, with its counts; lost, it tries again by itself."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from aquila.app.engine import Engine
from aquila.app.parts import load_sensor
from aquila.core.codec import Decoded
from aquila.core.errors import AquilaError, CodecError
from aquila.core.model import Body, Principal, Removal, Report
from aquila.core.phrases import phrase_in
from aquila.core.plot import Plot
from aquila.core.policy import claimed_time_ms
from aquila.core.sensing import Reading, Sensed, SensorCodec, SensorDecoder, TopicDecoder, new_decoder, printable
from aquila.features.feeds import Feed, FeedLive, LastSample, Twins, password_name
from aquila.links.feeds.address import FeedAddress, read_address
from aquila.links.feeds.cap import Allowance, Rate, Waiting
from aquila.links.feeds.intake import FeedLostError, Spoken
from aquila.links.feeds.wires import run_wire

log = logging.getLogger(__name__)

BACKOFF_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
STEADY_MS: Final = 10_000
"""A source that was up so long begins again with the first wait."""
SILENT_MS: Final = 60_000
GAP_MAX_MS: Final = 60_000
"""A longer pause of a recording is played as one of this length."""
REASONS_MAX: Final = 40
ENDED: Final = "the file has ended"
QUIET: Final = "nothing has come for a minute"
FAULT: Final = "a fault of ours; the node's log has more"

TakePlot = Callable[[str, Feed, Plot], None]


def principal_of(feed: Feed, context: str) -> Principal:
    """Who says what comes by a feed: nobody above the feed's own label."""
    return Principal(
        id=f"feed:{feed.name}",
        kind="listener",
        name=feed.name,
        context=context,
        clearance=feed.label.classification,
        caveats=feed.label.caveats,
        groups_in=frozenset(feed.label.groups),
        default_label=feed.label,
    )


class Listening:
    """One feed. Implements links.feeds.intake.Intake.

    Args:
        engine: who takes reports. id, feed: which one. take_plot: who takes plots.
        on_ended: told that a file has ended.
    """

    def __init__(
        self, engine: Engine, id: str, feed: Feed, take_plot: TakePlot, on_ended: Callable[[str], None]
    ) -> None:
        self.feed = feed
        self._engine = engine
        self._id = id
        self._take_plot = take_plot
        self._on_ended = on_ended
        self._principal = principal_of(feed, engine.node.context)
        self._clock_s = asyncio.get_running_loop().time
        self._task: asyncio.Task[None] | None = None
        self._codec: SensorCodec | None = None
        self._decoder: SensorDecoder | None = None
        self._by_topic: TopicDecoder | None = None
        self._address: FeedAddress = read_address(feed.url)
        self._allowance = Allowance(feed.rate_cap_per_s, self._clock_s())
        self._waiting = Waiting()
        self._drained = asyncio.Event()
        self._drained.set()
        self._twins = Twins()
        self._rate, self._error_rate = Rate(), Rate()
        self._errors: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._last_error = ""
        self._last_sample: LastSample | None = None
        self._skew_s: float | None = None
        self._condition: Any = "starting"
        self._why = ""
        self._since_ms = self._heard_ms = self._now_ms()
        self._retry_at_ms: int | None = None
        self._tries = self._dropped = 0
        self._began_ms = self._recorded_ms = self._last_ms = 0

    # -- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def end(self) -> None:
        """Listen no more; what waits is dropped."""
        if self._task is not None:
            self._task.cancel()

    async def stop(self) -> None:
        """The same, and wait for it."""
        self.end()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            self._turn("starting")
            try:
                self._codec = await asyncio.to_thread(load_sensor, self.feed.format)
                self._renew()
                await run_wire(self._address, self, await self._spoken(self._codec))
            except AquilaError as lost:
                why = str(lost)
            except Exception:  # the boundary: one feed must not end the others
                log.exception("feed given up by a fault of ours feed=%s", self.feed.name)
                self._errors["internal"] += 1
                why = FAULT
            else:
                await self._run_out()
                return
            if self._condition == "up" and self._now_ms() - self._since_ms >= STEADY_MS:
                self._tries = 0
            wait_s = BACKOFF_S[min(self._tries, len(BACKOFF_S) - 1)]
            self._tries += 1
            self._turn("lost", why)
            self._retry_at_ms = self._now_ms() + round(wait_s * 1_000)
            await asyncio.sleep(wait_s)

    async def _spoken(self, codec: SensorCodec) -> Spoken:
        """What the wire may say. Raises FeedLostError when a password is missing, as after a copy without secrets."""
        password = None
        if self.feed.password_at_ms is not None:
            name = password_name(self._id, self.feed.password_at_ms)
            password = await asyncio.to_thread(self._engine.secrets.get, name)
            if password is None:
                raise FeedLostError("the password is not kept on this node: give it again")
        return Spoken(password, codec.hello, codec.alive)

    async def _run_out(self) -> None:
        """The file has ended; what the cap holds back still goes on."""
        await self._drained.wait()
        self._turn("stopped", ENDED)
        self._on_ended(self._id)

    def _turn(self, condition: str, why: str = "") -> None:
        self._condition, self._why, self._since_ms, self._retry_at_ms = condition, why, self._now_ms(), None

    # -- see links.feeds.intake.Intake ------------------------------------------------------------------------------

    def up(self) -> None:
        """See Intake."""
        self._turn("up")
        self._heard_ms = self._began_ms = self._now_ms()
        self._recorded_ms = self._last_ms = 0

    def take(self, data: bytes, whole: bool, topic: str = "") -> None:
        """See Intake."""
        decoder = self._decoder
        assert decoder is not None
        self._heard_ms = self._now_ms()
        self._counts["bytes"] += len(data)
        received_ms = self._received_ms()
        if topic and self._by_topic is not None:
            readings = self._by_topic.feed_topic(topic, data, received_ms)
        else:
            readings = decoder.feed(data, received_ms)
        if whole:
            readings = [*readings, *decoder.end(received_ms)]
        for reading in readings:
            self._read(reading)
        if decoder.broken:
            self._renew()
            self._count_error(CodecError("broken", "so much that cannot be read is another format"))
            if self._address.scheme != "udp":
                raise FeedLostError(f"what comes from {self.feed.url} is no {self.feed.format}: name the right format")

    def unread(self, error: CodecError) -> None:
        """See Intake."""
        self._heard_ms = self._now_ms()
        self._count_error(error)

    def dropped(self, count: int) -> None:
        """See Intake."""
        self._dropped = count

    def recorded_s(self) -> float:
        """See Intake."""
        return self._recorded_ms / 1_000

    def read_count(self) -> int:
        """See Intake."""
        return self._counts["reports"] + self._counts["plots"]

    # -- in ---------------------------------------------------------------------------------------------------------

    def _renew(self) -> None:
        assert self._codec is not None
        decoder = self._decoder = new_decoder(self._codec, self.feed.options)
        self._by_topic = decoder if isinstance(decoder, TopicDecoder) else None

    def _received_ms(self) -> int:
        """When these bytes came in: now, or where the recording is that is played."""
        if self._address.scheme == "file":
            return self._began_ms + self._recorded_ms
        return self._now_ms()

    def _read(self, reading: Reading) -> None:
        if isinstance(reading, CodecError):
            self._count_error(reading)
            return
        now_s, body = self._clock_s(), reading.body
        self._rate.count(now_s)
        if isinstance(body, Plot):
            self._advance(body.observed_at_ms)
            self._counts["plots"] += 1
            self._last_sample = LastSample(self._now_ms(), body.callsign or body.sensor)
            if self._allowance.take(now_s):
                self._take_plot(self._id, self.feed, body)
            else:
                self._refused["flood"] += 1
            return
        self._advance(claimed_time_ms(body))
        self._counts["reports"] += 1
        self._look(body)
        key = body.entity if isinstance(body, Report | Removal) else None
        if not self._waiting and self._allowance.take(now_s):
            self._say(key, reading)
        elif key is None:
            self._refused["flood"] += 1
        else:
            self._waiting.put(key, reading)
            self._drained.clear()

    def _advance(self, at_ms: int) -> None:
        """Let the time of a recording go on to this."""
        passed_ms = at_ms - self._last_ms if self._last_ms else 0
        if passed_ms > 0 and self._last_ms:
            self._recorded_ms += min(passed_ms, GAP_MAX_MS)
        if passed_ms > 0 or passed_ms < -GAP_MAX_MS or not self._last_ms:
            self._last_ms = at_ms

    def _look(self, body: Body) -> None:
        """Note when it claims to have been, and whether it can have been there."""
        claimed_ms, received_ms = claimed_time_ms(body), self._received_ms()
        is_skewed = abs(claimed_ms - received_ms) > self._engine.node.policy.skew_ms
        if is_skewed:
            self._counts["skewed"] += 1
            self._skew_s = (claimed_ms - received_ms) / 1_000
        if isinstance(body, Report):
            self._last_sample = LastSample(self._now_ms(), body.name or body.alias.value, body.entity)
            self._twins.hear(body, received_ms if is_skewed else claimed_ms)

    def _say(self, key: str | None, sensed: Sensed) -> bool:
        """Hand it to the engine; False = the engine has no room, it waits."""
        assert not isinstance(sensed.body, Plot)
        decoded = Decoded(sensed.body, sensed.original)
        refused = self._engine.hear(decoded, self._principal, f"feed:{self._id}", "", storage=self.feed.storage)
        if refused is None:
            return True
        if refused.reason == "busy" and key is not None:
            self._waiting.put_back(key, sensed)
            self._drained.clear()
            return False
        self._refused[refused.reason] += 1
        return True

    def drain(self) -> None:
        """Let go on what the cap has held back, as far as it allows now."""
        while self._waiting and self._allowance.take(self._clock_s()):
            if not self._say(*self._waiting.pop()):
                return
        if not self._waiting:
            self._drained.set()

    def _count_error(self, error: CodecError) -> None:
        self._error_rate.count(self._clock_s())
        known = error.reason in self._errors or len(self._errors) < REASONS_MAX
        self._errors[error.reason if known else "other"] += 1
        self._last_error = printable(str(error), 160)
        self._engine.counts[f"unreadable {error.reason}"] += 1

    def _now_ms(self) -> int:
        return self._engine.clockwork.clock_ms()

    # -- out --------------------------------------------------------------------------------------------------------

    def live(self) -> FeedLive:
        """How it does, at this moment."""
        now_s, now_ms = self._clock_s(), self._now_ms()
        is_silent = self._condition == "up" and now_ms - self._heard_ms > SILENT_MS
        why = QUIET if is_silent else self._why
        said = phrase_in("feeds.why", why)
        return FeedLive(
            condition="silent" if is_silent else self._condition,
            why=why,
            act=said.act,
            words=said.words,
            since_ms=self._heard_ms if is_silent else self._since_ms,
            retry_at_ms=self._retry_at_ms,
            tries=self._tries,
            in_bytes=self._counts["bytes"],
            rate_per_s=self._rate.per_s(now_s),
            errors_per_s=self._error_rate.per_s(now_s),
            reports=self._counts["reports"],
            plots=self._counts["plots"],
            errors=dict(self._errors),
            refused=dict(self._refused),
            last_error=self._last_error,
            last_sample=self._last_sample,
            superseded=self._waiting.superseded_count,
            waiting=len(self._waiting),
            dropped=self._dropped,
            skewed=self._counts["skewed"],
            skew_s=self._skew_s,
            jumps=self._twins.jump_count,
            twins=self._twins.found(now_ms),
        )
