"""Which kind a line is that no word names: by rules that look at one thing each, else by the weight of all it tells."""
# ruff: noqa: RUF001, RUF002  # Cyrillic letters are what people type

import msgspec

from aquila.features.log.line.draft import LineChoice, LinePart
from aquila.features.log.line.evidence import CLEAR, NEAR, is_denied, names_somebody, weigh
from aquila.features.log.line.names import GRADED
from aquila.features.log.line.own_moves import OWN, nameless_move, own_move
from aquila.features.log.line.sheet import Sheet


def infer_kind(sheet: Sheet) -> None:
    """When no word named it: by a rule, else by the weight of all that is told; kinds that are near are offered."""
    named = [part for part in sheet.parts if part.field == "kind"]
    if any(part.end > part.start or part.confidence == "sure" for part in named):
        _doubt_silence(sheet, named)
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


def _is_people_missing(sheet: Sheet) -> bool:
    """Two climbers missing, last contact 1840: nobody of ours is silent."""
    missing = any(part.field == "casualty" and part.value and part.value["state"] == "missing" for part in sheet.parts)
    return missing and not any(sheet.has(field) for field in ("unit", "to"))


def _doubt_silence(sheet: Sheet, named: list[LinePart]) -> None:
    """Party of 4 overdue, last seen 1730: where no unit of ours is silent, people are missing: an incident."""
    ours = any(sheet.has(field) for field in ("unit", "to")) or sheet.anywhere("comms")
    people = any(
        part.value and (part.field == "casualty" or (part.field == "size" and part.value["what"] == "people"))
        for part in sheet.parts
    )
    for part in named if people and not ours else ():
        if part.value == {"kind": "contact_lost"}:
            other = LineChoice(label="contact_lost", value={"kind": "contact_lost"})
            sheet.replace(part, {"kind": "incident"}, (other,), "people are missing, and no unit of ours")


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
    if _counts_stocks(sheet):
        return "logsitrep", "from the stocks"
    if sheet.has("size") and not _own_convoy(sheet):
        return "spot", COUNTED
    if _sights(sheet):
        return "spot", "from what was seen, though nothing was counted"
    return None, ""


STOCKS_MIN, STOCK_WITHIN = 2, 2


def _counts_stocks(sheet: Sheet) -> bool:
    """Fuel 60% water 2 days rations 3 days: two stocks or more, each with a number right beside it."""
    numbered = [
        at
        for at in range(len(sheet.tokens))
        if sheet.tagged(at, "stock")
        and any(
            sheet.tokens[each].sort == "digits" and sheet.free(each, each + 1)
            for each in range(max(0, at - STOCK_WITHIN), min(at + 1 + STOCK_WITHIN, len(sheet.tokens)))
        )
    ]
    counted = {part.value["what"] for part in sheet.parts if part.field == "size" and part.value}
    own = sheet.has("unit") and counted >= OWN
    return len(numbered) + own >= STOCKS_MIN and not sheet.has("to")


def _from_words(sheet: Sheet) -> str | None:
    weak = _weak_kind(sheet)
    acts = {part.value["activity"] for part in sheet.parts if part.field == "activity" and part.value}
    if _calls_medic(sheet):
        weak = "medevac"
    elif (_link_down(sheet) or _nothing_from(sheet)) and weak in (None, "sitrep", "spot"):
        weak = "contact_lost"
    elif weak in (None, "sitrep") and _at_post(sheet, told_well=weak == "sitrep"):
        weak = "checkpoint"
    if weak in (None, "spot", "patrol") and _tells_wind(sheet):
        weak = "weather"
    if weak is None and _only_fine(sheet):
        weak = "sitrep"
    if weak == "sitrep" and sheet.has("size") and not _counts_itself(sheet):
        weak = "spot"
    if weak in ("weather", "spot") and any(part.field == "casualty" and part.value for part in sheet.parts):
        # Missing in fog, last sighting at 3100 m: who is missing or hurt is told for himself.
        weak = None
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
    if weak == "weather" and not acts & NOT_OWN and own_move(sheet) == "patrol":
        # Convoy 12 late, snow: the weather is why.
        weak = "patrol"
    if _told_by_source(sheet, weak, acts):
        weak = "intrep"
    return "note" if _complains(sheet, acts) else weak


def _only_fine(sheet: Sheet) -> bool:
    """OP 4 ok 0300: somebody or a post, that all is well, and nothing else."""
    words = [token.norm for at, token in enumerate(sheet.tokens) if sheet.free(at, at + 1) and token.sort != "mark"]
    fields = {part.field for part in sheet.parts}
    return (
        bool(words) and set(words) <= FINE and bool(fields & {"unit", "place"}) and fields <= {"unit", "place", "time"}
    )


