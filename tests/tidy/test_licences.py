"""Nothing reaches a user, or a developer, under a licence that is not allowed."""

from pathlib import Path

import pytest
import third_party
from third_party import Package


@pytest.fixture(scope="module")
def packages(root: Path) -> list[Package]:
    return [*third_party.python_packages(root), *third_party.web_packages(root)]


def test_every_locked_package_has_an_allowed_licence(packages: list[Package]) -> None:
    refused = [sentence for package in packages if (sentence := third_party.refusal(package))]
    assert not refused, "\n".join(refused)


def test_both_lock_files_were_read(packages: list[Package]) -> None:
    shipped = {package.name for package in packages if package.shipped}
    tools = {package.name for package in packages if not package.shipped}
    assert {"msgspec", "litestar", "vue", "maplibre-gl"} <= shipped
    assert {"pytest", "vitest"} <= tools


def test_the_record_says_what_the_packages_say(root: Path) -> None:
    record = third_party.read_record(root)
    said = {p.name: p.licence for p in third_party.python_packages(root) if p.shipped}
    assert record == said, "third_party.toml is old: run `python3 dev.py fix` and read the change"


def test_every_web_package_that_ships_brings_its_licence_text(root: Path) -> None:
    bare = [
        package.name
        for package in third_party.web_packages(root)
        if package.shipped and not third_party.web_texts(root, package.name)
    ]
    assert not bare, f"Put the texts of their licences into tools/licences: {bare}"


def test_the_notices_hold_names_texts_and_data(root: Path) -> None:
    notices = third_party.notices(root)
    assert "msgspec" in notices
    assert "maplibre-gl" in notices
    assert "SIL OPEN FONT LICENSE" in notices
    assert "GeoNames" in notices, "the base map's attribution"


@pytest.mark.parametrize("shipped", [True, False])
@pytest.mark.parametrize("licence", ["AGPL-3.0-only", "GPL-3.0-or-later", "SSPL-1.0", None])
def test_strong_copyleft_and_silence_are_refused(licence: str | None, shipped: bool) -> None:
    sentence = third_party.refusal(Package("bad-one", "1.0", licence, shipped))
    assert sentence
    assert "bad-one 1.0" in sentence


def test_weak_copyleft_is_for_tools_only() -> None:
    assert third_party.refusal(Package("tool", "1", "MPL-2.0", shipped=False)) is None
    assert third_party.refusal(Package("part", "1", "MPL-2.0", shipped=True))


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT OR GPL-3.0-only", True),
        ("(MIT OR Apache-2.0)", True),
        ("MIT AND GPL-3.0-only", False),
        ("BSD-3-Clause AND MIT AND 0BSD", True),
    ],
)
def test_expressions_are_read_as_spdx_means_them(licence: str, allowed: bool) -> None:
    assert third_party.may(licence, third_party.SHIPPED) is allowed
