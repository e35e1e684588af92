"""What sort of line it is, how urgent, what happens, and to which earlier entry it belongs."""
# ruff: noqa: RUF001, RUF002  # Cyrillic letters and dashes are what people type

from typing import Any

import msgspec

from aquila.features.log.line.draft import LineChoice
from aquila.features.log.line.evidence import CLEAR, NEAR, weigh
from aquila.features.log.line.numbers import NOUNS
from aquila.features.log.line.own_moves import nameless_move, own_move
from aquila.features.log.line.sheet import Found, Sheet

ACTIVITY_WORDS_MAX = 8
STOPS = ",;.:()[]!?|"
REFERENCE_MAX = 10_000_000
COUNTABLE = (*NOUNS, "distance", "month")


def read_references(sheet: Sheet) -> None:
    """Claim #123, ref 123, rif. n. 123, № 123."""
    for index in range(len(sheet.tokens)):
        if not sheet.free(index, index + 1):
            continue
        word = sheet.word(index, "reference")
        at = index if word is None or word.typo else word.stop
        alone = word is not None and word.stop == index + 1
        marked = word is not None and not word.typo and not (alone and sheet.tokens[index].norm in ("к", "по", "на"))
        while sheet.is_mark(at, ".:"):
            at += 1
        sharp = sheet.is_mark(at, "#№") and not sheet.tagged(at - 1, "unit_form")
        number = sheet.word(at, "number_mark")
        if sharp:
            at += 1
        elif number is not None and marked:
            at = number.stop
            while sheet.is_mark(at, ".°"):
                at += 1
        if not (sharp or marked) or not sheet.free(at, at + 1) or sheet.tokens[at].sort != "digits":
            continue
        digits = sheet.tokens[at].text
        after = sheet.tokens[at + 1] if at + 1 < len(sheet.tokens) else None
        if not sharp and (len(digits) > 5 or (after is not None and not after.gap and after.text not in ",;:)")):
            continue
        if int(digits[:12]) > REFERENCE_MAX:
            continue
        if not sharp and sheet.means(at - 1, "other_number", "other"):
            if len(digits) > 4 or (index == at - 1 and index > 0 and not sheet.is_mark(index - 1, "-:,")):
                continue
            note = "a serial number is read as that of an entry"
            sheet.claim(index, at + 1, "reference", {"number": int(digits)}, confidence="unsure", note=note)
            continue
        sheet.claim(index, at + 1, "reference", {"number": int(digits)})


SIGNAL_JOINTS = frozenset({"/", "x", "х", "by", "su", "sur", "на", "из", "na", "and"})
SPOKEN_JOINTS = frozenset({"by", "su", "sur", "на"})
"""You are 5 by 5: nobody says a date or a size like that; 5/5 may be one."""
READABILITY = frozenset("12345")


def read_signal(sheet: Sheet) -> None:
    """Claim a signal report, 5/5, 4 by 4, 3 на 3: strength and readability of a link, and neither date nor count."""
    checks = [at for at in range(len(sheet.tokens)) if sheet.means(at, "kind", "comms_check")]
    spoken = bool(checks) or sheet.anywhere("comms")
    for index in range(len(sheet.tokens) - 2):
        first, joint, last = sheet.tokens[index : index + 3]
        if not sheet.free(index, index + 3) or joint.norm not in SIGNAL_JOINTS:
            continue
        if not spoken and (joint.norm not in SPOKEN_JOINTS or sheet.anywhere("distance")):
            continue
        if first.text not in READABILITY or last.text not in READABILITY or sheet.tagged(index + 3, *COUNTABLE):
            continue
        if any(not index <= at < index + 3 for at in checks):
            sheet.set_aside(index, index + 3)
        else:
            sheet.claim(index, index + 3, "kind", {"kind": "comms_check"})
        return


