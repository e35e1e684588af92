"""EUROCONTROL ASTERIX: ADS-B (021), radar service (034), radar plots (048) and system tracks (062); read only."""

from aquila.codecs.asterix.wire import AsterixDecoder
from aquila.core.sensing import SensorCodec

codec = SensorCodec("asterix", AsterixDecoder)

__all__ = ["codec"]
