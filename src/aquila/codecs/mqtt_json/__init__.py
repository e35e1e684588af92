"""JSON payloads of any maker (MQTT, webhooks, files), read by a mapping that is given as data; read only."""

from aquila.codecs.mqtt_json.wire import JsonDecoder, Mapping
from aquila.core.sensing import SensorCodec

codec = SensorCodec("mqtt-json", JsonDecoder, framing="datagram", options=Mapping)

__all__ = ["codec"]
