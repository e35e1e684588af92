"""Parts: codecs and features by their entry points. Those of other packages load only when named in the settings."""

from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

from aquila.core.codec import Codec
from aquila.core.errors import UsageError
from aquila.core.feature import Feature
from aquila.core.sensing import SensorCodec

OURS = "aquila."


def load_codecs() -> dict[str, Codec]:
    """The shipped codecs by name."""
    return {point.name: point.load() for point in entry_points(group="aquila.codecs") if _is_ours(point)}


def load_features(named: Collection[str] = ()) -> list[Feature]:
    """The shipped features, and those of other packages that are named. Raises UsageError for an unknown name."""
    points = list(entry_points(group="aquila.features"))
    unknown = sorted(set(named) - {point.name for point in points})
    if unknown:
        have = ", ".join(sorted(point.name for point in points))
        raise UsageError(f"features {', '.join(unknown)} are not installed: installed are {have}")
    chosen = [point for point in points if _is_ours(point) or point.name in named]
    return [point.load() for point in sorted(chosen, key=lambda point: point.name)]


def sensor_formats() -> dict[str, EntryPoint]:
    """The shipped sensor formats by name. Each is loaded when a feed asks for it: some take a second."""
    return {point.name: point for point in entry_points(group="aquila.sensors") if _is_ours(point)}


def load_sensor(name: str) -> SensorCodec:
    """One of `sensor_formats`. Raises UsageError for an unknown name."""
    point = sensor_formats().get(name)
    if point is None:
        raise UsageError(f"format {name} is not known: {', '.join(sorted(sensor_formats()))} are")
    codec: SensorCodec = point.load()
    return codec


def _is_ours(point: EntryPoint) -> bool:
    return point.value.startswith(OURS)
