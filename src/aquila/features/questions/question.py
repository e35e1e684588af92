"""The question: text, queries that every entry is tested by, hits with evidence; and the request for information.

States and fields are a proposal of staff-work practice: no public template of a CCIR board was found. Windows and the
ladder of posts are data: windows.json.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from aquila.core.exercise_clock import WALL, ExerciseClock
from aquila.core.model import Label
from aquila.core.paper_work import Id, Line, Place, Said, Text, Time, WatchedPapers, Word, state_of
from aquila.core.papers import Step, Thing
from aquila.core.phrases import phrase_in
from aquila.core.states import Move, States

QUESTION, RFI = "questions.question", "questions.rfi"
OPEN = ("open", "partly")
STATES = States(
    "question",
    "none",
    (
        Move("ask", ("none",), "open", "operator"),
        Move("edit", OPEN, None, "operator"),
        Move("hit", OPEN, None, "the node, for an entry that fits a query"),
        Move("look", OPEN, None, "the node, which has tested what was in the journal"),
        Move("ack", ("open", "partly", "answered"), None, "operator, who has looked at the hit"),
        Move("ack_found", ("open", "partly", "answered"), None, "operator, who has looked at all found looking back"),
        Move("climb", OPEN, None, "the node, when a hit was not acknowledged in time"),
        Move("answer_partly", OPEN, "partly", "operator, with the evidence"),
        Move("answer", OPEN, "answered", "operator, with the evidence"),
        Move("reopen", ("answered", "closed"), "open", "operator, with the reason"),
        Move("close", ("open", "partly", "answered"), "closed", "operator"),
    ),
    ("closed",),
)
RFI_OPEN = ("new", "accepted", "tasked")
RFI_STATES = States(
    "request for information",
    "none",
    (
        Move("ask", ("none",), "new", "operator"),
        Move("accept", ("new",), "accepted", "operator"),
        Move("task", ("new", "accepted", "tasked"), "tasked", "operator"),
        Move("answer", RFI_OPEN, "answered", "operator, with the sources"),
        Move("refuse", RFI_OPEN, "refused", "operator, with the reason"),
        Move("ask_again", ("answered", "refused"), "new", "who asked, with the reason"),
        Move("close", ("answered", "refused"), "closed", "who asked"),
    ),
    ("closed",),
)
Priority = Literal[1, 2, 3]
Sought = Annotated[str, msgspec.Meta(min_length=2, max_length=60)]
Posts = Annotated[tuple[Word, ...], msgspec.Meta(min_length=1, max_length=10)]


class HitArea(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A circle."""

    place: Place
    radius_m: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]


