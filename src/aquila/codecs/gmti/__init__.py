"""Ground moving target indicator radar, STANAG 4607 edition 3 and later (AEDP-4607); read only."""

from aquila.codecs.gmti.wire import GmtiDecoder
from aquila.core.sensing import SensorCodec

codec = SensorCodec("gmti", GmtiDecoder)

__all__ = ["codec"]
