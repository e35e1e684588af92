"""The rules of the fan-out, one by one."""

from collections import Counter

import pytest

from aquila.core.contacts import Contacts
from aquila.core.errors import CodecError
from aquila.core.fanout import (
    AUDIENCES_MAX,
    JOINED_BYTES_MAX,
    WAITING_BYTES_MAX,
    WAITING_MS_MAX,
    Fanout,
    latest,
)
from aquila.core.model import Address, Original, Verdict
from aquila.core.policy import Decision

from .net import A, B, Encoder, Net, audience, label, outbound, release


@pytest.fixture
def net():
    return Net()


def test_everyone_entitled_gets_it_and_the_sender_gets_no_echo(net):
    one, two, other = net.join(1, A), net.join(2, A), net.join(3, B)
    net.fanout.publish(outbound("x", label("a"), source=1))
    net.tick()
    assert (one.ids(), two.ids(), other.ids()) == ([], ["x"], [])
    assert net.fanout.counts.denied == {"group": 1}
    assert net.fanout.counts.delivered == 1


def test_the_own_run_is_cut_out_to_the_byte(net):
    one, two = net.join(1, A), net.join(2, A)
    for id, source in (("p", 2), ("q", 1), ("r", 2), ("s", 1), ("t", None)):
        net.fanout.publish(outbound(id, label("a"), source=source, key=id, statement=False))
    net.tick()
    assert sorted(one.ids()) == ["p", "r", "t"]
    assert one.ids().index("p") < one.ids().index("r")
    assert sorted(two.ids()) == ["q", "s", "t"]


@pytest.mark.parametrize("source_place", [0, 1, 2])
def test_a_long_buffer_without_the_own_run_is_lent_in_parts_and_not_copied(net, source_place):
    length = JOINED_BYTES_MAX + 100
    net.fanout = Fanout(release, lambda outbound, *_: b"<%b>" % (outbound.id.encode() * length), net.contacts)
    sources = [2, 3]
    sources.insert(source_place, 1)
    for link in (1, 2, 3, 4):
        net.join(link, A)
    for id, source in zip("pqr", sources, strict=True):
        net.fanout.publish(outbound(id, label("a"), source=source, key=id, statement=False))
    batches = {tuple(batch.links): batch for batch in net.fanout.tick(20)}
    whole, without = batches[4,], batches[1,]
    expected = [f"<{id * length}>".encode() for id, source in zip("pqr", sources, strict=True) if source != 1]
    assert all(part.obj is whole.parts[0] for part in without.parts)
    assert (without.size, without.count) == (len(b"".join(expected)), 2)
    assert [form for form, _ in without.pieces()] == expected
    # A link that takes a little of it is given exactly the rest.
    net.fanout.blocked(1, without, 7)
    assert bytes(net.fanout.pending(1)) == b"".join(expected)[7:]
    assert without.data == b"".join(expected)


def test_each_form_is_encoded_once(net):
    for link in range(1, 5):
        net.join(link, audience("a", str(link)), "xml" if link % 2 else "proto")
    net.join(9, B)
    net.fanout.publish(outbound("x", label("a", redacted=["b"])))
    net.tick()
    assert net.encode.asked == {
        ("x", "xml", Verdict.FULL): 1,
        ("x", "proto", Verdict.FULL): 1,
        ("x", "xml", Verdict.REDACTED): 1,
    }
    assert net.peers[9].events() == [("x", "xml", "REDACTED")]
    assert net.fanout.counts.redacted == 1


def test_what_a_format_cannot_carry_is_left_out_and_counted():
    def encode(outbound, format, verdict):
        if outbound.id == "bad":
            raise CodecError("unsupported")
        return b"" if outbound.id == "nothing" else f"<{outbound.id}>".encode()

    net = Net()
    net.fanout = Fanout(release, encode, net.contacts)
    one = net.join(1, A)
    for id in ("bad", "nothing", "good"):
        net.fanout.publish(outbound(id, label("a")))
    net.tick()
    assert one.ids() == ["good"]
    assert net.fanout.counts.unencodable == {"unsupported": 1}


def test_a_newcomer_gets_the_newest_state_it_may_see_then_the_greeting(net):
    for id, key, marking in (("x1", "x", "a"), ("y1", "y", "b"), ("x2", "x", "a"), ("z1", "z", "a")):
        net.fanout.publish(outbound(id, label(marking), key=key, statement=False))
    net.fanout.publish(outbound("old", label("a"), key="w", stale_at_ms=10))
    net.fanout.publish(outbound("chat", label("a")))
    net.fanout.publish(outbound("me", label("a"), key="me", statement=False))
    net.tick()
    assert net.join(1, A, greeting=b"{hello}", own="me").tokens() == ["<x2 xml FULL>", "<z1 xml FULL>", "{hello}"]


