"""Every codec keeps the contract."""

from importlib.metadata import entry_points
from importlib.resources import files

from aquila.codecs.cot import cot_xml, tak_v1
from aquila.testing.codecs import CodecContract, codecs_installed, vectors_beside


class TestCotXml(CodecContract):
    codec = cot_xml
    vectors = vectors_beside("aquila.codecs.cot", "cot-xml")


class TestTakV1(CodecContract):
    codec = tak_v1
    vectors = vectors_beside("aquila.codecs.cot", "tak-v1")


def test_every_installed_codec_of_ours_has_its_name_a_readme_and_vectors() -> None:
    for name, codec in codecs_installed().items():
        (point,) = entry_points(group="aquila.codecs", name=name)
        if not point.module.startswith("aquila.codecs."):
            continue
        folder = files(point.module)
        assert codec.name == name
        assert (folder / "README.md").is_file(), name
        assert vectors_beside(point.module, name), name
