"""GeoJSON (RFC 7946), written only: one report becomes one Feature."""

from aquila.codecs.geojson.wire import encode_feature
from aquila.core.codec import Codec

codec = Codec("geojson", None, encode_feature)

__all__ = ["codec"]
