"""ADS-B and Mode S at 1090 MHz (ICAO Annex 10 vol. IV, RTCA DO-260B), as Beast binary or AVR text; read only."""

from aquila.codecs.adsb.aircraft import Receiver
from aquila.codecs.adsb.wire import BeastDecoder, RawDecoder
from aquila.core.sensing import SensorCodec

beast = SensorCodec("adsb-beast", BeastDecoder, options=Receiver)
raw = SensorCodec("adsb-raw", RawDecoder, options=Receiver)

__all__ = ["beast", "raw"]
