"""KML 2.2 (OGC 07-147r2), written only: one report becomes one Placemark, a track becomes lines with their times."""

from aquila.codecs.kml.wire import KIND, TrackPoint, document, encode_placemark, kmz, placemark, ring_of, track
from aquila.core.codec import Codec

codec = Codec("kml", None, encode_placemark)

__all__ = ["KIND", "TrackPoint", "codec", "document", "kmz", "placemark", "ring_of", "track"]
