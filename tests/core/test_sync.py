"""Sync: what a node asks, answers, takes and refuses, one answer at a time."""

import hashlib
from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.core.journal import Head, Staged, make_entry, verify_chain
from aquila.core.model import Audience, Draft, Entry, Note, Original
from aquila.core.policy import DEFAULT_GROUP, Policy
from aquila.core.sync import LINES_AT_ONCE, WANTS_AT_ONCE, Answer, Ask, Line, Replica, line_of

POLICY = Policy()
MISSION, ITA_ONLY = POLICY.default_label, msgspec.structs.replace(POLICY.default_label, releasable_to=("ITA",))
_as_bytes, _ask_of, _answer_of = msgspec.msgpack.encode, msgspec.msgpack.Decoder(Ask), msgspec.msgpack.Decoder(Answer)


def nation(word: str) -> Audience:
    return Audience("REAL", word, "SECRET", (), frozenset({DEFAULT_GROUP}))


ITA, FRA = nation("ITA"), nation("FRA")


def chain(node: str, allowed: Sequence[bool]) -> list[Entry]:
    """Lines of one origin; False = releasable to ITA only."""
    head, entries = Head(), []
    for number, everybody in enumerate(allowed, 1):
        draft = Draft(
            body=Note(room="log", text=f"line {number}", happened_at_ms=number),
            author="person:a",
            via="web",
            label=MISSION if everybody else ITA_ONLY,
            context="REAL",
            happened_at_ms=number,
            received_at_ms=number,
            original=Original("cot-xml", b"<secret/>"),
        )
        staged = Staged(draft=draft, id=f"{node}-{number}", hlc=number << 16, salt=bytes([number % 256]) * 16)
        entry, head = make_entry(staged, node=node, epoch=1, head=head)
        entries.append(entry)
    return entries


def replica(node: str, own: Sequence[Entry] = ()) -> Replica:
    return Replica(node, 1, lambda: POLICY, map(line_of, own))


def pull(asker: Replica, asker_is: Audience, answerer: Replica, peer: str) -> list[Entry]:
    """One round over a wire that loses nothing; everything crosses as bytes."""
    ask = _ask_of.decode(_as_bytes(asker.ask()))
    return asker.take(_answer_of.decode(_as_bytes(answerer.answer(ask, asker_is))), peer)


def places(entries: Sequence[Entry]) -> list[int]:
    return [entry.envelope.seq for entry in entries]


def test_what_a_peer_has_not_is_sent_in_order_and_only_once() -> None:
    a, b = replica("a", chain("a", [True] * 5)), replica("b")
    assert places(pull(b, ITA, a, "a")) == [1, 2, 3, 4, 5]
    assert pull(b, ITA, a, "a") == []
    assert b.tops() == {("a", 1): 5}


def test_a_long_journal_comes_in_portions_whatever_the_asker_asks_for() -> None:
    a, b = replica("a", chain("a", [True] * 70)), replica("b")
    greedy = msgspec.structs.replace(b.ask(), per_origin=1_000_000)
    assert len(a.answer(greedy, ITA).lines) == LINES_AT_ONCE
    assert [len(pull(b, ITA, a, "a")) for _ in range(4)] == [32, 32, 6, 0]


def test_an_asker_who_says_nonsense_of_what_it_has_gets_an_answer_all_the_same() -> None:
    a = replica("a", chain("a", [True] * 3))
    nonsense = Ask((("a", 1, -7),), (("a", 1, -1), ("x", 9, 9)))
    assert [line.place[2] for line in a.answer(nonsense, ITA).lines] == [1, 2, 3]
    assert a.answer(Ask((("a", 1, 99),), (), -4), ITA).lines == ()


def test_a_stub_tells_its_place_and_a_digest_and_nothing_else() -> None:
    entries = chain("a", [True, False])
    line = replica("a", entries).answer(Ask((), ()), FRA).lines[1]
    assert line == Line(("a", 1, 2), line_of(entries[1]).digest)
    assert b"line 2" not in _as_bytes(line)
    assert b"secret" not in _as_bytes(line)