class EntryTest(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What an entry must have to be a hit: all that is named here.

    Attributes:
        words: each begins a word of its text. kinds: one of them is its kind (note, report, paper) or begins its type;
            papers that direct (orders, tasks ...) are looked at only where their type or a link is named.
        area: its place lies inside. links: it is about one of these things.
    """

    words: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=2, max_length=60)], ...], msgspec.Meta(max_length=20)
    ] = ()
    kinds: Annotated[tuple[Line, ...], msgspec.Meta(max_length=20)] = ()
    area: HitArea | None = None
    links: Annotated[tuple[Id, ...], msgspec.Meta(max_length=50)] = ()

    def __post_init__(self) -> None:
        if not (self.words or self.kinds or self.area or self.links):
            raise ValueError("a test without words, kinds, area and links fits everything: name one of them")
        for word in self.words:
            if not re.search(r"\w", word):
                raise ValueError(f"the word {word!r} has no letter and no figure, so every text has it: name another")
        if any(not kind.strip() for kind in self.kinds):
            raise ValueError('an empty kind fits everything: name one, for instance "note" or "incidents."')


class Question(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the commander wants to know.

    Attributes:
        tests: an entry that passes one of them is a hit. ltiov_ms: latest time at which the answer is of value; None =
            no such time. from_ms: only what happens from then on is a hit, and what the journal has from then on is
            tested too; None = all that comes.
        notify: posts from the first to the last that a hit goes to; None = as windows.json says.
    """

    text: Said
    kind: Literal["PIR", "FFIR", "EEFI", "CCIR"] = "PIR"
    tests: Annotated[tuple[EntryTest, ...], msgspec.Meta(max_length=20)] = ()
    priority: Priority = 2
    decision: Text = ""
    from_ms: Time | None = None
    ltiov_ms: Time | None = None
    notify: Posts | None = None


class RfiAsked(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A request for information. to: who is asked. question: id of the question it serves."""

    question: Said
    to: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    why: Text = ""
    needed_by_ms: Time | None = None
    precedence: Literal["Z", "O", "P", "R"] = "R"
    ccir: Line = ""


class BoardRules(msgspec.Struct, frozen=True):
    """The ladder, and how long a hit of each priority may wait at one post."""

    ladder: tuple[str, ...]
    ack_within_ms: dict[str, int]


@functools.cache
def board_rules() -> BoardRules:
    """The data that came with the program."""
    text = resources.files("aquila.features.questions").joinpath("windows.json").read_bytes()
    return msgspec.json.decode(text, type=BoardRules)


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that fits a question.

    Attributes:
        entry: its id; text: what it said, in short: a title, then a line for each field. posts: those that it has gone
            to, the newest last. due_ms: when it climbs further. ack_at_ms: None = nobody has looked. found: it was
            there when the question was asked, and looking back found it. act, words: of the sentence that the title is,
            see `Phrase`; "" = somebody wrote it.
    """

    entry: str
    text: str
    at_ms: int
    posts: tuple[str, ...]
    due_ms: int
    ack_at_ms: int | None
    ack_by: str | None
    found: bool = False
    act: str = ""
    words: dict[str, Any] = {}


def ladder_of(thing: Thing) -> tuple[str, ...]:
    """The posts that a hit of this question climbs."""
    return tuple(thing.get("notify") or board_rules().ladder)


def within_ms(thing: Thing) -> int:
    """How long a hit of this question may wait at one post."""
    return board_rules().ack_within_ms[str(thing.get("priority", 2))]


class _Told(NamedTuple):
    """What one step says of one entry that fits. rank: the least of those about one line stands for them."""

    entry: str
    line: str
    text: str
    at_ms: int
    step: Step

    @property
    def rank(self) -> tuple[int, str]:
        return self.at_ms, self.entry


def _told(name: str, step: Step) -> _Told:
    """A version before said the text alone."""
    entry, value = name.removeprefix("hit."), step.fields[name]
    if not isinstance(value, Mapping):
        return _Told(entry, entry, str(value), step.at_ms, step)
    at_ms = value.get("at_ms")
    at_ms = at_ms if isinstance(at_ms, int) else step.at_ms
    return _Told(entry, str(value.get("line", entry)), str(value.get("text", "")), at_ms, step)


def hits_of(thing: Thing, clock: ExerciseClock = WALL) -> tuple[Hit, ...]:
    """The hits of a question, oldest first. clock: whose minutes a hit waits.

    Two nodes, or one that looked back while entries came, may tell of one line twice: it is one hit of the readers of
    one marking, acknowledged when one of its entries is, whatever came first.
    """
    about: dict[tuple[str, Label], list[_Told]] = {}
    for name, step in thing.writers().items():
        if name.startswith("hit."):
            told = _told(name, step)
            about.setdefault((told.line, step.label), []).append(told)
    hits = [_hit(thing, same, clock) for same in about.values()]
    return tuple(sorted(hits, key=lambda hit: (hit.at_ms, hit.entry)))


def _hit(thing: Thing, same: Sequence[_Told], clock: ExerciseClock) -> Hit:
    """The hit that several tellings of one line are."""
    ladder, writers = ladder_of(thing), thing.writers()
    told = min(same, key=lambda each: each.rank)
    climbs = max(sum(f"climb.{level}.{each.entry}" in writers for level in range(1, len(ladder))) for each in same)
    acks = [writers[name] for each in same if (name := f"ack.{each.entry}") in writers]
    ack = min(acks, key=lambda step: step.stamp, default=None)
    received_ms = told.step.received_at_ms
    title = phrase_in("questions.title", told.text.partition("\n")[0])
    return Hit(
        entry=told.entry,
        text=told.text,
        at_ms=told.at_ms,
        posts=ladder[: climbs + 1],
        due_ms=clock.put_off_ms(received_ms + (climbs + 1) * within_ms(thing), received_ms),
        ack_at_ms=None if ack is None else ack.at_ms,
        ack_by=None if ack is None else ack.by,
        found=told.step.action == "look",
        act=title.act,
        words=title.words,
    )


def looked_field(asked: Step) -> str:
    """Where a question says that it has looked back since this step."""
    return f"looked.{asked.entry}"


def counts_from_ms(thing: Thing, clock: ExerciseClock) -> int | None:
    """From when on entries are hits of this question, as it stands on the wall; None = whenever they happened."""
    from_ms = thing.get("from_ms")
    return clock.of_field(thing, "from_ms", from_ms) if isinstance(from_ms, int) else None


def is_open(thing: Thing) -> bool:
    """Is it a question that waits for an answer?"""
    return thing.type == QUESTION and state_of(STATES, thing) in OPEN


def questions_view() -> WatchedPapers:
    """A fresh view."""
    return WatchedPapers("questions", 1, ("questions.",), is_open)
