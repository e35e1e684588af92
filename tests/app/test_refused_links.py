"""Who was refused at a door lately: one line for each address, so many and so long."""

from aquila.app.refused import DoorKeeper
from aquila.app.refused_links import REFUSED_MAX, REFUSED_MS, RefusedLinks
from aquila.core.model import Body
from aquila.features.devices.refusals import Refusals

NOW_MS = 1_790_000_000_000


def test_a_flood_from_one_address_is_one_line_that_counts() -> None:
    links = RefusedLinks()
    for second in range(5_000):
        links.note("tls", "192.0.2.1", f"reason {second}", NOW_MS + second)
    (row,) = links.still(NOW_MS + 5_000)
    assert (row.count, row.since_ms, row.last_ms, row.sentence) == (5_000, NOW_MS, NOW_MS + 4_999, "reason 4999")


def test_the_address_refused_longest_ago_goes_at_the_bound() -> None:
    links = RefusedLinks()
    for number in range(REFUSED_MAX):
        links.note("tls", f"192.0.2.{number}", "x", NOW_MS)
    links.note("tls", "192.0.2.0", "x", NOW_MS)  # again: now the newest
    links.note("tls", "198.51.100.1", "x", NOW_MS)
    left = [row.address for row in links.still(NOW_MS)]
    assert len(left) == REFUSED_MAX
    assert "192.0.2.1" not in left
    assert left[-2:] == ["192.0.2.0", "198.51.100.1"]


def test_a_refusal_is_forgotten_after_a_watch_or_when_somebody_known_comes_in_from_there() -> None:
    links = RefusedLinks()
    links.note("tls", "192.0.2.1", "x", NOW_MS)
    assert len(links.still(NOW_MS + REFUSED_MS)) == 1
    assert links.still(NOW_MS + REFUSED_MS + 1) == []
    links.note("tls", "192.0.2.1", "x", NOW_MS + REFUSED_MS + 1)
    (anew,) = links.still(NOW_MS + REFUSED_MS + 1)
    assert (anew.count, anew.since_ms) == (1, NOW_MS + REFUSED_MS + 1)
    links.let_in("192.0.2.1")
    assert links.still(NOW_MS + REFUSED_MS + 1) == []


def test_a_failed_login_is_on_the_board_until_one_from_there_is_right() -> None:
    written: list[Body] = []
    links = RefusedLinks()
    noter = Refusals(written.append, lambda word: None, lambda: NOW_MS)
    keeper = DoorKeeper(noter, links, lambda: NOW_MS, {})
    keeper.note("person:anna", "login", "name and password do not match", "192.0.2.1")
    keeper.note("person:anna", "role", "she may not", "192.0.2.2")
    keeper.turned_away("tls", "192.0.2.3", "x")
    assert [row.address for row in links.still(NOW_MS)] == ["192.0.2.1", "192.0.2.3"]
    assert (links.still(NOW_MS)[0].name, links.still(NOW_MS)[0].transport) == ("anna", "https")
    assert len(written) == 2, "the journal has all of them that it had"
    for address in ("192.0.2.1", "192.0.2.3"):
        keeper.let_in(address)
    assert [row.address for row in links.still(NOW_MS)] == ["192.0.2.3"], "a right password mends no certificate"
