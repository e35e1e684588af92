"""Who was refused at a door lately: one line for each address, so many and so long."""

from aquila.app.refused_links import REFUSED_MAX, REFUSED_MS, RefusedLinks

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
