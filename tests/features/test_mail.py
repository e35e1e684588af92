"""Mail as a view: for whom what waits, in any order of arrival."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.core.model import Act, Address
from aquila.features.mail import MAIL_DELIVER, MAIL_WAIT, Mailbox, target_of
from aquila.testing.views import folded_in_any_order

VIPER = Address("callsign", "VIPER")
NAMES = (VIPER, Address("uid", "ANDROID-1"), Address("callsign", "a:b"))


def act(make: Any, number: int, action: str, to: Address, entry: str, wait_s: int = 3600) -> Any:
    detail = {"entry": entry, "until_ms": str(make.start_ms + wait_s * 1000)}
    body = Act(action=action, target=target_of(to), happened_at_ms=make.start_ms + number, detail=detail)
    return make.entry(body, number)


def test_what_waits_is_handed_over_once_and_waits_again_when_it_did_not_leave(make: Any) -> None:
    box = Mailbox()
    box.fold(act(make, 1, MAIL_WAIT, VIPER, "e1"))
    assert [mail.entry for mail in box.waiting(VIPER, make.start_ms)] == ["e1"]
    box.fold(act(make, 2, MAIL_DELIVER, VIPER, "e1"))
    assert box.waiting(VIPER, make.start_ms) == []
    box.fold(act(make, 3, MAIL_WAIT, VIPER, "e1"))
    assert [mail.entry for mail in box.waiting(VIPER, make.start_ms)] == ["e1"]


def test_it_waits_no_longer_than_it_was_told_to(make: Any) -> None:
    box = Mailbox()
    box.fold(act(make, 1, MAIL_WAIT, VIPER, "e1", wait_s=60))
    assert box.waiting(VIPER, make.start_ms + 59_999)
    assert not box.waiting(VIPER, make.start_ms + 60_000)


def test_what_waits_is_counted_by_its_author(make: Any) -> None:
    box = Mailbox()
    for number, (author, entry, wait_s) in enumerate([("a", "e1", 60), ("a", "e2", 120), ("b", "e3", 120)], 1):
        detail = {"entry": entry, "until_ms": str(make.start_ms + wait_s * 1000), "author": author}
        body = Act(action=MAIL_WAIT, target=target_of(VIPER), happened_at_ms=make.start_ms, detail=detail)
        box.fold(make.entry(body, number))
    again = Mailbox()
    again.restore(box.snapshot())
    for each in (box, again):
        assert [each.count_by(author, make.start_ms) for author in "abc"] == [2, 1, 0]
        assert each.waiting_count(make.start_ms) == 3
        assert (each.count_by("a", make.start_ms + 60_000), each.waiting_count(make.start_ms + 60_000)) == (1, 2)
        each.fold(act(make, 9, MAIL_DELIVER, VIPER, "e1"))
        assert (each.count_by("a", make.start_ms), each.waiting_count(make.start_ms)) == (1, 2)


ACTS = st.tuples(st.sampled_from([MAIL_WAIT, MAIL_DELIVER, "other"]), st.sampled_from(NAMES), st.sampled_from("abc"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ACTS, max_size=30), dice=st.randoms(use_true_random=False))
def test_any_order_gives_the_same_mail(make: Any, rows: Any, dice: Any) -> None:
    heard = [act(make, number, *row) for number, row in enumerate(rows, 1)]
    one, _, _ = folded_in_any_order(Mailbox, heard, dice)
    newest = {(row[1], row[2]): row[0] for row in rows if row[0] != "other"}
    for to in NAMES:
        waiting = {mail.entry for mail in one.waiting(to, make.start_ms)}
        assert waiting == {entry for (name, entry), action in newest.items() if name == to and action == MAIL_WAIT}
