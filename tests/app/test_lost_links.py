"""Links that were lost lately: so many and so long, and only of those that have a name."""

from aquila.app.lost_links import LOST_MAX, LOST_MS, LostLink, LostLinks
from aquila.links.peer import LinkState

NOW_MS = 1_790_000_000_000


def a_loss(number: int, uid: str | None, at_ms: int = NOW_MS) -> LostLink:
    state = LinkState(
        id=number, listener="tcp", principal=f"device:{number}", name=None, address="127.0.0.1", format=None,
        state="down", since_ms=0, why="", in_count=0, out_count=0, in_bytes=0, out_bytes=0, errors={}, refused={},
        throttled_count=0, backlog_bytes=0, waiting_count=0,
    )  # fmt: skip
    return LostLink(state, None, uid, at_ms)


def test_the_one_lost_longest_ago_goes_at_the_bound() -> None:
    links = LostLinks()
    for number in range(LOST_MAX + 1):
        links.add(a_loss(number, f"uid-{number}"), has_name=False)
    assert [lost.state.id for lost in links.still(NOW_MS, (), ())] == list(range(1, LOST_MAX + 1))


def test_a_loss_is_forgotten_after_a_watch() -> None:
    links = LostLinks()
    links.add(a_loss(1, "uid-1"), has_name=True)
    assert len(links.still(NOW_MS + LOST_MS, (), ())) == 1
    assert links.still(NOW_MS + LOST_MS + 1, (), ()) == []


def test_a_device_that_never_spoke_is_known_by_its_certificate_and_a_nameless_guest_not_at_all() -> None:
    links = LostLinks()
    links.add(a_loss(1, None), has_name=False)
    assert links.still(NOW_MS, (), ()) == []
    links.add(a_loss(2, None), has_name=True)
    assert len(links.still(NOW_MS, ("uid-2",), ("device:3",))) == 1
    assert links.still(NOW_MS, (), ("device:2",)) == []
