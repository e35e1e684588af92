"""Staff work of a scenario: who says what when over the public HTTP interface, as data; and the one who says it.

An act is a POST with a body. In its path and body `{order}` is the id that the act with key `order` got, `{serial}`
the number of the period, `{@+30}` the time 30 minutes after the period began (`{@-5}`: 5 minutes before it) in UTC
milliseconds; a text that is nothing but `@+30` becomes that number.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from math import ceil, floor
from typing import Annotated, Any, Final, Literal, Protocol
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct

from aquila.simulator.clock import PlayClock

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often it is looked whether exercise control has changed the time."""

WAIT_S: Final = 20
"""How long an act waits for what others say first, such as the request of a phone."""

_TIME: Final = re.compile(r"@([+-][0-9]+(?:\.[0-9]+)?)")
_NAME: Final = re.compile(r"\{([a-z][a-z0-9_]*|@[+-][0-9.]+)\}")

Json = Any  # whatever JSON can be


class ActError(Exception):
    """The node did not take an act; the text is the node's sentence."""


class Ask(Protocol):
    """One request to the node, as one person."""

    def __call__(self, person: str, method: str, path: str, body: Json | None) -> Awaitable[Json]:
        """The answer, decoded. Raises ActError for an answer that is no success, OSError for none at all."""
        ...


