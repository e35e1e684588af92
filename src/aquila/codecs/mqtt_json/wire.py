"""JSON to reports by a mapping: which path of the payload is which field of a report, and in which unit."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec

from aquila.core.errors import CodecError, UsageError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Category, Emergency, Motion, Position, Report
from aquila.core.sensing import FOOT_M, KNOT_MPS, Reading, Sensed, plausible_ms, printable

PAYLOAD_BYTES_MAX: Final = 1 << 20
REPORTS_MAX: Final = 10_000
TEXT_MAX: Final = 1_000
TOPIC: Final = "$topic"
"""As the first name of a path: the topic of the message; with an index, one level of it."""
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d{1,6})\]")

UNITS: Final[dict[str, float]] = {
    "m": 1.0, "km": 1_000.0, "ft": FOOT_M, "nm": 1_852.0,
    "m/s": 1.0, "km/h": 1.0 / 3.6, "kn": KNOT_MPS, "mph": 0.44704, "ft/min": FOOT_M / 60.0,
    "deg": 1.0, "rad": 180.0 / math.pi, "deg_e7": 1e-7, "deg_e6": 1e-6,
    "pct": 1.0, "ratio": 100.0,
    "s": 1_000.0, "ms": 1.0, "us": 0.001,
}  # fmt: skip
"""Unit of the payload -> factor to ours (m, m/s, degrees, per cent, milliseconds)."""
_ANGLES: Final = ("deg", "rad", "deg_e7", "deg_e6")
_LENGTHS: Final = ("m", "km", "ft", "nm")
_SPEEDS: Final = ("m/s", "km/h", "kn", "mph", "ft/min")
ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "lat": _ANGLES,
    "lon": _ANGLES,
    "hae": _LENGTHS,
    "ce": _LENGTHS,
    "le": _LENGTHS,
    "course": _ANGLES,
    "speed": _SPEEDS,
    "climb": _SPEEDS,
    "battery": ("pct", "ratio"),
    "time": ("s", "ms", "us", "iso"),
    "name": (),
    "remarks": (),
    "emergency": (),
}
"""Field of a report -> units that its path may have; the first is the one that holds when none is said."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a value stands, for instance `gps.fix[0].speed`, and its unit; None = the first allowed one."""

    path: str
    unit: str | None = None


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to read a payload.

    Attributes:
        scheme: of the alias; together with the value at `id` it is the identity.
        id: path of the identity, a text or number. Any path may begin with $topic: see TOPIC.
        each: path of a list of which each element is one report; None = the payload is one.
        fields: field of a report -> where it stands. extra: name -> path, kept as words.
        type, sidc, category: what all of these are.
        stale_s: how long a report holds.
    """

    scheme: str = "json"
    id: str = "id"
    each: str | None = None
    fields: dict[str, Source] = msgspec.field(
        default_factory=lambda: {"lat": Source("lat"), "lon": Source("lon"), "name": Source("name")}
    )
    extra: dict[str, str] = {}
    type: str = "a-u-G"
    sidc: str = "10011000000000000000"
    category: Category = "platform"
    stale_s: Annotated[float, msgspec.Meta(gt=0, le=31_536_000)] = 300.0


Steps = tuple[str | int, ...]


def steps_of(path: str) -> Steps:
    """`a.b[0]` as keys and indices. Raises UsageError for anything else."""
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        if steps and path[at] == ".":
            at += 1
        match = _STEP.match(path, at)
        if match is None:
            break
        steps.append(match[1] if match[1] is not None else int(match[2]))
        at = match.end()
    if not steps or at < len(path):
        raise UsageError(f"path {path!r}: names with dots between them and indices in brackets, as in gps.fix[0].lat")
    return tuple(steps)


class Part(msgspec.Struct, frozen=True):
    """What is read as one report: a payload or an element of it, and the topic that it came under (may be empty)."""

    value: Any
    topic: str


def _at(part: Part, steps: Steps) -> Any:
    """The value there; None = nothing stands there."""
    value = part.value
    if steps[0] == TOPIC:
        # A topic is one text, and a list of its levels to who asks for one of them.
        value = part.topic if len(steps) == 1 else part.topic.split("/")
        steps = steps[1:]
    for step in steps:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _number(value: Any, factor: float) -> float:
    """A number, or a text that is one, in our unit. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r}: a number is needed")
    try:
        number = float(value) * factor
    except OverflowError as error:
        raise ValueError(f"{value!r}: a finite number is needed") from error
    if not math.isfinite(number):
        raise ValueError(f"{value!r}: a finite number is needed")
    return number


