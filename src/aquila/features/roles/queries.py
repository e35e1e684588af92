"""What can be asked of roles: posts at a time, the asker's own desk, what needs this post now, what was released."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from aquila.core.feature import ROLES, Feature, Labelled, Query, Reading, Then
from aquila.core.model import Label, Note, Paper, Principal
from aquila.core.paper_rows import AskNeeds, NeedRow
from aquila.core.paper_work import Id, Line, Time
from aquila.core.phrases import phrase_of
from aquila.features.roles.commands import KnowsPeople, may_give
from aquila.features.roles.homes import home_of, ordered
from aquila.features.roles.node_needs import node_needs
from aquila.features.roles.rights import RIGHTS, may
from aquila.features.roles.turn import STATES, Held, Nation, turns_shown

READ_MAX = 5_000
"""Lines of the journal, the newest, that are looked through for what was released."""


class AskPosts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which posts. at_ms: as they were held then; None = now."""

    at_ms: Time | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class PostRow(msgspec.Struct, frozen=True, kw_only=True):
    """One person's time in a post.

    Attributes:
        state: held, listed (may be taken over) or ended. is_held: at the time that was asked for. is_mine: the asker's.
        since_ms: since when it is so. from_ms, until_ms: None = since ever, until further notice.
        given_by: id of who gave it; on_behalf_of: for whom.
    """

    id: str
    post: str
    person: str
    unit: str | None
    nation: str | None
    from_ms: int | None
    until_ms: int | None
    state: str
    is_held: bool
    is_mine: bool
    since_ms: int
    given_by: str
    on_behalf_of: str | None
    actions: tuple[str, ...]
    heads: tuple[str, ...]
    label: Label


class AskMe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The asker's own desk. post: as which; empty = the post held longest, or none."""

    post: Annotated[str, msgspec.Meta(max_length=40)] = ""


class RightRow(msgspec.Struct, frozen=True, kw_only=True):
    """A step that needs a post, and whether the asker may take it now."""

    what: str
    posts: tuple[str, ...]
    may: bool


