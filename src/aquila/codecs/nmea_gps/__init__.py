"""Own position from a GNSS receiver: NMEA 0183 sentences GGA, RMC, GLL and VTG; read only."""

from aquila.codecs.nmea_gps.wire import GpsDecoder, Receiver
from aquila.core.sensing import SensorCodec

codec = SensorCodec("nmea-gps", GpsDecoder, options=Receiver)

__all__ = ["codec"]
