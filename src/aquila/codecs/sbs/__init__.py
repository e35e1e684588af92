"""SBS-1 BaseStation text (dump1090 port 30003), read only."""

from aquila.codecs.sbs.wire import SbsDecoder
from aquila.core.sensing import SensorCodec

codec = SensorCodec("sbs", SbsDecoder)

__all__ = ["codec"]