def test_a_marker_is_a_statement_and_part_of_the_picture(net):
    one = net.join(1, A)
    one.room = 0
    for id in ("m1", "m2"):
        net.fanout.publish(outbound(id, label("a"), key="m"))
        net.tick()
    net.drain(1)
    assert one.ids() == ["m1", "m2"]
    assert net.join(2, A).ids() == ["m2"]


def test_one_entity_under_two_labels_is_shown_to_each_as_it_may_see_it(net):
    net.fanout.publish(outbound("x1", label("b"), key="x", statement=False))
    net.fanout.publish(outbound("x2", label("a"), key="x", statement=False))
    net.tick()
    assert net.join(1, A).ids() == ["x2"]
    assert net.join(2, B).ids() == ["x1"]
    assert net.join(3, audience("a", "b")).ids() == ["x1", "x2"]


def test_a_slow_link_gets_only_the_newest_state_and_every_statement(net):
    one = net.join(1, A)
    one.room = 3
    for number in range(5):
        net.fanout.publish(outbound(f"x{number}", label("a"), key="x", statement=False))
        net.fanout.publish(outbound(f"s{number}", label("a")))
        net.fanout.publish(outbound(f"h{number}", label("b"), key="h", statement=False))
        net.tick()
    assert one.received == b"<x0"
    standing = net.fanout.standing(1)
    assert standing.behind
    assert (standing.statements, standing.statement_bytes) == (4, 4 * len(b"<s0 xml FULL>"))
    net.drain(1)
    assert one.ids() == ["x0", "s0", "s1", "s2", "s3", "x4", "s4"]
    assert net.fanout.counts.superseded == 3
    assert not net.fanout.standing(1).behind


def test_links_that_missed_the_same_share_one_buffer(net):
    readers = [net.join(link, A) for link in (1, 2, 3)]
    for reader in readers:
        reader.room = 3
    net.fanout.publish(outbound("first", label("a"), key="f", statement=False))
    net.tick()
    net.fanout.publish(outbound("x1", label("a"), key="x", statement=False))
    net.fanout.publish(outbound("mine", label("a"), key="m", statement=False, source=3))
    net.fanout.publish(outbound("hidden", label("b"), key="h", statement=False))
    net.tick()
    net.fanout.publish(outbound("x2", label("a"), key="x", statement=False))
    net.tick()
    waiting = []
    for link in (1, 2, 3):
        net.fanout.sent(link, len(net.fanout.pending(link)))
        waiting.append(net.fanout.pending(link))
    assert waiting[0].obj is waiting[1].obj
    assert bytes(waiting[0]) == b"<mine xml FULL><x2 xml FULL>"
    assert bytes(waiting[2]) == b"<x2 xml FULL>"
    assert net.encode.asked["x2", "xml", Verdict.FULL] == 1
    assert net.fanout.counts.superseded == 4


@pytest.mark.parametrize("change", ["forget", "epoch"])
def test_a_shared_buffer_is_judged_anew_when_rights_or_states_change(net, change):
    for link in (1, 2):
        net.join(link, A).room = 3
    net.fanout.publish(outbound("first", label("a"), key="f", statement=False))
    net.tick()
    net.fanout.publish(outbound("x1", label("a"), key="x", statement=False))
    net.tick()
    net.fanout.sent(1, len(net.fanout.pending(1)))
    assert bytes(net.fanout.pending(1)) == b"<x1 xml FULL>"
    if change == "forget":
        net.fanout.forget("x")
    else:
        net.fanout.new_epoch(lambda marking, context, reader: Decision(Verdict.DENIED, "none"))
    while (rest := net.fanout.pending(2)) is not None:
        assert b"x1" not in bytes(rest)
        net.fanout.sent(2, len(rest))


def test_a_peer_that_is_behind_is_not_told_about_itself_by_others(net):
    for link in (1, 2):
        net.join(link, A, own=f"e{link}").room = 3
    net.fanout.publish(outbound("first", label("a"), key="f", statement=False))
    net.tick()
    net.fanout.publish(outbound("seen", label("a"), key="e1", statement=False, source=9))
    net.tick()
    for link, told in ((1, None), (2, b"<seen xml FULL>")):
        net.fanout.sent(link, len(net.fanout.pending(link)))
        rest = net.fanout.pending(link)
        assert (None if rest is None else bytes(rest)) == told