def read_kinds(sheet: Sheet) -> None:
    """Claim the words that name the kind of line; the first one counts."""
    for index in range(len(sheet.tokens)):
        found = sheet.word(index, "kind")
        if found is None:
            continue
        if sheet.has("kind"):
            return
        if _weak_word(sheet, found) or (found.value == "weather" and _is_reason(sheet, index)):
            continue
        _claim_kind(sheet, found)


def _is_reason(sheet: Sheet, index: int) -> bool:
    """Paused due to wx: the weather is why, and not what is told."""
    before = [token.norm for token in sheet.tokens[max(0, index - 2) : index]]
    return before in (["due", "to"], ["because", "of"]) or before[-1:] in (
        ["per"],
        ["causa"],
        ["cause"],
        ["de"],
        ["за"],
    )


GIVES_WAY = frozenset({"request", "note", "spot"})
"""Kinds that give way to another one in the same line: `request medevac` is a medevac."""


def _weak_word(sheet: Sheet, found: Found) -> bool:
    tokens = range(len(sheet.tokens))
    if found.value == "request" and any(sheet.tagged(at, "medic") for at in tokens):
        if any(sheet.tagged(at, "casualty", "stretcher") for at in tokens):
            return True
    if found.value not in GIVES_WAY:
        return False
    others = (sheet.word(index, "kind") for index in range(len(sheet.tokens)) if index != found.start)
    strong = [other for other in others if other is not None and not other.typo]
    return any(other.value not in GIVES_WAY and other.value != "checkpoint" for other in strong)


def _claim_kind(sheet: Sheet, found: Found) -> None:
    stop = found.stop
    if stop - found.start > 1 and sheet.tagged(stop - 1, "post") and sheet.free(stop, stop + 1):
        # "passed CP 4": the post keeps its name.
        if sheet.tokens[stop].sort == "digits" or sheet.tokens[stop].text == "-":
            stop -= 1
    kinds = list(dict.fromkeys(tag.value for tag in found.tags if tag.category == "kind"))
    choices = [LineChoice(label=kind, value={"kind": kind}) for kind in kinds[1:]]
    confidence: Any = "unsure" if found.typo and (choices or found.ambiguous) else "sure"
    note = f"read as {kinds[0]}" if confidence == "unsure" else None
    sheet.claim(found.start, stop, "kind", {"kind": kinds[0]}, confidence=confidence, alternatives=choices, note=note)


def read_precedence(sheet: Sheet) -> None:
    """Claim FLASH, IMMEDIATE ...: at an end of the line, in capitals, or behind PREC."""
    for index in range(len(sheet.tokens)):
        found = sheet.word(index, "precedence")
        if found is None or (found.typo and found.ambiguous) or sheet.has("precedence"):
            continue
        before, after = index - 1, found.stop
        if after < len(sheet.tokens) and sheet.tokens[after].norm in PLAIN_AFTER:
            continue
        loud = sheet.tokens[index].text.isupper() and sheet.line.upper() != sheet.line
        edge = _only_fields(sheet, 0, index) or _only_fields(sheet, found.stop, len(sheet.tokens))
        if not (loud or edge or found.stop - index > 1):
            continue
        if sheet.free(before, index) and sheet.tokens[before].sort == "digits":
            continue
        if sheet.is_mark(after, ":"):
            after += 1
        if found.value == "urgent":
            # No precedence has this name; staff use it for either of two.
            other = LineChoice(label="priority", value={"precedence": "priority"})
            value, note = {"precedence": "immediate"}, "urgent is read as immediate"
            sheet.claim(index, found.stop, "precedence", value, confidence="unsure", alternatives=[other], note=note)
            continue
        sheet.claim(index, found.stop, "precedence", {"precedence": found.value})


PLAIN_AFTER = frozenset(
    "flood floods flooding light lights night patrol patrols check checks maintenance visit".split()
)
"""Behind them flash and routine are plain words: flash flood, routine patrol."""


def _only_fields(sheet: Sheet, start: int, stop: int) -> bool:
    return not any(sheet.free(index, index + 1) and sheet.tokens[index].sort != "mark" for index in range(start, stop))


