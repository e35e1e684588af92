"""Every codec keeps the contract."""

from aquila.codecs.cot import cot_xml, tak_v1
from aquila.testing.codecs import CodecContract, vectors_beside


class TestCotXml(CodecContract):
    codec = cot_xml
    vectors = vectors_beside("aquila.codecs.cot", "cot-xml")


class TestTakV1(CodecContract):
    codec = tak_v1
    vectors = vectors_beside("aquila.codecs.cot", "tak-v1")
