"""Common Alerting Protocol 1.1 and 1.2 (OASIS, ITU-T X.1303): public warnings; read only."""

from aquila.codecs.cap.wire import CapDecoder
from aquila.core.sensing import SensorCodec

codec = SensorCodec("cap", CapDecoder)

__all__ = ["codec"]
