"""Meshtastic radio meshes: from a radio on a serial line, or as MQTT payloads; read only."""

from aquila.codecs.meshtastic.wire import MqttDecoder, SerialDecoder
from aquila.core.sensing import SensorCodec

serial = SensorCodec("meshtastic", SerialDecoder)
mqtt = SensorCodec("meshtastic-mqtt", MqttDecoder, framing="datagram")

__all__ = ["mqtt", "serial"]
