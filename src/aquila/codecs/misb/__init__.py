"""Metadata of motion imagery: MISB ST 0601 with embedded ST 0903 targets, as KLV (STANAG 4609); read only."""

from aquila.codecs.misb.wire import MisbDecoder, Sensor
from aquila.core.sensing import SensorCodec

codec = SensorCodec("misb", MisbDecoder, options=Sensor)

__all__ = ["codec"]