def test_deleted_and_seen_again_ends_as_seen(net):
    one = net.join(1, A)
    one.room = 0
    net.fanout.publish(outbound("x1", label("a"), key="x", statement=False))
    net.fanout.publish(outbound("y1", label("a"), key="y", statement=False))
    net.tick()
    net.fanout.publish(outbound("gone", label("a")))
    net.fanout.forget("x")
    net.tick()
    net.fanout.publish(outbound("x2", label("a"), key="x", statement=False))
    net.tick()
    net.drain(1)
    assert one.ids() == ["x1", "y1", "gone", "x2"]
    net.fanout.forget("x")
    assert net.join(2, A).ids() == ["y1"]


def test_a_delete_stays_behind_what_another_sender_said_before(net):
    one = net.join(1, A)
    net.fanout.publish(outbound("b1", label("a"), source=2, key="b", statement=False))
    net.fanout.publish(outbound("x1", label("a"), source=3, key="x", statement=False))
    net.fanout.publish(outbound("x gone".replace(" ", "_"), label("a"), source=2))
    net.tick()
    assert one.ids()[-1] == "x_gone"


def test_a_reply_goes_first_but_never_inside_a_statement(net):
    one = net.join(1, A)
    net.write(net.fanout.reply(1, b"{pong0}"))
    one.room = 4
    for id in ("x", "y"):
        net.fanout.publish(outbound(id, label("a")))
    net.tick()
    for reply in (b"{pong1}", b"{pong2}"):
        assert net.fanout.reply(1, reply) is None
    net.drain(1)
    assert one.tokens() == ["{pong0}", "<x xml FULL>", "{pong1}", "{pong2}", "<y xml FULL>"]


def test_replies_for_a_link_that_never_reads_are_bounded(net):
    one = net.join(1, A)
    one.room = 0
    net.write(net.fanout.reply(1, b"{" + b"p" * 40_000 + b"}"))
    for _ in range(3):
        net.fanout.reply(1, b"{" + b"p" * 40_000 + b"}")
    assert net.fanout.counts.replies_dropped == 2
    net.drain(1)
    assert len(one.tokens()) == 2


def test_the_format_switches_behind_what_was_queued(net):
    one = net.join(1, A)
    one.room = 4
    for id in ("x", "y"):
        net.fanout.publish(outbound(id, label("a")))
    net.tick()
    net.fanout.publish(outbound("z", label("a")))
    net.write(net.fanout.switch(1, "proto", b"{yes}"))
    net.fanout.reply(1, b"{pong}")
    net.tick()
    net.drain(1)
    assert one.tokens() == ["<x xml FULL>", "<y xml FULL>", "{yes}", "{pong}", "<z proto FULL>"]


def test_a_record_of_tls_that_was_refused_is_never_changed(net):
    one = net.join(1, A, committed_bytes=20)
    one.room = 0
    for id in ("x", "y", "z"):
        net.fanout.publish(outbound(id, label("a")))
    net.tick()
    before = bytes(net.fanout.pending(1))[:20]
    net.fanout.reply(1, b"{pong}")
    net.fanout.new_epoch(lambda *_: Decision(Verdict.DENIED, "closed"))
    assert bytes(net.fanout.pending(1))[:20] == before
    net.drain(1)
    assert one.tokens() == ["<x xml FULL>", "<y xml FULL>", "{pong}"]


def test_a_new_epoch_takes_back_what_has_not_left(net):
    one, two = net.join(1, A), net.join(2, B)
    one.room = 4
    for id in ("s1", "s2"):
        net.fanout.publish(outbound(id, label("a")))
        net.fanout.publish(outbound("x" + id, label("a"), key="x", statement=False))
    net.tick()
    net.fanout.publish(outbound("s3", label("a")))

    def swapped(marking, context, reader):
        return release(marking, context, audience(*{"a": "b", "b": "a"}[next(iter(reader.groups))]))

    net.fanout.new_epoch(swapped)
    net.tick()
    net.drain(1)
    assert one.ids() == ["s1"]
    assert two.ids() == ["xs2", "s3"], "it may see more now, so its picture was refreshed"


def test_a_link_with_other_rights_gets_its_picture_anew(net):
    one = net.join(1, A)
    net.fanout.publish(outbound("x1", label("a"), key="x", statement=False))
    net.fanout.publish(outbound("y1", label("b"), key="y", statement=False))
    net.tick()
    net.write(net.fanout.regroup(1, B))
    net.fanout.publish(outbound("x2", label("a"), key="x", statement=False))
    net.fanout.publish(outbound("y2", label("b"), key="y", statement=False))
    net.tick()
    assert one.ids() == ["x1", "y1", "y2"]


