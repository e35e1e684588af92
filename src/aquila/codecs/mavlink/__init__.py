"""MAVLink 1 and 2 telemetry of unmanned vehicles; read only (commands are neither read nor written)."""

from aquila.codecs.mavlink.wire import MavlinkDecoder
from aquila.core.sensing import SensorCodec

codec = SensorCodec("mavlink", MavlinkDecoder)

__all__ = ["codec"]