WIND_WITHIN = 4


def _tells_wind(sheet: Sheet) -> bool:
    """Vento 70 km/h in cresta, elicottero fermo: a wind with a number, and no unit that tells of itself."""
    return not sheet.has("unit") and any(
        sheet.tagged(at, "wind")
        and any(token.sort == "digits" for token in sheet.tokens[at + 1 : at + 1 + WIND_WITHIN])
        for at in range(len(sheet.tokens))
    )


def _counts_itself(sheet: Sheet) -> bool:
    """All quiet, on post we are 14 pax: a unit or a post that counts nothing but plain people tells of its own."""
    sizes = [part.value for part in sheet.parts if part.field == "size" and part.value]
    return all(value["what"] in OWN and value["sort"] in (None, "military") for value in sizes) and any(
        sheet.tagged(at, "ourselves") for at in range(len(sheet.tokens))
    )


def _told_by_source(sheet: Sheet, weak: str | None, acts: set[str]) -> bool:
    """Secondo la fonte domani manifestazione: what is told is not seen; but who tells of harm tells an incident."""
    if weak in ("medevac", "request", "intrep") or sheet.has("casualty") or acts & (HARMFUL - {"accident"}):
        return False
    return _says_kind(sheet, "intrep") or _grades_source(sheet)


def _grades_source(sheet: Sheet) -> bool:
    """Source F6: ...: a word for a source, and its grade of reliability and credibility."""
    return any(
        sheet.tokens[at].norm in GRADED
        and "".join(token.norm for token in sheet.tokens[at + 1 : at + 4]).strip("(:")[:2] in GRADES
        for at in range(len(sheet.tokens))
    )


GRADES = frozenset(letter + digit for letter in "abcdef" for digit in "123456")


def _says_kind(sheet: Sheet, kind: str) -> bool:
    return any(
        sheet.means(at, "kind_weak", kind) and not sheet.tagged(at - 1, "zero", "negated")
        for at in range(len(sheet.tokens))
    )


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
    hurt = hurt or sheet.anywhere("stretcher") or (sheet.anywhere("fall") and sheet.anywhere("people"))
    if not hurt:
        return _fetches(sheet, hurt=False)
    if not any(sheet.tagged(at, "medic", "ambulance") for at in tokens):
        return False
    asked = _fetches(sheet, hurt=True) or any(
        sheet.means(at, category, "request") and not any(sheet.tagged(at - back, "zero", "negated") for back in (1, 2))
        for at in tokens
        for category in ("kind_weak", "kind")
    )
    return asked or _takes_away(sheet) or sheet.anywhere("no_duff") or any(_carries(sheet, at) for at in tokens)


def _takes_away(sheet: Sheet) -> bool:
    """HELO 31 dep OP 3 with 2 patients to Naqoura: a helicopter or a medic that goes, and somebody hurt in the line."""
    carriers = [
        part
        for part in sheet.parts
        if part.field == "unit"
        and any(
            sheet.means(at, "unit_form", form)
            for at in range(*sheet.token_range(part.start, part.end))
            for form in ("helicopter", "medic")
        )
    ]
    return bool(carriers) and any(sheet.tagged(at, "own_move") for at in range(len(sheet.tokens)))


FETCHED_WITHIN = 4


def _fetches(sheet: Sheet, *, hurt: bool) -> bool:
    """Need ambo at CP 4; тікұшақ керек; med team rolling: a word for asking before it or behind, or that it comes.

    Who is not told to be hurt is fetched by an ambulance or a doctor only, and by no helicopter.
    """
    for at in range(len(sheet.tokens)):
        if not sheet.tagged(at, *(("ambulance", "medic") if hurt else ("ambulance",))):
            continue
        if _is_unit(sheet, at):
            if hurt and any(
                sheet.tagged(each, "going", "ask_after") for each in range(at + 1, at + 1 + FETCHED_WITHIN)
            ):
                # Medic 1 rolling to CP 7, 1 x broken leg; medic 1 to Alma pls, child hurt.
                return True
            continue
        before = [each for each in range(at - FETCHED_WITHIN + 1, at) if not sheet.is_mark(each, ",;.")]
        behind = range(at + 1, at + FETCHED_WITHIN)
        if any(sheet.tagged(each, "zero", "negated") for each in (*range(at - DENIED_WITHIN, at), *behind)):
            continue
        if any(sheet.tagged(each, "ask") and (hurt or len(sheet.tokens[each].norm) > 3) for each in before):
            return True
        if any(sheet.tagged(each, "ask_after") for each in behind):
            return True
        if hurt and any(sheet.tagged(each, "going") for each in (*before, *behind)):
            return True
    return False