def read_activity(sheet: Sheet) -> None:
    """Claim what happens: a word of the vocabulary with the plain words behind it."""
    index = 0
    while index < len(sheet.tokens):
        found = sheet.word(index, "activity")
        if found is None or (found.typo and found.ambiguous) or sheet.tagged(index - 1, "zero"):
            index += 1
            continue
        stop = _phrase_end(sheet, found.stop)
        text = sheet.line[sheet.tokens[index].start : sheet.tokens[stop - 1].end]
        sheet.claim(index, stop, "activity", {"activity": found.value, "text": " ".join(text.split())})
        index = stop


def _phrase_end(sheet: Sheet, at: int) -> int:
    end, words = at, 0
    while sheet.free(at, at + 1) and words < ACTIVITY_WORDS_MAX:
        token = sheet.tokens[at]
        other = sheet.word(at, "activity")
        if other is not None and not other.typo:
            break
        if token.text in STOPS or (sheet.word(at, "precedence", "to") is not None and token.text.isupper()):
            break
        at += 1
        if token.sort != "mark":
            end, words = at, words + 1
    # A last word that only joins (and, near, with) belongs to what follows.
    while end > 0 and sheet.free(end - 1, end) and end - 1 >= 0 and _joins(sheet, end - 1):
        end -= 1
    return end


def _joins(sheet: Sheet, index: int) -> bool:
    return sheet.tokens[index].norm in JOINING and not sheet.tagged(index, "activity")


JOINING = frozenset(
    "and e et и with con avec at a in on to from of di de da the il la le y с в на у за for by per".split()
)


def infer_activity(sheet: Sheet) -> None:
    """What the words of another field say of what happens: drone over OP 5, northbound, passed CP 4, ETA."""
    acts = {part.value["activity"] for part in sheet.parts if part.field == "activity" and part.value}
    for part in [each for each in sheet.parts if each.field in ("kind", "time", "place") and each.end > each.start]:
        start, stop = sheet.token_range(part.start, part.end)
        for act in ("passing", "arriving"):
            if not acts and any(sheet.means(index, "activity", act) for index in range(start, stop)):
                sheet.infer("activity", {"activity": act, "text": part.text}, "from the words of another field")
                acts.add(act)
    aircraft = any(part.field == "size" and part.value and part.value["what"] == "aircraft" for part in sheet.parts)
    above = any(sheet.tagged(index, "above") for index in range(len(sheet.tokens))) or sheet.has("altitude")
    if aircraft and "flying" not in acts and (above or acts <= {"moving"}):
        sheet.infer("activity", {"activity": "flying", "text": ""}, "from the aircraft")
    elif not acts and any(part.field == "direction" for part in sheet.parts):
        sheet.infer("activity", {"activity": "moving", "text": ""}, "from the direction")


def infer_kind(sheet: Sheet) -> None:
    """When no word named it: by a rule, else by the weight of all that is told; kinds that are near are offered."""
    named = [part for part in sheet.parts if part.field == "kind"]
    if any(part.end > part.start or part.confidence == "sure" for part in named):
        return
    ranked = weigh(sheet)
    kind, note = ("request", "") if named else _by_rule(sheet)
    best, weight = next((each for each in ranked if each[0] not in NAMED_ONLY), ranked[0])
    if kind is None or (note == COUNTED and best in OVER_COUNT):
        kind, note = (best, WEIGHED) if weight >= CLEAR else (kind or "note", note)
    others = [other for other, much in ranked if other != kind and (much >= NEAR or kind != "note")][:OTHERS_MAX]
    choices = tuple(LineChoice(label=other, value={"kind": other}) for other in others)
    if named:
        sheet.parts[sheet.parts.index(named[0])] = msgspec.structs.replace(named[0], alternatives=choices)
    elif kind == "note" and not choices and not note:
        sheet.infer("kind", {"kind": "note"}, "no word names a kind", "sure")
    else:
        sheet.infer("kind", {"kind": kind}, note or "no word names a kind", alternatives=choices)


