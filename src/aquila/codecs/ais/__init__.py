"""AIS (ITU-R M.1371-5) in NMEA 0183 sentences (IEC 61162-1 VDM and VDO), read only."""

from aquila.codecs.ais.wire import AisDecoder
from aquila.core.sensing import NoOptions, SensorCodec

codec = SensorCodec("ais", AisDecoder, options=NoOptions)

__all__ = ["codec"]