def test_a_stub_stays_wanted_behind_an_uncleared_relay_until_a_holder_sends_the_line() -> None:
    a, relay, c = replica("a", chain("a", [True, False, True])), replica("fra"), replica("c")
    pull(relay, FRA, a, "a")
    assert places(pull(c, ITA, relay, "fra")) == [1, 3]
    assert c.ask().wants == (("a", 1, 2),)
    assert pull(c, ITA, relay, "fra") == []
    assert c.ask().wants == (("a", 1, 2),)
    assert places(pull(c, ITA, a, "a")) == [2]
    assert c.ask().wants == ()


def test_a_holder_that_is_not_the_origin_does_not_deny() -> None:
    a, holder, fra = replica("a", chain("a", [False])), replica("c"), replica("fra")
    pull(holder, ITA, a, "a")
    pull(fra, FRA, holder, "c")
    assert holder.answer(fra.ask(), FRA).denied == ()
    assert a.answer(fra.ask(), FRA).denied == (("a", 1, 1),)


def test_a_denial_counts_only_when_it_comes_from_the_origin() -> None:
    a, fra = replica("a", chain("a", [False])), replica("fra")
    pull(fra, FRA, a, "a")
    denial = Answer((), (("a", 1, 1),), POLICY.epoch)
    fra.take(denial, "c")
    assert fra.ask().wants == (("a", 1, 1),)
    fra.take(denial, "a")
    assert fra.ask().wants == ()


class Changing:
    """A node whose policy grows while it runs."""

    def __init__(self, node: str, own: Sequence[Entry]) -> None:
        self.policy = POLICY
        self.replica = Replica(node, 1, lambda: self.policy, map(line_of, own))

    def open_to(self, *nations: str) -> None:
        """From now on MISSION and ITA stand for these nations too."""
        communities = {**self.policy.communities, "ITA": ("ITA", *nations)}
        self.policy = msgspec.structs.replace(self.policy, epoch=self.policy.epoch + 1, communities=communities)


def test_a_new_policy_epoch_of_the_origin_makes_what_was_denied_wanted_again() -> None:
    a, fra = Changing("a", chain("a", [False, False])), replica("fra")
    for _ in range(3):
        assert pull(fra, FRA, a.replica, "a") == []
    assert fra.ask().wants == ()
    a.open_to("FRA")
    pull(fra, FRA, a.replica, "a")
    assert places(pull(fra, FRA, a.replica, "a")) == [1, 2]


def test_a_denial_that_arrives_after_a_newer_policy_epoch_is_ignored() -> None:
    a, fra = Changing("a", chain("a", [False])), replica("fra")
    pull(fra, FRA, a.replica, "a")
    late = a.replica.answer(fra.ask(), FRA)
    assert late.denied
    a.open_to("FRA")
    fra.take(a.replica.answer(Ask(fra.ask().have, ()), FRA), "a")
    fra.take(late, "a")
    assert places(pull(fra, FRA, a.replica, "a")) == [1]


def test_the_policy_of_today_decides_about_the_lines_of_yesterday() -> None:
    a = Changing("a", chain("a", [True]))
    closed = {**POLICY.communities, "MISSION": ("ITA",)}
    a.policy = msgspec.structs.replace(POLICY, epoch=2, communities=closed)
    assert a.replica.answer(Ask((), ()), FRA).lines[0].envelope_bytes is None


def test_who_is_of_another_context_or_no_longer_active_gets_stubs_only() -> None:
    a = replica("a", chain("a", [True]))
    for stranger in (
        msgspec.structs.replace(ITA, context="EXERCISE:DEMO"),
        msgspec.structs.replace(ITA, active=False),
    ):
        assert a.answer(Ask((), ()), stranger).lines[0].envelope_bytes is None


