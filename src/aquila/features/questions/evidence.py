"""What an entry says, as the tests of questions look at it, and how it reads on the board.

Questions look at what people and sensors tell of the world: notes, reports of things, lines of the incident desk,
reports, requests for evacuation and what analysts write. What directs or plans (orders, tasks, the order of battle,
watches, injects ...) tells nothing of the world, though it is full of the sought words; it is looked at only by a test
that names its type or what it is about. An answer to an order is none of both.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from aquila.core.dtg import dtg
from aquila.core.model import Entry, Note, Paper, Position, Report, kind_of
from aquila.core.speakers import is_bare_answer

TELLING = ("incidents.line", "reports.report", "medevac.request", "intel.subject")
"""Types of papers that tell of the world."""
VALUE = "v."
"""Fields of a filled form begin so."""
TEXT_MAX = 600
LINES_MAX = 5
"""Fields of a report that stand on the board; the whole report is one press away."""
EPOCH_MS = 10**12
"""Whole numbers from here on in fields named by forms are times, UTC ms: nothing else that is counted is so many."""


class Evidence(msgspec.Struct, frozen=True):
    """What an entry says.

    Attributes:
        title, lines: to be read; a line for each field. words: all of it in one string, each word after a blank,
            in lower case. kinds: kind of the body, and its type. about: ids. tells: it tells of the world; else only
            tests look at it that name its type or what it is about.
    """

    title: str
    lines: tuple[str, ...]
    words: str
    kinds: tuple[str, str]
    position: Position | None
    about: frozenset[str]
    tells: bool


def evidence_of(entry: Entry) -> Evidence | None:
    """None = the entry says nothing that a question could be about: acts, receipts, bare answers, what rules wrote.

    Nor does what is sealed because it is about a person: a hit would tell of it on the open board.
    """
    body = entry.body
    if entry.envelope.subjects or entry.envelope.via.startswith("rule:"):
        return None
    if isinstance(body, Note):
        if is_bare_answer(body.text):
            return None
        return _evidence(body, body.room, body.text, [], frozenset())
    if isinstance(body, Report):
        parts = [each for each in (body.remarks, *body.fields.values()) if each]
        return _evidence(body, body.type, body.name or "", parts, frozenset({body.entity}))
    if not isinstance(body, Paper) or body.type.startswith("questions."):
        return None
    linked = body.fields.get("linked", ())
    about = frozenset({body.target, *(linked if isinstance(linked, list | tuple) else ())})
    return _evidence(body, body.type, body.summary, list(_texts(body.fields)), about)


def _evidence(body: Note | Report | Paper, type: str, title: str, texts: list[str], about: frozenset[str]) -> Evidence:
    words = words_of(" ".join([title, *texts]))
    lines = list(_lines(body.fields)) if isinstance(body, Paper) else texts
    told = tuple(line for line in lines if line and line not in title)
    tells = not isinstance(body, Paper) or type in TELLING
    return Evidence(title, told, words, (kind_of(body), type), body.position, about, tells)


def begins(word: str, words: str) -> bool:
    """Does this word, or the first of these words, begin a word of the text? words: see Evidence."""
    return words_of(word) in words


def words_of(text: str) -> str:
    """The words of a text in one string, each after a blank, in lower case."""
    return " " + " ".join(re.findall(r"\w+", text.casefold()))


def read_out(evidence: Evidence, sought: Iterable[str]) -> str:
    """How it reads on the board: the title, then LINES_MAX lines at most, those first in which a sought word is."""
    wanted = tuple(sought)
    lines = sorted(evidence.lines, key=lambda line: not any(begins(word, words_of(line)) for word in wanted))
    shown = [evidence.title, *lines[:LINES_MAX], *(["..."] if len(lines) > LINES_MAX else [])]
    return "\n".join(each for each in shown if each)[:TEXT_MAX]


def _lines(fields: Mapping[str, Any]) -> Iterator[str]:
    """A line for each field of a form; of a paper that is no form its texts."""
    values = {name.removeprefix(VALUE): value for name, value in fields.items() if name.startswith(VALUE)}
    if not values:
        yield from (value for value in fields.values() if isinstance(value, str) and " " in value)
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            continue
        said = dtg(value) if isinstance(value, int) and value >= EPOCH_MS else str(value)
        yield f"{name.replace('_', ' ')}: {said}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
