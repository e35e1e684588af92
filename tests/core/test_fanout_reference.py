"""The fan-out against a naive reference that asks for every recipient and every statement on its own."""

import random
import re
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from .net import CONTEXT, Net, audience, label, outbound, release


class Reference:
    """Asks release for every recipient and every statement on its own."""

    def __init__(self):
        self.said = []
        self.joined = {}

    def visible(self, link, reader):
        return [
            (each, decision.verdict)
            for each in self.said[self.joined[link] :]
            if each.source != link and (decision := release(each.label, CONTEXT, reader)).verdict
        ]


GROUPS = ("a", "b", "c")


def a_label(dice):
    return label(*dice.sample(GROUPS, dice.randint(1, 2)), redacted=dice.sample(GROUPS, dice.randint(0, 1)))


def run_program(dice, slow_links):
    """Links, statements, states and deletes in any order; some links take bytes only now and then."""
    net, reference = Net(), Reference()
    readers, always_ready = {}, set()
    entity_of = {}
    last_id = 0
    for link in range(1, 6):
        readers[link] = audience(*dice.sample(GROUPS, dice.randint(1, 3)))
        net.join(link, readers[link], dice.choice(("xml", "proto")))
        reference.joined[link] = 0
        if link > slow_links:
            always_ready.add(link)
    for _ in range(dice.randint(20, 120)):
        step = dice.random()
        if step < 0.55:
            last_id += 1
            key = dice.choice("uvwxyz")
            kind = dice.random()
            source = dice.choice((None, 1, 2, 3, 4, 5))
            if kind < 0.6:
                said = outbound(last_id, a_label(dice), source=source, key=key, statement=kind < 0.1)
                entity_of[said.id] = key
            elif kind < 0.75:
                said = outbound(last_id, a_label(dice), source=source)
                entity_of[said.id] = key  # a delete
            else:
                said = outbound(last_id, a_label(dice), source=source)
            net.fanout.publish(said)
            if said.key is None and said.id in entity_of:
                net.fanout.forget(key)
            reference.said.append(said)
        elif step < 0.8:
            net.tick()
        elif step < 0.9:
            link = dice.randint(1, 5)
            if link not in always_ready:
                net.peers[link].room = dice.randint(0, 60)
        elif step < 0.97:
            for link in sorted(net.slow):
                net.drain(link, dice.randint(0, 200))
        else:
            link = dice.randint(1, 5)
            net.write(net.fanout.reply(link, b"{reply}"))
    net.tick()
    for link in range(1, 6):
        net.drain(link)
        net.peers[link].room = None
    return net, reference, readers, always_ready, entity_of


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 4))
def test_every_link_gets_what_the_naive_reference_gives_it(seed, slow_links):
    net, reference, readers, always_ready, entity_of = run_program(random.Random(seed), slow_links)
    for link, reader in readers.items():
        visible = reference.visible(link, reader)
        verdict_of = {each.id: verdict.name for each, verdict in visible}
        got = net.peers[link].events()
        ids = [event[0] for event in got]
        assert len(ids) == len(set(ids)), "nothing twice"
        assert set(ids) <= set(verdict_of), "nothing that it may not see, no echo"
        assert all(verdict_of[event[0]] == event[2] for event in got)
        statements = {each.id for each, _ in visible if each.statement}
        assert statements <= set(ids), "every statement"
        if link in always_ready:
            assert set(ids) == set(verdict_of), "every state to a link that reads"
        order = {each.id: place for place, each in enumerate(reference.said)}
        per_sender = defaultdict(list)
        for id in ids:
            per_sender[reference.said[order[id]].source].append(order[id])
        assert all(places == sorted(places) for places in per_sender.values()), "in order per sender"
        last_said = {entity_of[each.id]: each.id for each, _ in visible if each.id in entity_of}
        last_got = {entity_of[id]: id for id in ids if id in entity_of}
        hidden = {
            key: order[id]
            for id, key in entity_of.items()
            if id not in verdict_of
            and (reference.said[order[id]].key is None or reference.said[order[id]].source == link)
        }
        for key, id in last_said.items():
            # A delete that it may not see, or its own newer word, ends what a slow link would have caught up with.
            if order[id] > hidden.get(key, -1):
                assert last_got.get(key) == id, "the last state of each entity, deletes included"


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_a_newcomer_sees_what_the_others_see(seed):
    dice = random.Random(seed)
    net, reference, _, _, entity_of = run_program(dice, 2)
    reader = audience(*dice.sample(GROUPS, 2))
    newest = {}
    for each in reference.said:
        if each.id not in entity_of:
            continue
        if each.key is None:
            newest = {place: said for place, said in newest.items() if place[0] != entity_of[each.id]}
        else:
            newest[each.key, each.label] = each
    wanted = [each.id for each in newest.values() if release(each.label, CONTEXT, reader).verdict]
    got = net.join(99, reader).ids()
    assert sorted(got) == sorted(wanted)
    assert got == sorted(got, key=int), "oldest first, so the newest of two labels wins"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_nothing_leaves_that_the_rights_of_that_moment_deny(seed):
    """Rights, epochs and formats change in the middle, for slow links as well."""
    dice = random.Random(seed)
    net = Net()
    rights = {link: audience(dice.choice(GROUPS)) for link in (1, 2, 3)}
    formats = dict.fromkeys(rights, "xml")
    closed: set[str] = set()
    said = {}

    def policy(marking, context, reader):
        return release(marking, context, audience(*(reader.groups - closed)))

    net.fanout.new_epoch(policy)
    for link, reader in rights.items():
        net.join(link, reader)

    def check(link, since):
        """Everything that began after `since` bytes is allowed now."""
        for match in re.finditer(rb"<(\d+) (\w+) (\w+)>", net.peers[link].received):
            if match.start() >= since:
                verdict = policy(said[match[1].decode()].label, CONTEXT, rights[link]).verdict
                assert verdict.name == match[3].decode()
                assert formats[link] == match[2].decode() or match.start() < switched[link]

    marks = dict.fromkeys(rights, 0)
    switched = dict.fromkeys(rights, 0)
    for number in range(dice.randint(20, 80)):
        step = dice.random()
        link = dice.choice(sorted(rights))
        if step < 0.5:
            each = outbound(number, a_label(dice), key=dice.choice(("x", "y", None)), statement=dice.random() < 0.5)
            said[each.id] = each
            net.fanout.publish(each)
        elif step < 0.65:
            net.tick()
        elif step < 0.75:
            net.peers[link].room = dice.randint(0, 40)
        elif step < 0.85:
            if link in net.slow:
                net.drain(link, dice.randint(0, 80))
        else:
            for every in rights:
                check(every, marks[every])
            if step < 0.9:
                rights[link] = audience(dice.choice(GROUPS))
                net.write(net.fanout.regroup(link, rights[link]))
            elif step < 0.95:
                closed = {dice.choice(GROUPS)} if dice.random() < 0.7 else set()
                net.fanout.new_epoch(policy)
            else:
                # Half-written and queued bytes stay in the old format; the reply stands behind them.
                formats[link] = {"xml": "proto", "proto": "xml"}[formats[link]]
                net.write(net.fanout.switch(link, formats[link], b"{switch}"))
                switched[link] = 1 << 30
            for every in rights:
                marks[every] = net.peers[every].received.rfind(b"<") + 1
    net.tick()
    net.tick()
    for every in rights:
        net.drain(every)
        net.peers[every].room = None
        net.peers[every].tokens()
        check(every, marks[every])
        # Whatever the way there: what it may see now is shown as it is now.
        newest = {}
        for each in said.values():
            if each.key is not None:
                newest[each.key, each.label] = each
        shown = net.peers[every].ids()
        for each in newest.values():
            if policy(each.label, CONTEXT, rights[every]).verdict:
                assert each.id in shown
