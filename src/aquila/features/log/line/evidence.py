"""Which kind a line is by the weight of all that it tells, where no word names it, and which kind comes next.

A rule of `kinds.py` looks at one thing and is right where it applies. Here each thing that the line tells counts for
one or two kinds; the weights are the table below, and what a word tells is in the tables `kind_hint` of the vocabulary.
"""

from collections import Counter

from aquila.features.log.line.draft import LinePart
from aquila.features.log.line.own_moves import on_patrol
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.tasks import bids
from aquila.features.log.line.words import normalise

KINDS = (
    "medevac", "incident", "contact_lost", "patrol", "checkpoint", "spot", "request", "weather", "comms_check",
    "sitrep", "logsitrep", "intrep", "note",
)  # fmt: skip
"""Kinds that no word need name; of two with one weight the earlier one, what is worse to miss, stands before."""
NAMED = 3
"""What a word of the table `kind_weak` weighs: it names the kind, and another may still be meant."""
HINT = 1
HINTS_MAX = 2
"""Hints of one kind that count: ten words about the weather are no stronger than two."""
NEAR = 2
"""Weight from which a kind is offered as another one that may be meant."""
CLEAR = 2
"""Weight from which a kind is read where no rule found one."""
ACTS = {
    "firing": {"incident": 3},
    "explosion": {"incident": 3},
    "fire": {"incident": 3},
    "accident": {"incident": 3, "medevac": 1},
    "throwing": {"incident": 3},
    "blocking": {"incident": 1, "spot": 1},
    "gathering": {"spot": 1, "incident": 1},
    "observing": {"spot": 2},
    "crossing": {"spot": 1},
    "digging": {"spot": 2},
    "building": {"spot": 1, "note": 1},
    "flying": {"spot": 1},
    "herding": {"spot": 2},
    "talking": {"note": 1},
    "searching": {"patrol": 1, "note": 1},
    "loading": {"spot": 1, "note": 1},
}
"""What an activity weighs, whoever does it."""
OWN_ACTS = {
    "moving": {"patrol": 2},
    "stationary": {"patrol": 2},
    "arriving": {"patrol": 2, "checkpoint": 1},
    "withdrawing": {"patrol": 2},
    "passing": {"patrol": 2, "checkpoint": 2},
    "flying": {"patrol": 2},
}
"""What an activity weighs when a unit on patrol tells of itself."""
QUESTIONS = frozenset(
    "what who when where which how why can could may is are do does has have chi cosa che quando dove quanti quante "
    "quale quali perche qui que quoi quand ou combien quel quelle pourquoi peut кто что когда где сколько какой какая "
    "какие почему куда можно есть".split()
)
"""As normalised; one of them opens a question when a question mark ends it."""
ASKING_ALONE = frozenset(
    normalise(word)
    for word in (
        "who what where why chi cosa dove quanti quante perché qui combien pourquoi quel quelle кто где сколько почему "
        "какой какая какие кім қайда қашан қанша неге"
    ).split()
)
"""These ask wherever they stand, and at the head of a line without a question mark."""
ASKED = {"request": 4}
"""A question of the whole line."""


def weigh(sheet: Sheet) -> list[tuple[str, int]]:
    """The kinds that the line speaks for, the strongest first; a note weighs 1 whatever the line says."""
    weights: Counter[str] = Counter({"note": 1})
    _add_words(sheet, weights)
    _add_fields(sheet, weights)
    if sheet.tagged(0, "bid_first"):
        # Confirm receipt of order 12: a verb at the head of a line bids.
        weights["request"] += 2
    if _asks(sheet):
        weights.update(ASKED)
    return sorted(((kind, weights[kind]) for kind in KINDS if weights[kind] > 0), key=lambda each: -each[1])


def _add_words(sheet: Sheet, weights: Counter[str]) -> None:
    hints: Counter[str] = Counter()
    named: set[str] = set()
    for index in range(len(sheet.tokens)):
        if not sheet.tagged(index, "kind_hint", "kind_weak") or is_denied(sheet, index):
            continue
        for match in sheet.matches(index):
            named.update(tag.value for tag in match.tags if tag.category == "kind_weak")
            if not match.typo and index not in sheet.aside:
                hints.update({tag.value for tag in match.tags if tag.category == "kind_hint"})
    for kind, times in hints.items():
        weights[kind] += HINT * min(times, HINTS_MAX)
    if not names_somebody(sheet):
        named.discard("contact_lost")
    for kind in named:
        weights[kind] += NAMED


