"""GPX 1.0 and 1.1 (Topografix): waypoints, routes and tracks; read only."""

from aquila.codecs.gpx.wire import Carrier, GpxDecoder
from aquila.core.sensing import SensorCodec

codec = SensorCodec("gpx", GpxDecoder, options=Carrier)

__all__ = ["codec"]