OTHERS_MAX = 2
"""Other kinds that are offered: what does not fit is a note."""
COUNTED = "from what was counted"
WEIGHED = "from all that the line tells"
NAMED_ONLY = frozenset({"logsitrep", "medevac"})
"""Forms that are long and go far: only a word or a rule begins one, weight alone offers it."""
OVER_COUNT = frozenset({"patrol", "checkpoint", "request", "incident", "intrep"})
"""Kinds that a count alone does not outweigh: what was counted may be the unit's own."""


def _by_rule(sheet: Sheet) -> tuple[str | None, str]:
    """The kind by the first rule that applies, and why; None = none does."""
    weak = _from_words(sheet)
    if weak is not None:
        return weak, "from the words of the line"
    if any(part.field == "casualty" and part.value and part.value["count"] > 0 for part in sheet.parts):
        return "incident", "from the casualties"
    if _passes_post(sheet):
        return "checkpoint", "from the checkpoint"
    if sheet.has("size") and not _own_convoy(sheet):
        return "spot", COUNTED
    if _sights(sheet):
        return "spot", "from what was seen, though nothing was counted"
    return None, ""


def _from_words(sheet: Sheet) -> str | None:
    weak = _weak_kind(sheet)
    acts = {part.value["activity"] for part in sheet.parts if part.field == "activity" and part.value}
    if _calls_medic(sheet):
        weak = "medevac"
    elif _link_down(sheet) and weak in (None, "sitrep", "spot"):
        weak = "contact_lost"
    elif weak in (None, "sitrep") and _at_post(sheet, told_well=weak == "sitrep"):
        weak = "checkpoint"
    if weak == "sitrep" and sheet.has("size"):
        weak = "spot"
    # Who is hurt is told for itself: pls advise medcell, 1 sick.
    plain = weak in (None, "spot") and not sheet.has("casualty")
    if plain and not acts & (HARMFUL | {"blocking"}) and sheet.anywhere("polite"):
        weak = "request"
    if "blocking" in acts and weak in (None, "spot") and not _is_post(sheet):
        weak = "incident"
    if acts & HARMFUL and weak not in ("request", "medevac") and not _only_flares(sheet, acts):
        weak = "weather" if weak == "weather" and _only_floods(sheet, acts) else "incident"
    if weak in (None, "spot") and sheet.has("reference") and _says_again(sheet):
        weak = "note"
    if weak in (None, "spot", "sitrep", "checkpoint") and not acts & NOT_OWN:
        weak = own_move(sheet) or nameless_move(sheet) or weak
    return "note" if _complains(sheet, acts) else weak


NOT_OWN = frozenset({"observing", "blocking", "crossing", "searching", "gathering", "firing", "throwing"})
"""Activities that a unit reports of others, though it says as well that it halted."""


def _complains(sheet: Sheet, acts: set[str]) -> bool:
    """Complaints of locals, and visits, are notes, unless somebody is hurt or there is violence."""
    told = sheet.anywhere("complaint") or (sheet.anywhere("visit") and not acts & HARMFUL)
    return told and not sheet.has("casualty") and not acts & {"firing", "throwing", "explosion"}


def _says_again(sheet: Sheet) -> bool:
    """Ref log 118, truck was a water tanker: what an entry told before, and nothing is counted anew."""
    sizes = [part for part in sheet.parts if part.field == "size"]
    alone = all(part.note is not None and "no number is said" in part.note for part in sizes)
    return bool(sizes) and alone and not sheet.has("casualty")


def _sights(sheet: Sheet) -> bool:
    """Jets from south to north, flares west of CP 4: nobody reports on himself."""
    if sheet.has("unit") or _is_planned(sheet) or not (sheet.has("place") or sheet.has("direction")):
        return False
    fired = any(part.field == "activity" and part.value and part.value["activity"] == "firing" for part in sheet.parts)
    return fired or any(
        sheet.tagged(at, "aircraft", "vessel", "boat") and sheet.free(at, at + 1) for at in range(len(sheet.tokens))
    )