def names_somebody(sheet: Sheet) -> bool:
    """Has the line a unit or a post that can be silent? The resupply was due at ten: nobody of ours."""
    return any(sheet.has(field) for field in ("unit", "to", "place"))


def is_denied(sheet: Sheet, index: int) -> bool:
    """No shots; no evac needed: what is not, and what is not asked for."""
    return sheet.tagged(index - 1, "zero", "negated") or (
        sheet.tokens[index].norm in PASSIVE and sheet.tagged(index - 2, "zero", "negated")
    )


PASSIVE = frozenset({"needed", "required", "reqd", "requested", "necessary", "richiesto", "richiesta", "demande"})


def _add_fields(sheet: Sheet, weights: Counter[str]) -> None:
    typed = [part for part in sheet.parts if part.value is not None]
    acts = {part.value["activity"] for part in typed if part.field == "activity" and part.value}
    unit = next((part for part in typed if part.field == "unit" and part.end > part.start), None)
    own = unit is not None and on_patrol(sheet, unit)
    counted = [part.value for part in typed if part.field == "size" and part.value]
    strangers = any(_strange(value) for value in counted)
    for act in acts:
        weights.update(ACTS.get(act, {}))
        if own and not counted:
            weights.update(OWN_ACTS.get(act, {}))
    if own and not strangers:
        weights["patrol"] += 1
    if (
        unit is None
        and not counted
        and any(
            sheet.tagged(at, "people", "vehicle", "animal") and sheet.free(at, at + 1)
            for at in range(len(sheet.tokens))
        )
    ):
        # Pax on the roof: seen, though nobody counted them.
        weights["spot"] += 1
    if unit is None and acts & {"moving", "stationary"}:
        # Lights moving along the fence: nobody tells of himself.
        weights["spot"] += 1
    if counted:
        weights["spot"] += 3 if strangers or not own else 1 if _is_convoy(sheet, unit) else 2
    if any(part.field == "casualty" and part.value and part.value["count"] > 0 for part in typed):
        weights.update({"incident": 3, "medevac": 2})
    if any(part.field == "to" and bids(sheet, sheet.token_range(part.start, part.end)[1]) for part in typed):
        weights["request"] += 3
    for category, kind, weight in WORDS:
        if sheet.anywhere(category):
            weights[kind] += weight


WORDS = (
    ("polite", "request", 2), ("asks", "request", 2), ("comms", "comms_check", 1), ("comms_down", "contact_lost", 1),
    ("complaint", "note", 2), ("visit", "note", 2), ("wind", "weather", 1), ("weather_harm", "weather", 1),
    ("quantity", "logsitrep", 1), ("stretcher", "medevac", 2), ("told", "note", 1),
)  # fmt: skip
"""Categories of the vocabulary that speak for a kind."""


def _is_convoy(sheet: Sheet, unit: LinePart | None) -> bool:
    """Convoy 12 thru Rosh Bridge, 14 vehs: a convoy counts itself."""
    return unit is not None and sheet.means(sheet.token_range(unit.start, unit.end)[0], "unit_form", "convoy")


def _strange(value: dict[str, object]) -> bool:
    """Is somebody counted who is none of the unit's own: a civilian, a goat, an armed man?"""
    return value["what"] not in ("people", "vehicle") or value["sort"] not in (None, "military") or "detail" in value


def _asks(sheet: Sheet) -> bool:
    """A question: its word opens the line, or a question mark ends it and the word stands where it may."""
    norms = [token.norm for token in sheet.tokens]
    if (
        len(norms) > 1
        and norms[-1] == "?"
        and sheet.tokens[-2].sort == "word"
        and sheet.free(len(norms) - 2, len(norms))
    ):
        # Behind a value a question mark only doubts that.
        return True
    if not sheet.line.rstrip().endswith("?"):
        return bool(norms) and norms[0] in ASKING_ALONE
    opens = [0, *(at + 1 for at, token in enumerate(sheet.tokens) if token.text in ",;:.-")]
    return any(norm in ASKING_ALONE for norm in norms) or any(
        at < len(norms) and norms[at] in QUESTIONS for at in opens
    )
