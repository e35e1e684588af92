"""Distributed Interactive Simulation (IEEE 1278.1): entity states; read only."""

from aquila.codecs.dis.wire import DisDecoder, Exercise
from aquila.core.sensing import SensorCodec

codec = SensorCodec("dis", DisDecoder, options=Exercise)

__all__ = ["codec"]