def _calls_medic(sheet: Sheet) -> bool:
    """Somebody is hurt, and a medic, an ambulance or a helicopter is asked for."""
    tokens = range(len(sheet.tokens))
    hurt = any(part.field == "casualty" and part.value and part.value["count"] > 0 for part in sheet.parts) or any(
        sheet.means(at, "casualty", state) and sheet.tokens[at].sort == "word" and at not in sheet.aside
        for at in tokens
        for state in ("injured", "killed")
    )
    hurt = hurt or sheet.anywhere("stretcher")
    if not hurt or not any(sheet.tagged(at, "medic") for at in tokens):
        return False
    asked = any(
        sheet.means(at, category, "request") and not any(sheet.tagged(at - back, "zero", "negated") for back in (1, 2))
        for at in tokens
        for category in ("kind_weak", "kind")
    )
    return asked or sheet.anywhere("no_duff") or any(_carries(sheet, at) for at in tokens)


def _carries(sheet: Sheet, index: int) -> bool:
    """Evacuation, to hospital; but pas besoin d'évacuation denies it."""
    before = range(index - DENIED_WITHIN, index)
    return sheet.tagged(index, "carried") and not any(sheet.tagged(at, "zero", "negated") for at in before)


DENIED_WITHIN = 4


def _only_flares(sheet: Sheet, acts: set[str]) -> bool:
    """Flares and fireworks are seen; nobody is fired at."""
    fired = [part for part in sheet.parts if part.field == "activity" and part.value
             and part.value["activity"] == "firing"]  # fmt: skip
    return acts & HARMFUL == {"firing"} and all(
        any(sheet.tagged(at, "flare") for at in range(*sheet.token_range(part.start, part.end))) for part in fired
    )


def _only_floods(sheet: Sheet, acts: set[str]) -> bool:
    """Hail, road flooded: what the weather did to a road, and nobody is hurt."""
    told = [part for part in sheet.parts if part.field == "activity" and part.value
            and part.value["activity"] == "accident"]  # fmt: skip
    return (
        acts & HARMFUL == {"accident"}
        and not sheet.has("casualty")
        and all(
            any(sheet.tagged(at, "weather_harm") for at in range(*sheet.token_range(part.start, part.end)))
            for part in told
        )
    )


def _link_down(sheet: Sheet) -> bool:
    """Link to UNP 1-31 down; связь с PTL3 пропала: the word for the link, and behind it that it is gone.

    Lost VHF with PTL3: or before it, when a word for `with` follows.
    """
    tokens = range(len(sheet.tokens))
    links = [at for at in tokens if sheet.tagged(at, "comms")]
    if any(sheet.tagged(link - 1, "link_lost") and sheet.tagged(link + 1, "with") for link in links):
        return True
    return any(
        sheet.tagged(gone, "comms_down") and any(0 < gone - link <= LINK_WORDS_MAX for link in links)
        for gone in tokens
    )  # fmt: skip


LINK_WORDS_MAX = 9


def _at_post(sheet: Sheet, *, told_well: bool) -> bool:
    """A unit at or past one place, and nothing else happens: PTL4 at CP 4, all ok; патруль 3 КПП 4 өтті."""
    units = [part for part in sheet.parts if part.field == "unit"]
    places = [part for part in sheet.parts if part.field == "place" and part.value and part.value["sort"] == "name"]
    if not units or len(places) != 1 or any(part.field in ("size", "casualty") for part in sheet.parts):
        return False
    value = places[0].value
    acts = {part.value["activity"] for part in sheet.parts if part.field == "activity" and part.value}
    planned = _is_planned(sheet)
    start, _ = sheet.token_range(places[0].start, places[0].end)
    # U KPP 4 is at the post.
    at_it = value is not None and (value.get("relation") == "at" or sheet.tokens[start].norm == "у")
    if value is None or not at_it or acts - {"passing", "arriving"} or planned:
        return False
    if any(sheet.tagged(index, "ahead", "precedence", "towards") and sheet.free(index, index + 1)
           for index in range(len(sheet.tokens))) and not (acts or told_well):  # fmt: skip
        return False
    loose = any(token.sort == "digits" and sheet.free(at, at + 1) for at, token in enumerate(sheet.tokens))
    if loose and not told_well:
        return False
    post = any(char.isdigit() for char in str(value["name"]))
    said_at = (sheet.means(start, "near", "at") or sheet.tokens[start].norm == "у") and sheet.tokens[
        start
    ].norm not in FROM
    return (
        "passing" in acts
        or (told_well and said_at)
        or (post and (said_at or "arriving" in acts) and sheet.tokens[start].norm not in FROM)
    )