def test_a_lost_answer_is_a_gap_that_is_counted_and_asked_for_again() -> None:
    a, b = replica("a", chain("a", [True] * 6)), replica("b")
    lost = a.answer(b.ask(), ITA)
    b.take(Answer(lost.lines[3:]), "a")
    assert (b.gap_count, b.tops()) == (3, {})
    assert places(pull(b, ITA, a, "a")) == [1, 2, 3, 4, 5, 6]


def test_a_stub_beyond_a_gap_is_not_taken_either() -> None:
    b = replica("b")
    b.take(Answer((Line(("a", 1, 2), bytes(32)),)), "a")
    assert (b.gap_count, b.tops(), b.ask().wants) == (1, {}, ())


def test_the_same_answer_again_and_an_older_one_change_nothing() -> None:
    a, b = replica("a", chain("a", [True] * 4)), replica("b")
    older = a.answer(Ask((), ()), ITA)
    pull(b, ITA, a, "a")
    before = b.ask()
    assert b.take(older, "a") == []
    assert b.take(older, "a") == []
    assert (b.ask(), b.gap_count, b.broken_count) == (before, 0, 0)


def test_a_stub_never_takes_the_place_of_a_line() -> None:
    entries = chain("a", [True])
    b = replica("b")
    b.take(Answer((line_of(entries[0]),)), "a")
    b.take(Answer((Line(("a", 1, 1), line_of(entries[0]).digest),)), "a")
    assert b.stubs() == []


def tampered(line: Line) -> dict[str, Line]:
    assert line.envelope_bytes is not None
    assert line.body_bytes is not None
    replace = msgspec.structs.replace
    return {
        "another envelope": replace(line, envelope_bytes=line.envelope_bytes.replace(b"person:a", b"person:b")),
        "no envelope at all": replace(line, envelope_bytes=b"\xc1"),
        "another body": replace(line, body_bytes=line.body_bytes.replace(b"line", b"lime")),
        "no body": replace(line, body_bytes=None),
        "another salt": replace(line, salt=b"x" * 16),
        "another digest": replace(line, digest=bytes(32)),
        "the place of another origin": replace(line, place=("b", 1, line.place[2])),
    }


@pytest.mark.parametrize("what", tampered(line_of(chain("a", [True])[0])))
def test_a_tampered_line_is_refused_and_counted_and_the_true_one_is_taken_later(what: str) -> None:
    entries = chain("a", [True])
    c = replica("c")
    assert c.take(Answer((tampered(line_of(entries[0]))[what],)), "x") == []
    assert (c.broken_count, c.tops()) == (1, {})
    assert places(c.take(Answer((line_of(entries[0]),)), "a")) == [1]


@pytest.mark.parametrize("what", tampered(line_of(chain("a", [True])[0])))
def test_a_tampered_line_does_not_fill_a_stub(what: str) -> None:
    line = line_of(chain("a", [True])[0])
    c = replica("c")
    c.take(Answer((Line(line.place, line.digest),)), "x")
    assert c.take(Answer((tampered(line)[what],)), "x") == []
    assert [stub.place for stub in c.stubs()] == [line.place]
    assert c.ask().wants == (line.place,)


@pytest.mark.parametrize("data", [b"\xc1", b"", b"\xa3\xff\xff\xff", b"\x91" * 5000])
def test_bytes_that_are_no_envelope_are_refused_even_when_their_digest_fits(data: bytes) -> None:
    c = replica("c")
    line = Line(("a", 1, 1), hashlib.sha256(data).digest(), data, b"", b"{}")
    assert c.take(Answer((line,)), "x") == []
    assert c.broken_count == 1


@given(st.data())
def test_no_damage_to_an_envelope_raises_or_gets_in(data: st.DataObject) -> None:
    good = line_of(chain("a", [True])[0])
    assert good.envelope_bytes is not None
    damaged = bytearray(good.envelope_bytes)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    digest = hashlib.sha256(damaged).digest()
    c = replica("c")
    taken = c.take(Answer((msgspec.structs.replace(good, envelope_bytes=bytes(damaged), digest=digest),)), "x")
    # What still reads as an envelope of this place is another statement; who said it, the link vouches for.
    assert [entry.envelope.seq for entry in taken] == [1] * len(c.tops())
    assert len(c.tops()) + c.broken_count == 1


