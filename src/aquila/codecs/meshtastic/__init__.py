"""Meshtastic radio meshes: from a radio on a serial line, or as MQTT payloads; read only."""

from aquila.codecs.meshtastic.wire import ALIVE, HELLO, MqttDecoder, SerialDecoder
from aquila.core.sensing import SensorCodec

serial = SensorCodec("meshtastic", SerialDecoder, hello=HELLO, alive=ALIVE)
mqtt = SensorCodec("meshtastic-mqtt", MqttDecoder, framing="datagram")

__all__ = ["mqtt", "serial"]