def test_a_slow_link_with_other_rights_gets_nothing_of_the_old_ones(net):
    one = net.join(1, A)
    one.room = 4
    for id in ("s1", "s2"):
        net.fanout.publish(outbound(id, label("a")))
    net.fanout.publish(outbound("y1", label("b"), key="y", statement=False))
    net.tick()
    net.write(net.fanout.regroup(1, B))
    net.drain(1)
    assert one.ids() == ["s1", "y1"]


def test_named_addressees_get_it_alone_and_a_name_gives_no_right(net):
    one, two, three, other = net.join(1, A), net.join(2, A), net.join(3, A), net.join(4, B)
    for link, name in ((1, "ONE"), (2, "TWO"), (3, "THREE"), (4, "OTHER")):
        net.contacts.hear(link, f"uid-{name}", name)
    to = (*(Address("callsign", name) for name in ("TWO", "OTHER", "NOBODY")), Address("uid", "uid-THREE"))
    reach = net.fanout.publish(outbound("x", label("a"), source=1, to=to))
    assert reach.links == (2, 3)
    assert [address.value for address in reach.unreachable] == ["OTHER", "NOBODY"]
    net.fanout.publish(outbound("y", label("a"), source=1))
    net.tick()
    assert (one.ids(), two.ids(), three.ids(), other.ids()) == ([], ["x", "y"], ["x", "y"], [])
    assert net.join(5, A).ids() == []


def test_an_addressed_statement_waits_for_a_slow_link(net):
    one, two = net.join(1, A), net.join(2, A)
    net.contacts.hear(1, "uid", "ONE")
    one.room = 0
    net.fanout.publish(outbound("p", label("a"), key="p", statement=False))
    net.tick()
    assert net.fanout.publish(outbound("x", label("a"), to=(Address("callsign", "ONE"),))).links == (1,)
    net.tick()
    net.drain(1)
    assert one.ids() == ["p", "x"]
    assert two.ids() == ["p"]


def test_a_group_is_an_address_too(net):
    one, two = net.join(1, audience("a", "red")), net.join(2, A)
    reach = net.fanout.publish(outbound("x", label("a"), to=(Address("group", "red"),)))
    net.tick()
    assert reach.links == (1,)
    assert (one.ids(), two.ids()) == (["x"], [])


def test_what_a_leaving_link_did_not_get_is_told(net):
    one = net.join(1, A)
    one.room = 14
    for id in ("s1", "s2"):
        net.fanout.publish(outbound(id, label("a")))
    net.fanout.publish(outbound("x", label("a"), key="x", statement=False))
    net.tick()
    net.fanout.publish(outbound("s3", label("a")))
    net.tick()
    net.fanout.publish(outbound("s4", label("a")))
    net.fanout.publish(outbound("s5", label("b")))
    assert [each.id for each in net.fanout.leave(1)] == ["s2", "s3", "s4"]
    assert net.fanout.leave(1) == ()
    net.tick()
    assert net.fanout.audience_count == 0


def test_a_group_is_found_after_links_moved_and_left(net):
    for link, reader in ((1, A), (2, A), (3, B)):
        net.join(link, reader)
    to = (Address("group", "a"),)
    assert net.fanout.publish(outbound("g1", label("a"), to=to)).links == (1, 2)
    net.write(net.fanout.regroup(1, B))
    assert net.fanout.publish(outbound("g2", label("a"), to=to)).links == (2,)
    net.fanout.leave(2)
    assert net.fanout.publish(outbound("g3", label("a"), to=to)).unreachable == to


def test_a_link_that_stays_slow_is_to_be_closed(net):
    net.join(1, A).room = 0
    net.join(2, A).room = 0
    net.fanout.publish(outbound("x", label("a")))
    net.tick()
    assert net.fanout.sweep(net.now_ms) == ()
    net.drain(2)
    assert net.fanout.sweep(net.now_ms + WAITING_MS_MAX + 1) == (1,)