def _is_unit(sheet: Sheet, index: int) -> bool:
    start = sheet.tokens[index].start
    return any(part.field in ("unit", "to", "info") and part.start <= start < part.end for part in sheet.parts)


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


def _nothing_from(sheet: Sheet) -> bool:
    """Nothing from PTL5, rien de PTL8, от PTL2 ничего: words for nothing, and a unit right beside them."""
    units = [sheet.token_range(part.start, part.end) for part in sheet.parts if part.field in ("unit", "to")]
    for start, stop in units:
        before = any(sheet.tagged(at, "nothing") for at in range(start - NOTHING_WITHIN, start + 1))
        parted = any(sheet.tokens[at].norm == "от" for at in (start - 1, start) if at >= 0)
        if before or (parted and sheet.tagged(stop, "nothing_behind")):
            return True
    return False


NOTHING_WITHIN = 2


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
    if "crossing" in acts and _is_checkpoint(str(value["name"]) if value else ""):
        # PTL3 has crossed CP 7
        acts = acts - {"crossing"} | {"passing"}
    if value is None or not at_it or acts - {"passing", "arriving"} or planned:
        return False
    if any(sheet.tagged(index, "ahead", "precedence", "towards") and sheet.free(index, index + 1)
           for index in range(len(sheet.tokens))) and not (acts or told_well):  # fmt: skip
        return False
    if sheet.has("altitude") and not told_well:
        return False
    loose = any(token.sort == "digits" and sheet.free(at, at + 1) for at, token in enumerate(sheet.tokens))
    if loose and not told_well:
        return False
    post = any(char.isdigit() for char in str(value["name"]))
    if _is_checkpoint(str(value["name"])) and _tells_nothing_else(sheet):
        return True
    said_at = (sheet.means(start, "near", "at") or sheet.tokens[start].norm == "у") and sheet.tokens[
        start
    ].norm not in FROM
    return (
        "passing" in acts
        or (told_well and said_at)
        or (post and (said_at or "arriving" in acts) and sheet.tokens[start].norm not in FROM)
    )


def _is_checkpoint(name: str) -> bool:
    return name.casefold().startswith(("cp", "checkpoint", "кт", "кпп", "wp", "rp", "kt"))


def _tells_nothing_else(sheet: Sheet) -> bool:
    """PTL2 CP 3 0741; ptl7 cp2 1015 ok: a unit, a checkpoint, a time, and perhaps that all is well."""
    fields = {part.field for part in sheet.parts}
    return fields <= {"unit", "place", "time"} and all(
        token.sort == "mark" or token.norm in FINE or sheet.means(at, "kind_weak", "sitrep")
        for at, token in enumerate(sheet.tokens)
        if sheet.free(at, at + 1)
    )


FINE = frozenset("ok okay all good fine ntr ras nsr bene tutto tout bien норм ок все жақсы n s".split())


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


def _is_harmless(sheet: Sheet, index: int) -> bool:
    """Burst tyre, fire extinguisher: words that were put aside because they alarm nobody."""
    return index in sheet.aside and any(
        sheet.tagged(at, "harmless") for at in range(index - HARMLESS_WITHIN, index + 1)
    )


HARMLESS_WITHIN = 2


def _weak_kind(sheet: Sheet) -> str | None:
    found: list[str] = []
    until = 0
    for index in range(len(sheet.tokens)):
        if index < until or is_denied(sheet, index) or _is_harmless(sheet, index):
            continue
        for match in sheet.matches(index):
            told = [tag.value for tag in match.tags if tag.category == "kind_weak"]
            found += told
            if told and not match.typo:
                # The longest phrase alone: оқиға жоқ tells of no incident, nothing seen nothing heard of no silence.
                until = index + match.length
                break
    if not names_somebody(sheet) or _is_people_missing(sheet):
        found = [kind for kind in found if kind != "contact_lost"]
    order = ("incident", "contact_lost", "comms_check", "request", "patrol", "weather", "sitrep", "spot")
    return next((kind for kind in order if kind in found), None)


def _passes_post(sheet: Sheet) -> bool:
    acts = {part.value["activity"] for part in sheet.parts if part.field == "activity" and part.value}
    posts = [part for part in sheet.parts if part.field == "place" and part.value and part.value.get("name")]
    planned = _is_planned(sheet)
    starts = [sheet.token_range(part.start, part.end)[0] for part in posts]
    if planned or any(sheet.tokens[start].norm in FROM for start in starts):
        return False
    return bool(acts & {"passing", "arriving"}) and any(
        _is_checkpoint(str(part.value["name"])) for part in posts if part.value is not None
    )