class Person(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody of the staff: the name by which the node knows it. groups: empty = those of who owns the node."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    role: Literal["viewer", "operator"] = "operator"
    groups: tuple[str, ...] = ()


class Seek(Struct, frozen=True, forbid_unknown_fields=True):
    """Where something that is there already is found.

    Attributes:
        path: of a query. where: of a list the first row whose fields (dotted names) have these values; a list of values
            = one of them. take: which field the key then stands for.
    """

    path: str
    where: dict[str, Any] = {}
    take: str = "id"


class Act(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a person does.

    Attributes:
        at_s: second of the period. key: what others call the thing that it makes or finds.
        path, body: of the POST; path None = it only looks. once: not again in later periods.
        seek: what is found there is taken and the POST left out, so that a node that was stopped goes on where it was.
        of: done only when the thing of this key was made in this play, not found.
        wait: what is sought comes from somebody else: look again for WAIT_S.
        title: what people call this step. expect: fields of the answer, dotted, for whoever checks.
    """

    at_s: Annotated[float, Meta(ge=0.0)] = 0.0
    by: str
    key: str | None = None
    path: str | None = None
    body: dict[str, Any] = {}
    once: bool = False
    seek: Seek | None = None
    of: str | None = None
    wait: bool = False
    title: str = ""
    expect: dict[str, Any] = {}


class Staff(Struct, frozen=True, forbid_unknown_fields=True):
    """The staff of a scenario and what it does in every period, in order of time."""

    persons: tuple[Person, ...] = msgspec.field(name="person", default=())
    acts: tuple[Act, ...] = msgspec.field(name="act", default=())


def read_staff(staff_toml: bytes) -> Staff:
    """The staff from the bytes of its file.

    Raises:
        ValueError: wrong syntax, an unknown key, a person or a key that nobody has named before.
    """
    try:
        staff = msgspec.toml.decode(staff_toml, type=Staff)
    except msgspec.DecodeError as why:
        raise ValueError(f"the staff cannot be read: {why}") from why
    people = {person.name for person in staff.persons}
    known = {"serial"}
    for act in sorted(staff.acts, key=lambda act: act.at_s):
        where = f"act at {act.at_s:g} s ({act.title or act.path or act.key})"
        if act.by not in people:
            raise ValueError(f"{where}: by {act.by!r} is no person; allowed: {', '.join(sorted(people))}")
        if act.path is None and act.seek is None:
            raise ValueError(f"{where}: give path (it says something) or seek (it looks for something)")
        said = msgspec.json.encode([act.path, act.body, act.seek, act.of and f"{{{act.of}}}"]).decode()
        unknown = sorted({name for name in _NAME.findall(said) if not name.startswith("@")} - known)
        if unknown:
            raise ValueError(f"{where}: {', '.join(unknown)} was not named by an act before it")
        if act.key is not None:
            known.add(act.key)
    return staff


def due(staff: Staff, period_s: float, t0_s: float, t1_s: float) -> list[tuple[float, Act]]:
    """The acts that fall after t0_s and up to t1_s, in order of time; those of one moment as they are written."""
    rounds = range(max(floor(t0_s / period_s), 0), ceil((t1_s + 1.0) / period_s))
    times = [(n * period_s + act.at_s, act) for n in rounds for act in staff.acts if n == 0 or not act.once]
    return sorted((pair for pair in times if t0_s < pair[0] <= t1_s), key=lambda pair: pair[0])


def filled(value: Json, known: Mapping[str, str], epoch_ms: int, minute_ms: float = 60_000.0) -> Json:
    """A body or path with its references resolved. Raises KeyError with the name that nobody has made yet."""
    if isinstance(value, str):
        time = _TIME.fullmatch(value)
        if time is not None:
            return epoch_ms + round(float(time[1]) * minute_ms)
        return _NAME.sub(
            lambda found: str(filled(found[1], known, epoch_ms, minute_ms)) if found[1][0] == "@" else known[found[1]],
            value,
        )
    if isinstance(value, Mapping):
        return {name: filled(each, known, epoch_ms, minute_ms) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled(each, known, epoch_ms, minute_ms) for each in value]
    return value


def field_of(answer: Json, dotted: str) -> Json:
    """A field deep in an answer; None = it is not there."""
    for name in dotted.split("."):
        if isinstance(answer, Mapping):
            answer = answer.get(name)
        elif isinstance(answer, list) and name.isdecimal() and int(name) < len(answer):
            answer = answer[int(name)]
        else:
            return None
    return answer


def fits(row: Json, where: Mapping[str, Any]) -> bool:
    """Does a row have these values? A list of values means one of them."""
    return all(field_of(row, name) in (value if isinstance(value, list) else [value]) for name, value in where.items())


class Player:
    """Does the acts of a staff, one after the other, and knows what they have made.

    Args:
        ask: reaches the node. sleep: waits for so many seconds.

    Attributes:
        known: id by key. refused: how often the node did not take an act.
    """

    def __init__(self, ask: Ask, sleep: Callable[[float], Awaitable[object]]) -> None:
        self.known: dict[str, str] = {}
        self.refused = 0
        self._made: set[str] = set()
        self._ask = ask
        self._sleep = sleep

    async def act(self, act: Act, epoch_ms: int, serial: int = 1, minute_ms: float = 60_000.0) -> Json:
        """Do one act. Gives the node's answer, or the row that was found instead; None = it had nothing to do.

        epoch_ms: when the period began. Raises ActError with the node's sentence, OSError without an answer.
        """
        self.known["serial"] = str(serial)
        if act.of is not None and act.of not in self._made:
            return None
        try:
            found = await self._sought(act, epoch_ms, minute_ms)
            if found is not None or act.path is None:
                return found
            path = quote(filled(act.path, self.known, epoch_ms, minute_ms), safe="/?=&")
            body = filled(act.body, self.known, epoch_ms, minute_ms)
        except KeyError as missing:
            raise ActError(f"{act.title or act.path}: there is no {missing} yet") from missing
        answer = await self._ask(act.by, "POST", path, body)
        if act.key is not None:
            self.known[act.key] = str(field_of(answer, "id"))
            self._made.add(act.key)
        return answer

    async def try_act(self, act: Act, epoch_ms: int, serial: int, minute_ms: float) -> None:
        """Do one act; what the node refuses is logged and counted, for people may do in a demo what they like."""
        try:
            await self.act(act, epoch_ms, serial, minute_ms)
        except (ActError, OSError) as why:
            self.refused += 1
            log.info("demo staff act refused at_s=%s act=%s why=%s", act.at_s, act.title or act.path, why)

    async def _sought(self, act: Act, epoch_ms: int, minute_ms: float) -> Json:
        """The row that is there already, under the act's key from now on; None = there is none."""
        if act.seek is None:
            return None
        path = quote(filled(act.seek.path, self.known, epoch_ms, minute_ms), safe="/?=&")
        where = filled(act.seek.where, self.known, epoch_ms, minute_ms)
        for turn in range(WAIT_S if act.wait else 1):
            if turn:
                await self._sleep(1.0)
            answer = await self._ask(act.by, "GET", path, None)
            rows = answer if isinstance(answer, list) else [answer]
            row = next((row for row in rows if fits(row, where)), None)
            if row is not None:
                if act.key is not None:
                    self.known[act.key] = str(field_of(row, act.seek.take))
                    self._made.discard(act.key)
                return row
        if act.path is None:
            raise ActError(f"{act.title or act.key}: nothing at {path} has {where}")
        return None


async def play_staff(
    staff: Staff,
    period_s: float,
    start_s: float,
    ask: Ask,
    clock_ms: Callable[[], int],
    sleep: Callable[[float], Awaitable[object]],
    speed: float = 1.0,
    clock: PlayClock | None = None,
) -> None:
    """Do what the staff does, over and over, until cancelled. What should have happened before start_s comes first.

    Args:
        staff: who does what.
        period_s: after so long it begins anew.
        start_s: what the exercise clock says now.
        ask: reaches the node.
        clock_ms: the wall clock, UTC.
        sleep: waits for so many seconds of that clock.
        speed: exercise seconds for each second of the wall clock.
        clock: of exercise control, which may pause and set a pace; None = it runs at `speed`.
    """
    time = clock or PlayClock(clock_ms(), start_s, speed)
    longest_s = period_s if clock is None else LOOK_S
    player = Player(ask, sleep)
    done_s = -1.0
    while True:
        # A laptop that slept through some acts does them all now: later ones build on them.
        at_ms = clock_ms()
        now_s, epoch_ms, minute_ms = time.now_s(at_ms), time.epoch_ms(at_ms), 60_000.0 / time.speed
        for at_s, act in due(staff, period_s, done_s, now_s):
            serial = floor(at_s / period_s)
            await player.try_act(act, epoch_ms + round(serial * period_s * 1000.0 / time.speed), serial + 1, minute_ms)
        done_s = max(done_s, now_s)
        coming = due(staff, period_s, done_s, done_s + period_s)
        if not coming:
            return
        await sleep(min(max((coming[0][0] - now_s) / time.speed, 0.05), longest_s))
