"""Packages: the view, the names, and the look through a zip."""

import contextlib
import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.core.model import Act
from aquila.features.missions.files import Archive, zipped
from aquila.features.packages import view as package_view
from aquila.features.packages.archive import check_archive
from aquila.features.packages.facts import (
    Facts,
    check_digest,
    check_keywords,
    check_name,
    claims_zip,
    kind_of,
    read,
    written,
)
from aquila.features.packages.view import Packages
from aquila.testing.hostile_zip import HOSTILE_ZIPS, archive, zip64
from aquila.testing.views import folded_in_any_order

ACTIONS = ("package.add", "package.change", "package.withdraw", "other.act")


def facts(which: int, number: int, **more: Any) -> Facts:
    plain = {
        "sha256": f"{which:064x}",
        "name": f"{number}.zip",
        "size_bytes": number,
        "mime": "application/zip",
        "keywords": ("missionpackage", f"a,{number}"),
        "tool": "public",
        "creator_uid": "A",
        "submitter": "device:A",
        "submitter_name": "A",
        "added_at_ms": 1000 + number,
    }
    return Facts(**(plain | more))


def act(make: Any, number: int, action: str, which: int, **more: Any) -> Any:
    detail = {} if action == "package.withdraw" else written(facts(which % 3, number, **more))
    body = Act(action=action, target=f"p{which}", happened_at_ms=make.start_ms, detail=detail)
    return make.entry(body, number, label=make.labels[number % 3])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5)), max_size=40),
    dice=st.randoms(use_true_random=False),
)
def test_any_order_folds_to_the_same_state_and_a_snapshot_is_enough(make: Any, rows: Any, dice: Any) -> None:
    heard = [act(make, number, *row) for number, row in enumerate(rows, 1)]
    one, _, third = folded_in_any_order(Packages, heard, dice)
    for view in (one, third):
        # The index by digest says the same as a walk over all.
        for which in range(3):
            sha256 = f"{which:064x}"
            there = [each for each in view.packages(0) if each.facts is not None and each.facts.sha256 == sha256]
            assert view.of_digest(sha256, 0) == there
            assert view.needs_file(sha256, 0) == bool(there)