def test_a_line_of_another_chain_does_not_continue_this_one() -> None:
    mine, other = chain("a", [True, True]), chain("a", [False, True])
    c = replica("c")
    c.take(Answer((line_of(mine[0]),)), "a")
    assert c.take(Answer((line_of(other[1]),)), "a") == []
    assert c.broken_count == 1


def test_nobody_else_writes_lines_of_this_node() -> None:
    entries = chain("a", [True, True])
    a = replica("a", entries[:1])
    assert a.take(Answer((line_of(entries[1]),)), "b") == []
    assert (a.broken_count, a.tops()) == (1, {("a", 1): 1})


def test_wants_rotate_so_that_the_first_ones_do_not_starve_the_rest() -> None:
    count = 3 * WANTS_AT_ONCE
    a, relay, c = replica("a", chain("a", [False] * count)), replica("fra"), replica("c")
    for _ in range(2):
        pull(relay, FRA, a, "a")
        pull(c, ITA, relay, "fra")
    asked = [c.ask().wants for _ in range(3)]
    assert all(len(wants) == WANTS_AT_ONCE for wants in asked)
    assert {place[2] for wants in asked for place in wants} == set(range(1, count + 1))


def test_a_restart_keeps_stubs_and_wants_them_again() -> None:
    a, fra = replica("a", chain("a", [True, False, True])), replica("fra")
    kept = [line_of(entry) for entry in pull(fra, FRA, a, "a")]
    pull(fra, FRA, a, "a")
    again = Replica("fra", 1, lambda: POLICY, [*kept, *fra.stubs()])
    assert again.tops() == {("a", 1): 3}
    assert again.ask().wants == (("a", 1, 2),)


def test_a_hole_that_a_crash_left_is_asked_for_and_what_lies_behind_it_counts_then() -> None:
    entries = chain("a", [True, False, True, True])
    a = replica("a", entries)
    fra = Replica("fra", 1, lambda: POLICY, [line_of(entries[index]) for index in (0, 2, 3)])
    assert fra.tops() == {("a", 1): 1}
    assert [line.place[2] for line in fra.answer(Ask((), ()), ITA).lines] == [1]
    assert pull(fra, FRA, a, "a") == []
    assert fra.tops() == {("a", 1): 4}


def test_a_stub_beyond_a_hole_may_be_filled_before_the_hole_is() -> None:
    lines = [line_of(entry) for entry in chain("a", [True, True, False])]
    c = Replica("c", 1, lambda: POLICY, [lines[0], Line(lines[2].place, lines[2].digest)])
    assert places(c.take(Answer(tuple(lines[2:])), "a")) == [3]
    assert (c.tops(), c.broken_count) == ({("a", 1): 1}, 0)
    assert places(c.take(Answer(tuple(lines[1:])), "a")) == [2]
    assert c.tops() == {("a", 1): 3}


def test_what_fills_a_hole_must_fit_the_line_behind_it() -> None:
    mine, other = chain("a", [True, True, True]), chain("a", [True, False, True])
    c = Replica("c", 1, lambda: POLICY, [line_of(mine[0]), line_of(mine[2])])
    c.take(Answer((line_of(other[1]),)), "x")
    c.take(Answer((Line(("a", 1, 2), bytes(32)),)), "x")
    assert (c.broken_count, c.tops()) == (2, {("a", 1): 1})
    c.take(Answer((line_of(mine[1]),)), "a")
    assert c.tops() == {("a", 1): 3}


def test_what_could_not_be_kept_is_asked_for_again() -> None:
    a, b = replica("a", chain("a", [True] * 4)), replica("b")
    first = pull(b, ITA, a, "a")
    b.lost(first[2:])
    assert b.tops() == {("a", 1): 2}
    assert places(pull(b, ITA, a, "a")) == [3, 4]