class MyDesk(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is laid out by.

    Attributes:
        post: whose home it is; empty = of nobody's. held: posts of the asker; on_call: those that he may take over now.
        panels: workspaces, the first one first. layout: map, desk or phone. gives: may he give posts?
    """

    post: str
    held: tuple[PostRow, ...]
    on_call: tuple[PostRow, ...]
    panels: tuple[str, ...]
    layout: str
    gives: bool
    rights: tuple[RightRow, ...]


class AskHome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What needs a post now. post: empty = the one that the asker holds, or everything when he holds none."""

    post: Annotated[str, msgspec.Meta(max_length=40)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200


class AskAllNeeds(AskNeeds, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose needs. role: a post; empty = of all posts. at_ms: as they were then; None = now."""

    at_ms: Time | None = None


class AskReleased(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was released to a nation. nation: None = whatever the asker may have."""

    nation: Nation | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class ReleasedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line that the nation may have, newest first. thing: id of what it is about; None = of nothing.

    act, words: of the sentence that `text` is, see `Phrase`; "" = of none.
    """

    entry: Id
    kind: str
    thing: str | None
    at_ms: int
    by: str
    text: str
    label: Label
    act: str = ""
    words: dict[str, Any] = {}


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can be given a post."""

    id: str
    name: Line


class AskPeople(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everybody."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


def _row(held: Held, principal: Principal) -> PostRow:
    first, turn = held.thing.first, held.turn
    return PostRow(
        id=held.id,
        post=turn.post,
        person=turn.person,
        unit=turn.unit,
        nation=turn.nation,
        from_ms=turn.from_ms,
        until_ms=turn.until_ms,
        state=held.state,
        is_held=held.is_held,
        is_mine=turn.person == principal.id,
        since_ms=held.since_ms,
        given_by=first.by,
        on_behalf_of=first.on_behalf_of,
        actions=STATES.allowed(held.state),
        heads=held.thing.heads(),
        label=first.label,
    )


def _posts(principal: Principal, ask: AskPosts, reading: Reading) -> Iterator[Labelled]:
    at_ms = reading.now_ms() if ask.at_ms is None else ask.at_ms
    for held in turns_shown(reading, at_ms):
        if held.state not in ("ended", "none") and held.thing.first.at_ms <= at_ms:
            yield Labelled(_row(held, principal), held.thing.first.label, held.thing.first.context)


def _mine(principal: Principal, reading: Reading) -> list[Held]:
    """The asker's turns that are in their time: those held longest first."""
    now_ms = reading.now_ms()
    mine = [each for each in turns_shown(reading, now_ms) if each.turn.person == principal.id]
    return sorted((each for each in mine if each.turn.is_time(now_ms)), key=lambda each: (each.since_ms, each.id))


def _post_of(principal: Principal, asked: str, reading: Reading) -> str:
    if asked:
        return asked
    return next((each.turn.post for each in _mine(principal, reading) if each.is_held), "")


def _desk(principal: Principal, ask: AskMe, reading: Reading) -> Iterator[Labelled]:
    mine, post = _mine(principal, reading), _post_of(principal, ask.post, reading)
    home = home_of(post)
    rights = {row.what: RightRow(what=row.what, posts=row.posts, may=may(reading, principal, row)) for row in RIGHTS}
    row = MyDesk(
        post=post,
        held=tuple(_row(each, principal) for each in mine if each.is_held),
        on_call=tuple(_row(each, principal) for each in mine if each.state == "listed"),
        panels=home.panels,
        layout=home.layout,
        gives=may_give(principal, reading),
        rights=tuple(rights.values()),
    )
    yield Labelled(row, None, reading.context)


def _all_needs(principal: Principal, ask: AskNeeds, reading: Reading, *, of_node: bool) -> Iterator[Labelled]:
    """What all features say that the asker's roles may read; each is released under its own label."""
    rank = max((ROLES.index(each) for each in ROLES if each in principal.roles), default=-1)
    for query in _needs_queries(reading.part("features")):
        if ROLES.index(query.role) <= rank and (of_node or query.answer is not node_needs):
            yield from query.answer(principal, ask, reading)


def _home(principal: Principal, ask: AskHome, reading: Reading) -> Iterator[Labelled]:
    """The needs of all features, in the order of the post's home."""
    found = {id(each.full): each for each in _all_needs(principal, AskNeeds(), reading, of_node=True)}
    for need in ordered((each.full for each in found.values()), _post_of(principal, ask.post, reading)):
        yield found[id(need)]


def _needs(principal: Principal, ask: AskAllNeeds, reading: Reading) -> Iterator[Labelled]:
    """The needs of all features but the node's own: what is overdue first, then what waits longest."""
    then = reading if ask.at_ms is None else Then(reading, ask.at_ms)
    found = _all_needs(principal, ask, then, of_node=False)
    for need in sorted(found, key=lambda each: (not each.full.is_overdue, each.full.since_ms)):
        # Nothing is done in the past.
        yield need if ask.at_ms is None else Labelled(replace(need.full, actions=()), need.label, need.context)


def _needs_queries(features: Sequence[Feature]) -> Iterator[Query]:
    for feature in features:
        for query in feature.queries:
            if query.row is NeedRow and query.path.startswith("/needs/"):
                yield query


def _released(principal: Principal, ask: AskReleased, reading: Reading) -> Iterator[Labelled]:
    after = max(0, reading.journal.last_arrival() - READ_MAX)
    for entry in reversed(reading.journal.read(after, READ_MAX)):
        envelope, body = entry.envelope, entry.body
        # What is sealed, because it is about a person, is told where such records are kept.
        if not isinstance(body, Paper | Note) or envelope.subjects or envelope.context != reading.context:
            continue
        if ask.nation is not None and ask.nation not in reading.policy.nations(envelope.label.releasable_to):
            continue
        phrase = phrase_of(body, envelope.kind)
        row = ReleasedRow(
            entry=envelope.id,
            kind=body.type if isinstance(body, Paper) else "note",
            thing=body.target if isinstance(body, Paper) else None,
            at_ms=envelope.happened_at_ms,
            by=envelope.author,
            text=(body.summary if isinstance(body, Paper) else body.text)[:300],
            label=envelope.label,
            act=phrase.act,
            words=phrase.words,
        )
        yield Labelled(row, envelope.label, envelope.context)


def _people(principal: Principal, ask: AskPeople, reading: Reading) -> Iterator[Labelled]:
    if not may_give(principal, reading):
        return
    access = reading.views.get("access")
    if not isinstance(access, KnowsPeople):
        return
    for kind, named in (("user", "person"), ("token", "token")):
        for grant in access.grants(reading.node, kind):
            yield Labelled(PersonRow(id=f"{named}:{grant.name}", name=grant.name), None, reading.context)


QUERIES = (
    Query(
        name="posts",
        path="/posts",
        request=AskPosts,
        row=PostRow,
        role="viewer",
        answer=_posts,
        summary="Who holds which post at a time, and who may take it over",
    ),
    Query(
        name="my_desk",
        path="/home/desk",
        request=AskMe,
        row=MyDesk,
        role="viewer",
        answer=_desk,
        one=True,
        summary="The asker's posts, rights and workspaces",
    ),
    Query(
        name="home",
        path="/home",
        request=AskHome,
        row=NeedRow,
        role="viewer",
        answer=_home,
        blocking=True,
        summary="What needs this post now, of all features, the first first",
    ),
    Query(
        name="released",
        path="/home/released",
        request=AskReleased,
        row=ReleasedRow,
        role="viewer",
        answer=_released,
        blocking=True,
        summary="What was released to a nation lately, newest first",
    ),
    Query(
        name="people",
        path="/people",
        request=AskPeople,
        row=PersonRow,
        role="operator",
        answer=_people,
        summary="Who can be given a post; for those who give posts",
    ),
    Query(
        name="needs",
        path="/needs",
        request=AskAllNeeds,
        row=NeedRow,
        role="viewer",
        answer=_needs,
        blocking=True,
        summary="What needs somebody, now or at a time, of all features but the node: overdue first, then by wait",
    ),
    Query(
        name="needs_node",
        path="/needs/node",
        request=AskNeeds,
        row=NeedRow,
        role="operator",
        answer=node_needs,
        blocking=True,
        summary="What the node itself needs: disk, feeds, refusals, certificates",
    ),
)