def test_statements_wait_only_up_to_a_bound():
    net = Net()
    net.fanout = Fanout(release, lambda *_: b"<" + b"x" * ((1 << 20) - 2) + b">", net.contacts)
    net.join(1, A).room = 0
    for number in range(WAITING_BYTES_MAX // (1 << 20) + 1):
        net.fanout.publish(outbound(number, label("a")))
        net.tick()
    assert net.fanout.sweep(net.now_ms) == ()
    net.fanout.publish(outbound("one more", label("a")))
    net.tick()
    assert net.fanout.sweep(net.now_ms) == (1,)


def test_stale_states_leave_the_picture(net):
    net.fanout.publish(outbound("x", label("a"), key="x", statement=False, stale_at_ms=60_000))
    net.fanout.publish(outbound("y", label("a"), key="y", statement=False))
    net.tick()
    net.fanout.sweep(59_999)
    assert net.fanout.latest_count == 2
    net.fanout.sweep(70_000)
    assert net.fanout.latest_count == 1


def test_many_audiences_raise_a_warning(net):
    for link in range(AUDIENCES_MAX):
        net.join(link, audience(str(link)))
    assert net.fanout.warning() is None
    net.join(AUDIENCES_MAX, audience("one too many"))
    assert str(AUDIENCES_MAX + 1) in (net.fanout.warning() or "")


def test_labels_nothing_uses_are_let_go(net):
    one = net.join(1, A)
    for number in range(3_000):
        net.fanout.publish(outbound(number, label("a", str(number))))
        if number % 100 == 0:
            net.tick()
    net.fanout.publish(outbound("x", label("b", "again"), key="x", statement=False))
    net.tick()
    assert len(one.ids()) == 3_000
    assert net.join(2, audience("again")).ids() == ["x"]


def test_release_is_asked_once_for_a_label_an_audience_and_an_epoch():
    asked = Counter()

    def counting(marking, context, reader):
        asked[marking, reader] += 1
        return release(marking, context, reader)

    net = Net(counting)
    for link in range(20):
        net.join(link, A if link % 2 else B)
    for number in range(10):
        net.fanout.publish(outbound(number, label("a"), key=number % 3, statement=False))
        net.tick()
    assert set(asked.values()) == {1}
    assert len(asked) == 2


def test_a_callsign_that_changes_takes_its_messages_along():
    contacts = Contacts()
    contacts.hear(1, "u1", "ALPHA")
    contacts.hear(2, "u2", "BRAVO")
    contacts.hear(1, "u1", "CHARLIE")
    assert contacts.links(Address("callsign", "ALPHA")) == ()
    assert contacts.links(Address("callsign", "CHARLIE")) == (1,)
    contacts.hear(2, "u2", None)
    assert contacts.links(Address("callsign", "BRAVO")) == (2,)


def test_a_device_on_two_links_is_reached_on_both_and_gone_with_the_last():
    contacts = Contacts()
    contacts.hear(1, "u", "ALPHA")
    contacts.hear(2, "u", "ALPHA")
    assert contacts.links(Address("callsign", "ALPHA")) == (1, 2)
    assert contacts.leave(1) == ()
    assert contacts.links(Address("uid", "u")) == (2,)
    assert contacts.leave(2) == ("u",)
    assert contacts.links(Address("callsign", "ALPHA")) == ()


def test_a_link_speaks_for_a_bounded_number_of_devices():
    contacts = Contacts()
    for number in range(300):
        contacts.hear(1, f"u{number}", f"C{number}")
    assert contacts.links(Address("uid", "u0")) == ()
    assert contacts.links(Address("callsign", "C0")) == ()
    assert contacts.links(Address("callsign", "C299")) == (1,)
    assert len(contacts.uids(1)) == 256


def test_latest_states_are_bounded_by_what_they_weigh_and_the_newest_stay(monkeypatch):
    monkeypatch.setattr(latest, "LATEST_BYTES_MAX", 1_000)
    fanout = Fanout(release, Encoder(), Contacts())
    marking = label("RED")
    for number in range(30):
        original = Original("cot-xml", b"x" * 100)
        fanout.publish(outbound(number, marking, key=f"k{number}", statement=False, original=original))
    for _ in range(100):
        # The same one again and again weighs once.
        fanout.publish(outbound("again", marking, key="k29", statement=False, original=Original("cot-xml", b"x" * 100)))
    fanout.tick(1)
    fanout.sweep(2)
    assert fanout.latest_count == 10
    assert fanout.counts.forgotten == 20
    fanout.join(1, audience("RED"), "a")
    sent = b"".join(batch.data for batch in fanout.tick(3))
    joined = fanout.join(2, audience("RED"), "a")
    told = (joined.data if joined is not None else b"") + sent
    assert b"<again a FULL>" in told
    assert b"<0 a FULL>" not in told