@given(st.integers(0, 2**32), st.lists(st.booleans(), min_size=1, max_size=60))
def test_any_loss_order_and_repeat_ends_with_every_line_that_may_be_had_and_no_other(
    seed: int, allowed: list[bool]
) -> None:
    dice = Random(seed)
    entries = chain("a", allowed)
    a = replica("a", entries)
    peers = {"fra": (FRA, replica("fra")), "ita": (ITA, replica("ita"))}
    holders = {"a": a, **{name: held for name, (_, held) in peers.items()}}
    journals: dict[str, list[Entry]] = {"fra": [], "ita": []}
    on_the_way: list[tuple[str, str, bytes]] = []
    for step in range(400):
        calm = step > 250
        name, other = dice.choice(list(peers)), dice.choice(list(holders))
        audience, asker = peers[name]
        if name != other:
            answer = holders[other].answer(asker.ask(), audience)
            on_the_way.append((name, other, _as_bytes(answer)))
        dice.shuffle(on_the_way)
        while on_the_way and (calm or dice.random() < 0.4):
            to, sender, data = on_the_way.pop()
            for _ in range(1 if calm else dice.choice((0, 1, 1, 2))):
                journals[to] += peers[to][1].take(_answer_of.decode(data), sender)
    cleared = [entry.envelope.seq for entry, everybody in zip(entries, allowed, strict=True) if everybody]
    assert sorted(places(journals["fra"])) == cleared
    assert sorted(places(journals["ita"])) == list(range(1, len(entries) + 1))
    assert peers["fra"][1].tops() == peers["ita"][1].tops() == {("a", 1): len(entries)}
    assert verify_chain(sorted(journals["ita"], key=lambda entry: entry.envelope.seq)) == []
    assert peers["ita"][1].broken_count == peers["fra"][1].broken_count == 0


def test_a_restart_prefers_a_line_to_the_stub_that_it_filled() -> None:
    [line] = [line_of(entry) for entry in chain("a", [False])]
    for kept in ([line, Line(line.place, line.digest)], [Line(line.place, line.digest), line]):
        again = Replica("c", 1, lambda: POLICY, kept)
        assert (again.stubs(), again.ask().wants) == ([], ())


def lying(line: Line) -> Line:
    """The stub of this line with a digest that a relay made up."""
    return Line(line.place, b"made up".ljust(32))


def test_a_stub_with_a_made_up_digest_is_put_right_by_the_line_from_its_origin() -> None:
    lines = [line_of(entry) for entry in chain("a", [True, True, True])]
    c = replica("c")
    c.take(Answer((lines[0], lying(lines[1]))), "liar")
    assert c.take(Answer((lines[1],)), "another") == []
    assert c.broken_count == 1
    assert places(c.take(Answer(tuple(lines[1:])), "a")) == [2, 3]
    assert c.ask().wants == ()


def test_a_stub_with_a_made_up_digest_does_not_keep_out_what_its_origin_says_next() -> None:
    lines = [line_of(entry) for entry in chain("a", [True, False, True])]
    fra = replica("fra")
    fra.take(Answer((lines[0], lying(lines[1]))), "liar")
    assert fra.take(Answer((lines[2],)), "another") == []
    assert places(fra.take(Answer((lines[2],)), "a")) == [3]
    assert fra.stubs() == [Line(lines[1].place, lines[1].digest)]
    again = Replica("fra", 1, lambda: POLICY, [lines[0], lines[2], lying(lines[1])])
    assert again.stubs() == fra.stubs()


def test_a_line_whose_body_was_erased_travels_as_a_stub_and_its_origin_denies_it() -> None:
    lines = [line_of(entry) for entry in chain("a", [True, True])]
    erased = msgspec.structs.replace(lines[0], body_bytes=None, original=None)
    a, c = Replica("a", 1, lambda: POLICY, [erased, lines[1]]), replica("c")
    assert places(pull(c, ITA, a, "a")) == [2]
    assert c.stubs() == [Line(lines[0].place, lines[0].digest)]
    pull(c, ITA, a, "a")
    assert c.ask().wants == ()
