"""Renewals: what was replaced is on the revocation list, at once when the new one was used, else after the grace."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from aquila.app.clockwork import Clockwork
from aquila.app.engine import Engine, open_engine
from aquila.app.renewals import GRACE_DAYS, Renewals
from aquila.core.model import REAL, Act
from aquila.core.policy import Policy
from aquila.features import devices
from aquila.features.devices.certificates import certificate_detail
from aquila.features.devices.view import DEVICE_ADDED, DEVICE_RENEWED, DEVICE_SWITCHED, Devices
from aquila.links.pki import Authority, Issued
from aquila.testing.served import wait_until

START_MS = 1_795_000_000_000
DAY_MS = 86_400_000


class House:
    """A node with an authority and no doors, whose clock is set by hand."""

    def __init__(self, folder: Path, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms
        numbers = itertools.count(1)
        clockwork = Clockwork(
            clock_ms=lambda: self.now_ms,
            new_id=lambda: f"0199{next(numbers):028x}",
            random_bytes=lambda count: next(numbers).to_bytes(count, "big"),
        )
        self.engine: Engine = open_engine(
            folder,
            name="HOUSE",
            context=REAL,
            policy=Policy(),
            features=[devices.feature],
            clockwork=clockwork,
            deliver=lambda call: call(),
        )
        self.authority = Authority.create(folder / "secrets", "HOUSE", now_ms)
        self.in_use: frozenset[str] = frozenset()
        self.renewals = Renewals(self.engine, self.authority, lambda: self.in_use)

    @property
    def devices(self) -> Devices:
        found = self.engine.node.views["devices"]
        assert isinstance(found, Devices)
        return found

    def say(self, action: str, issued: Issued) -> None:
        """An act about PATROL, folded on return."""
        turn = self.devices.turn
        self.engine.say(
            Act(
                action=action,
                target="device:PATROL",
                happened_at_ms=self.now_ms,
                detail={"groups_in": "COMMON", "groups_out": "COMMON"} | certificate_detail(issued),
            )
        )
        wait_until(lambda: self.devices.turn > turn, "the act is folded")

    def given(self, action: str) -> Issued:
        """A certificate for PATROL and the act that says so."""
        issued = self.authority.issue_device("PATROL", self.now_ms)
        self.say(action, issued)
        return issued

    def look(self) -> None:
        """What the node does once an hour."""
        asyncio.run(self.renewals.look())

    def good(self) -> tuple[str, ...]:
        """Serials that open something."""
        device = self.devices.device(self.engine.node.identity.node, "PATROL")
        return () if device is None else device.serials


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house with a device."""
    made = House(tmp_path / "data")
    yield made
    made.engine.close()


def test_the_first_use_of_the_new_certificate_puts_the_old_one_on_the_list(house: House) -> None:
    old, new = house.given(DEVICE_ADDED), house.given(DEVICE_RENEWED)
    house.look()
    assert house.good() == (old.serial, new.serial)
    assert not house.authority.revoked
    house.say(DEVICE_SWITCHED, new)
    house.look()
    assert set(house.authority.revoked) == {old.serial}
    assert house.good() == (new.serial,)
    number = len(house.authority.revoked)
    house.look()
    assert len(house.authority.revoked) == number


def test_a_new_one_that_is_never_used_ends_the_old_one_after_the_grace(house: House) -> None:
    old = house.given(DEVICE_ADDED)
    house.now_ms += 300 * DAY_MS
    new = house.given(DEVICE_RENEWED)
    house.now_ms += (GRACE_DAYS - 1) * DAY_MS
    house.look()
    assert house.good() == (old.serial, new.serial)
    house.now_ms += 2 * DAY_MS
    house.in_use = frozenset({old.serial})
    house.look()
    assert house.good() == (old.serial, new.serial), "its phone is here with it: it would be locked out"
    house.in_use = frozenset()
    house.look()
    wait_until(lambda: house.good() == (new.serial,), "the act that takes it back is folded")
    assert set(house.authority.revoked) == {old.serial}


def test_a_certificate_that_was_never_renewed_stays(house: House) -> None:
    only = house.given(DEVICE_ADDED)
    house.now_ms += 364 * DAY_MS
    house.look()
    assert house.good() == (only.serial,)
    assert not house.authority.revoked