@pytest.mark.parametrize("order", [1, -1])
def test_the_oldest_are_forgotten_in_any_order(make: Any, monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    monkeypatch.setattr(package_view, "PACKAGES_MAX", 10)
    monkeypatch.setattr(package_view, "SLACK", 3)
    packages = Packages()
    for number in range(1, 41)[::order]:
        packages.fold(act(make, number, "package.add", number))
    kept = Packages()
    kept.restore(packages.snapshot())
    assert [each.uid for each in kept.packages(0)] == [f"p{number}" for number in range(40, 30, -1)]


def test_time_alone_makes_a_package_vanish(make: Any) -> None:
    packages = Packages()
    packages.fold(act(make, 1, "package.add", 1, expires_at_ms=5000))
    sha256 = f"{1:064x}"
    assert packages.needs_file(sha256, 4999)
    assert packages.expired(4999) == set()
    assert not packages.needs_file(sha256, 5000)
    assert packages.package(make.context, "p1", 5000) is None
    assert packages.expired(5000) == {sha256}
    packages.fold(act(make, 2, "package.add", 4))
    assert packages.expired(5000) == set()


def test_what_is_written_is_read_back() -> None:
    for one in (facts(1, 1), facts(2, 2, tool="private", expires_at_ms=77, name="ночь")):
        assert read(written(one)) == one


@pytest.mark.parametrize("broken", [{"hash": "x"}, {"size_bytes": "many"}, {"keywords": "{"}, {"added_at_ms": ""}])
def test_an_act_that_says_nonsense_is_no_package(make: Any, broken: dict[str, str]) -> None:
    detail = written(facts(1, 1)) | broken
    assert read(detail) is None
    packages = Packages()
    packages.fold(make.entry(Act(action="package.add", target="p1", happened_at_ms=1, detail=detail), 1))
    assert packages.packages(0) == []


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["DP.zip", "ночь 1.zip", "a..b", ".hidden", "x" * 255, "50%.zip"])
def test_a_plain_name_is_taken_as_it_stands(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "..", ".", "../x", "a/b", "a\\b", "/etc/passwd", "C:x", "a\x00b", "a\nb", "x" * 256, "x" * 50_000),
        *("\u202egnp.exe", "a\u200bb.zip"),
    ],
)
def test_a_bad_name_is_refused_not_made_right(name: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        check_name(name)


def test_keywords_and_digests_and_types_have_bounds() -> None:
    assert check_keywords([" a ", "a", "", "b"]) == ("a", "b")
    for words in (["x" * 101], [str(n) for n in range(65)], ["a\x00"]):
        with pytest.raises(ValueError, match="keyword"):
            check_keywords(words)
    assert check_digest("AB" * 32) == "ab" * 32
    for text in ("", "ab", "g" * 64, "a" * 65):
        with pytest.raises(ValueError, match="64 digits"):
            check_digest(text)
    assert kind_of("Text/HTML; charset=utf-8") == "text/html"
    assert {kind_of(said) for said in (None, "", "x", "a/b\r\nc", "a" * 100 + "/b")} == {"application/octet-stream"}
    assert claims_zip("A.ZIP", "text/plain")
    assert claims_zip("a", "application/zip")
    assert not claims_zip("a.txt", "text/plain")


# -- zips -------------------------------------------------------------------------------------------------------------


def written_to(folder: Path, data: bytes) -> Path:
    place = folder / "it.zip"
    place.write_bytes(data)
    return place


@pytest.mark.parametrize("name", HOSTILE_ZIPS)
def test_a_hostile_zip_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    make, sentence = HOSTILE_ZIPS[name]
    with pytest.raises(ValueError, match=sentence):
        check_archive(written_to(tmp_path, make()))


def streamed() -> bytes:
    """As programs write it that cannot go back: sizes behind the data."""

    class OneWay(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += data
            return len(data)

    out = OneWay()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("MANIFEST/manifest.xml", "<MissionPackageManifest/>" * 20)
        packed.writestr("x/y.txt", "")
    return bytes(out.data)


def commented() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("a.txt", "hello")
        out.comment = b"made by hand"
    return packed.getvalue()


def of_a_mission() -> bytes:
    """As this node itself packs a mission: streamed, and with the large form for its files."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"plan" * 1000)
        file.flush()
        held = Archive(
            name="n", guid="g", files=(("0" * 64, "plan.txt", Path(file.name)),), events=(("u", "<event/>"),)
        )
        return b"".join(zipped(held))


GOOD = {
    "large form": zip64,
    "a mission taken home": of_a_mission,
    "deflated": lambda: archive(("MANIFEST/manifest.xml", b"<x/>" * 100), ("a/b.txt", b"b"), ("a/", b"")),
    "stored": lambda: archive(("a.bin", bytes(range(256)) * 100), method=zipfile.ZIP_STORED),
    "backslashes of Windows": lambda: archive(("MANIFEST\\manifest.xml", b"<x/>")),
    "other letters": lambda: archive(("ночь/план.txt", b"x"), ("\u00e9t\u00e9", b"y")),
    "streamed": streamed,
    "commented": commented,
    "zip in a zip, not opened": lambda: archive(("in.zip", archive(("z", bytes(1000))))),
    "2,000 files": lambda: archive(*((f"{n}.txt", b"x") for n in range(2000))),
    "well packed": lambda: archive(("a.txt", b"abcdefgh" * 800)),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_zip_is_taken(tmp_path: Path, name: str) -> None:
    check_archive(written_to(tmp_path, GOOD[name]()))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 400), byte=st.integers(0, 255), cut=st.integers(0, 400))
def test_a_zip_with_any_byte_changed_is_taken_or_refused_but_never_a_fault(
    tmp_path: Path, at: int, byte: int, cut: int
) -> None:
    data = bytearray(archive(("a.txt", b"hello" * 9), ("b/c.bin", bytes(range(99))), method=zipfile.ZIP_DEFLATED))
    data[at % len(data)] = byte
    place = written_to(tmp_path, bytes(data[: len(data) - cut % 40 if cut % 3 == 0 else len(data)]))
    with contextlib.suppress(ValueError):
        check_archive(place)