def _is_planned(sheet: Sheet) -> bool:
    """Medic 1 eta CP 4 1225: the line tells what is still to come."""
    return any(part.field == "time" and part.value and part.value.get("planned") for part in sheet.parts) or any(
        sheet.means(at, "at_time", "future") and token.norm not in NOT_PLANNED and len(token.norm) > 1
        for at, token in enumerate(sheet.tokens)
    )


NOT_PLANNED = frozenset({"est", "by", "before", "до", "avant", "план"})
FROM = frozenset({"from", "da", "dal", "dalla", "de", "du", "depuis", "из", "от", "to", "for", "к", "до"})


def _is_post(sheet: Sheet) -> bool:
    """Блокпост, posto di blocco: a post may stand there for good."""
    blocks = [part for part in sheet.parts if part.field == "activity" and part.value
              and part.value["activity"] == "blocking" and part.end > part.start]  # fmt: skip
    return any(
        {"post", "activity"} <= {tag.category for tag in match.tags}
        for part in blocks
        for match in sheet.matches(sheet.token_range(part.start, part.end)[0])
    )


def _own_convoy(sheet: Sheet) -> bool:
    """CONVOY 12 departed, 6 veh 14 pax: it counts itself."""
    units = [part for part in sheet.parts if part.field == "unit" and part.end > part.start]
    acts = {part.value["activity"] for part in sheet.parts if part.field == "activity" and part.value}
    starts = [sheet.token_range(part.start, part.end)[0] for part in units]
    return bool(acts & {"withdrawing", "arriving"}) and any(sheet.means(at, "unit_form", "convoy") for at in starts)


HARMFUL = frozenset({"firing", "explosion", "accident", "fire", "throwing"})
"""Activities that make an incident of a line."""


def _weak_kind(sheet: Sheet) -> str | None:
    found: list[str] = []
    for index in range(len(sheet.tokens)):
        denied = sheet.tagged(index - 1, "zero", "negated")
        # No evac needed, no help required: what is not asked for.
        denied = denied or (sheet.tokens[index].norm in PASSIVE and sheet.tagged(index - 2, "zero", "negated"))
        for match in () if denied else sheet.matches(index):
            found += [tag.value for tag in match.tags if tag.category == "kind_weak"]
    order = ("incident", "request", "patrol", "weather", "sitrep", "spot")
    return next((kind for kind in order if kind in found), None)


PASSIVE = frozenset({"needed", "required", "reqd", "requested", "necessary", "richiesto", "richiesta", "demande"})


def _passes_post(sheet: Sheet) -> bool:
    acts = {part.value["activity"] for part in sheet.parts if part.field == "activity" and part.value}
    posts = [part for part in sheet.parts if part.field == "place" and part.value and part.value.get("name")]
    planned = _is_planned(sheet)
    starts = [sheet.token_range(part.start, part.end)[0] for part in posts]
    if planned or any(sheet.tokens[start].norm in FROM for start in starts):
        return False
    return bool(acts & {"passing", "arriving"}) and any(
        str(part.value["name"]).casefold().startswith(("cp", "checkpoint", "кт", "кпп", "wp", "rp", "kt"))
        for part in posts
        if part.value is not None
    )