class JsonDecoder:
    """One feed. Raises UsageError when the mapping names a field, unit or path that does not exist."""

    broken = False

    def __init__(self, options: Mapping) -> None:
        self._mapping = options
        self._id = steps_of(options.id)
        self._each = None if options.each is None else steps_of(options.each)
        self._extra = {name: steps_of(path) for name, path in options.extra.items()}
        self._fields = {name: _reader(name, source) for name, source in options.fields.items()}
        if "lat" not in self._fields or "lon" not in self._fields:
            raise UsageError("mapping without lat and lon: both are needed")

    def feed(self, data: bytes, received_at_ms: int) -> list[Reading]:
        """One payload."""
        return self.feed_topic("", data, received_at_ms)

    def feed_topic(self, topic: str, data: bytes, received_at_ms: int) -> list[Reading]:
        """One payload, and the topic that it came under."""
        if len(data) > PAYLOAD_BYTES_MAX:
            return [CodecError("oversize", f"{len(data)} bytes: at most {PAYLOAD_BYTES_MAX} are allowed")]
        try:
            payload = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return [CodecError("syntax", str(error))]
        except RecursionError:
            return [CodecError("depth", "lists and objects nested too deeply")]
        parts = [payload] if self._each is None else _at(Part(payload, topic), self._each)
        if not isinstance(parts, list):
            return [CodecError("missing", f"{self._mapping.each}: a list is expected")]
        if len(parts) > REPORTS_MAX:
            return [CodecError("elements", f"{len(parts)} elements: at most {REPORTS_MAX} are allowed")]
        return [self._one(Part(part, topic), data, received_at_ms) for part in parts]

    def end(self, received_at_ms: int) -> list[Reading]:
        """Each payload is whole."""
        return []

    def _one(self, part: Part, data: bytes, received_at_ms: int) -> Reading:
        identity = _at(part, self._id)
        if isinstance(identity, bool) or not isinstance(identity, str | int) or identity == "":
            return CodecError("missing", f"{self._mapping.id}: an identity is needed, text or whole number")
        try:
            known = {name: reader(part) for name, reader in self._fields.items()}
            return Sensed(self._report(part, printable(str(identity)), known, received_at_ms), data)
        except ValueError as error:
            return CodecError("number", str(error))
        except CodecError as error:
            return error

    def _report(self, part: Part, identity: str, known: dict[str, Any], received_at_ms: int) -> Report:
        mapping = self._mapping
        lat_deg, lon_deg = known["lat"], known["lon"]
        if lat_deg is None or lon_deg is None:
            raise CodecError("missing", "latitude and longitude are needed")
        at_ms = received_at_ms if known.get("time") is None else round(known["time"])
        if not plausible_ms(at_ms):
            raise CodecError("time", f"{at_ms} ms: 1970..2100")
        motion = None
        if any(known.get(name) is not None for name in ("course", "speed", "climb")):
            course_deg = known.get("course")
            motion = Motion(None if course_deg is None else course_deg % 360.0, known.get("speed"), known.get("climb"))
        alarm = known.get("emergency")
        battery_pct = known.get("battery")
        return Report(
            entity=entity_id(mapping.scheme, identity),
            alias=Alias(mapping.scheme, identity),
            type=mapping.type,
            sidc=mapping.sidc,
            category=mapping.category,
            observed_at_ms=at_ms,
            stale_at_ms=at_ms + round(mapping.stale_s * 1_000),
            name=known.get("name"),
            how="m-g",
            position=Position(lat_deg, lon_deg, known.get("hae"), known.get("ce"), known.get("le")),
            motion=motion,
            battery_pct=round(battery_pct) if battery_pct is not None and 0 <= battery_pct <= 100 else None,
            remarks=known.get("remarks"),
            emergency=Emergency(alarm, True) if alarm else None,
            fields={name: text for name, steps in self._extra.items() if (text := _words(_at(part, steps)))},
        )


def _words(value: Any) -> str | None:
    """Text, number or truth value as words; None = nothing, or a list or object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return (printable(str(value), TEXT_MAX) or None) if isinstance(value, str | int | float) else None


def _alarm(value: Any) -> str | None:
    """False, 0 and empty = no emergency; true = one without further words."""
    if value is True:
        return "Emergency"
    return None if value in (False, 0, "", "0", "false", "none", None) else _words(value)


def _reader(name: str, source: Source) -> Callable[[Part], Any]:
    """How one field is read. Raises UsageError for a field or unit that does not exist."""
    units = ALLOWED.get(name)
    if units is None:
        raise UsageError(f"field {name!r} of a mapping: one of {', '.join(ALLOWED)}")
    unit = source.unit if source.unit is not None else (units[0] if units else None)
    if unit is not None and unit not in units:
        raise UsageError(f"unit {unit!r} of {name}: one of {', '.join(units) or 'none'}")
    steps = steps_of(source.path)
    if not units:
        convert: Callable[[Any], Any] = _alarm if name == "emergency" else _words
        return lambda part: convert(_at(part, steps))
    if unit == "iso":
        return lambda part: _iso_ms(_at(part, steps))
    factor = UNITS[unit or ""]
    return lambda part: None if (value := _at(part, steps)) is None else _number(value, factor)


def _iso_ms(value: Any) -> float | None:
    """ISO 8601; without a zone it is UTC. Raises ValueError."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{value!r}: a time as text is needed (ISO 8601)")
    at = datetime.fromisoformat(value)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000.0
