"""What the typed line promises, whatever is typed."""
# ruff: noqa: RUF001  # Cyrillic letters are what people type

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import CONTEXT, NOW_MS, corpus, part, read

from aquila.features.log.line import LINE_MAX, KnownName, LineContext, LineDraft, parse_line

EMPTY = LineContext(now_ms=NOW_MS)
WORDS = [word for row in corpus() for word in row["line"].split()]
PIECES = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=8),
    st.integers(0, 10**11).map(str),
    st.sampled_from(
        [
            "36S",
            "YB",
            "#",
            "°",
            "'",
            '"',
            "N",
            "E",
            ":",
            ".",
            ",",
            "-",
            "/",
            "h",
            "ч",
            "Z",
            "grid",
            "of",
            "at",
            "\n",
            "\t",
        ]
    ),
)
LINES = st.one_of(
    st.text(max_size=200),
    st.lists(PIECES, max_size=20).map(" ".join),
    st.lists(PIECES, max_size=20).map("".join),
).map(lambda line: line[:LINE_MAX])


def check_whole(draft: LineDraft) -> None:
    """Each character stands in exactly one part; what is wrong says so, what is unsure says why or offers more."""
    at = 0
    for each in draft.parts:
        if each.end == each.start:
            continue
        assert each.start == at
        assert each.text == draft.line[each.start : each.end]
        at = each.end
        if each.field == "remainder":
            continue
        assert (each.value is None) == (each.problem is not None)
        assert each.confidence == "sure" or each.problem or each.note or each.alternatives
    assert at == len(draft.line)


def check_places(draft: LineDraft) -> None:
    for each in draft.all("place"):
        lat_deg = None if each.value is None else each.value["lat_deg"]
        if each.value and lat_deg is not None:
            assert -90 <= lat_deg <= 90
            assert -180 <= each.value["lon_deg"] <= 180
        elif each.value:
            assert each.confidence == "unsure"


@settings(max_examples=300)
@given(LINES)
def test_whatever_is_typed_is_read_and_nothing_is_dropped(line: str) -> None:
    for context in (CONTEXT, EMPTY):
        draft = parse_line(line, context)
        check_whole(draft)
        check_places(draft)
        assert draft == parse_line(line, context)


def test_the_corpus_is_read_whole() -> None:
    for at, row in enumerate(corpus()):
        line = row["line"]
        check_whole(parse_line(line, CONTEXT))
        # One half typed and one shouted, by turns: all of them would say the same at three times the cost.
        check_whole(parse_line(line.upper() if at % 2 else line[: len(line) * 2 // 3], CONTEXT))


def test_a_megabyte_is_refused_at_the_bound() -> None:
    with pytest.raises(ValueError, match="at most 2000"):
        parse_line("4 pax " * 170_000, CONTEXT)


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "N ", "a", "1.", "33.1 ", "33°", "#", "of ", "at ", "5 m N of ", "0915-", "36S ", "36SYB1 ", "patrol ",
     "x ", "(", "tell JOC, ", "4 white ", "от ", "12 34 ", "UNP 1-", "🙂", "\u0301", "\u200d", "qwertyuiop ",
     "rosh ", "crowd of ", "S: 5 A: d ", "09:00-ден ", "1-31 ", "patrol three ", "rif tor ",
     "lat 33 07.3 ", "33 07 N ", "lat      ", "task PTL3 ", "EOD informed ", "Алмадан 3 ", "truck vs ", "now "],
)  # fmt: skip
def test_no_line_takes_more_than_its_length_allows(piece: str) -> None:
    """Calls grow with the length: a line eight times as long takes some eight times as many, not sixty-four."""
    long = (piece * LINE_MAX)[: LINE_MAX // 2]
    assert calls_for(long) < 24 * (calls_for(long[: LINE_MAX // 16]) + 500)


def calls_for(line: str) -> int:
    """Function calls that reading this line takes; the words are loaded and corrected before."""
    parse_line(line, CONTEXT)
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        parse_line(line, CONTEXT)
    finally:
        sys.setprofile(None)
    return count


def test_the_line_of_the_issue_becomes_a_draft() -> None:
    draft = parse_line("PTL3 SALUTE 4 pax 2 veh NW of UNP 1-31 0915", CONTEXT)
    assert read(draft) == {
        "unit": ["PTL3"],
        "kind": ["salute"],
        "size": ["people:4", "vehicle:2"],
        "place": ["UNP 1-31:?@315"],
        "time": ["0915L"],
    }
    place = part(draft, "place")
    assert place.value is not None
    assert place.value["mgrs"].startswith("36SYB")
    assert place.confidence == "unsure"
    assert [choice.label for choice in place.alternatives] == ["500 m", "1000 m", "2000 m"]
    assert part(draft, "time").value == {"sort": "at", "at_ms": NOW_MS - 165 * 60_000, "clock": "0915L"}
    assert draft.remainder == ""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("PTL3 at 36SYB12345", "2, 4, 6, 8 or 10"),
        ("PTL3 at 36SAA1234", "no square AA"),
        ("PTL3 at 61SYB1234", "1 to 60"),
        ("grid 72345", "2, 4, 6, 8 or 10"),
        ("95.2000N 35.1000E", "-90 to 90"),
        ("33°72'N 35°20'E", "below 60"),
        ("lat 33 72.5 lon 35 20.5", "below 60"),
        ("36S 023456 3654321", "100000 to 999999"),
        ("600 km az 090 from UNP 1-31", "at most 500 km"),
        ("2 km az 400 from UNP 1-31", "000 to 360"),
    ],
)
def test_an_impossible_place_is_an_error_of_that_field_that_says_what_is_allowed(line: str, says: str) -> None:
    place = part(parse_line(line, CONTEXT), "place")
    assert place.value is None
    assert place.problem is not None
    assert says in place.problem


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("halted at 2575", "0000 to 2359"),
        ("fermo alle ore 25.10", "0000 to 2359"),
        ("321415ZNOV26 halted", "no such day"),
        ("300800ZFEB27 halted", "no such day"),
        ("231475ZNOV26 halted", "0000 to 2359"),
        ("from 0800 to 2560 roadblock", "0000 to 2359"),
    ],
)
def test_an_impossible_time_is_an_error_of_that_field_that_says_what_is_allowed(line: str, says: str) -> None:
    when = part(parse_line(line, CONTEXT), "time")
    assert when.value is None
    assert when.problem is not None
    assert says in when.problem


@pytest.mark.parametrize(
    "line",
    [
        "36SYB1234 0915",
        "2 veh 723456",
        "tel 0612345678 or 0612345679",
        "PTL4 231015",
        "at 2315 flares",
        "2 veh 33.1234N 7.4321O",
        "PTL3 7234 4567",
        "0915 25 Nov",
        "convoy of 1200 refugees",
        "plate AB 1234",
        "2 km past CP 4",
        "PTL 5 800 m W of Alma",
        "1/2 hour ago",
    ],
)
def test_what_can_be_read_in_two_ways_is_never_sure(line: str) -> None:
    draft = parse_line(line, CONTEXT)
    doubtful = [each for each in draft.parts if each.field in ("place", "time")]
    assert all(each.confidence == "unsure" for each in doubtful), doubtful


@pytest.mark.parametrize(
    "line", ["4 PAX 0915", "0915 PTL3", "10.15 PTL4", "2 VEH 1130", "3 MEN 1045", "call 0612345678"]
)
def test_words_and_numbers_that_look_like_a_grid_are_none(line: str) -> None:
    assert parse_line(line, CONTEXT).first("place") is None


def test_partial_grids_need_a_square_and_say_so() -> None:
    without = part(parse_line("grid 723456", LineContext(now_ms=NOW_MS)), "place")
    assert without.value is not None
    assert without.value["lat_deg"] is None
    assert without.note is not None
    assert "100 km square" in without.note
    guessed = LineContext(now_ms=NOW_MS, zone="36S", square="YB", square_is_guess=True)
    assert part(parse_line("grid 723456", guessed), "place").confidence == "unsure"
    assert part(parse_line("grid 723456", CONTEXT), "place").confidence == "sure"


@pytest.mark.parametrize(
    "line",
    [
        "2 goats lat 33 07.35 lon 035 17.90",
        "2 goats lon 035 17.90, lat 33 07.35",
        "2 goats lat 33.1225 long 35.29833",
        "2 goats 33-07.35N 035-17.90E",
        "2 goats 33 07 21 N 35 17 54 E",
        "2 goats 33 deg 07 min 21 sec N 35 deg 17 min 54 sec E",
        "2 козы ш 33 07.35 д 35 17.90",
        "2 ешкі ендік 33 07.35 бойлық 35 17.90",
        "33 07.35 035 17.90 2 goats",
    ],
)
def test_degrees_with_minutes_are_a_place_and_no_number_in_them_a_time(line: str) -> None:
    draft = parse_line(line, CONTEXT)
    assert read(draft)["place"] == ["33.1225,35.2983"]
    assert draft.first("time") is None


def test_a_count_behind_degrees_is_no_second_of_arc() -> None:
    draft = parse_line("lat 33 12 lon 35 21 3 goats", CONTEXT)
    assert read(draft) == {"kind": ["spot"], "place": ["33.2,35.35"], "size": ["animal/goat:3"]}
    draft = parse_line("lat 33 12.50 lon 35 21.50 3 goats", CONTEXT)
    assert read(draft)["size"] == ["animal/goat:3"]


@pytest.mark.parametrize(
    "line",
    ["keys now with the night shift", "chiavi adesso in cassaforte", "ключи сейчас в сейфе", "padlock at present off"],
)
def test_now_is_no_time_where_nothing_happens(line: str) -> None:
    assert parse_line(line, CONTEXT).first("time") is None


@pytest.mark.parametrize(
    "line",
    [
        "shots, direction Tibnin",
        "spari in direzione di Tibnin",
        "tirs en direction de Tibnin",
        "выстрелы со стороны Tibnin",
    ],
)
def test_a_direction_in_which_a_place_lies_is_never_surely_that_place(line: str) -> None:
    place = part(parse_line(line, CONTEXT), "place")
    assert place.value is not None
    assert (place.value["name"], place.confidence) == ("Tibnin", "unsure")


@pytest.mark.parametrize(
    "line",
    [
        "task PTL5: check CP 4",
        "PTL5 to check CP 4",
        "PTL5 deve controllare CP 4",
        "PTL5 doit vérifier CP 4",
        "задача PTL5: CP 4",
    ],
)
def test_a_task_is_a_request_to_whom_it_is_given(line: str) -> None:
    draft = parse_line(line, CONTEXT)
    assert (read(draft)["kind"], read(draft)["to"], draft.first("unit")) == (["request"], ["PTL5"], None)
    assert parse_line("mission PTL5 terminée", CONTEXT).first("to") is None


def test_a_body_outside_the_force_reports_only_where_it_leads_the_line() -> None:
    assert read(parse_line("LAF found 2 men at Tibnin", CONTEXT))["unit"] == ["LAF"]
    assert parse_line("2 men stopped by LAF at Tibnin", CONTEXT).first("unit") is None
    assert read(parse_line("fire at Tibnin, EOD informed", CONTEXT))["info"] == ["EOD"]


def test_digits_of_a_callsign_are_never_corrected() -> None:
    unit = part(parse_line("PTL9 halted", CONTEXT), "unit")
    assert unit.value == {"name": "PTL9", "id": None}
    assert unit.confidence == "unsure"
    typed = part(parse_line("PLT3 halted", CONTEXT), "unit")
    assert typed.value is not None
    assert typed.value["name"] == "PTL3"
    assert typed.confidence == "unsure"
    assert [choice.value["name"] for choice in typed.alternatives] == ["PLT3"]


def test_a_word_that_may_be_two_others_offers_both() -> None:
    names = tuple(KnownName(name=name, sort="place", lat_deg=33.1, lon_deg=35.2) for name in ("Alma", "Alta"))
    place = part(parse_line("2 veh near Alba", LineContext(now_ms=NOW_MS, names=names)), "place")
    assert place.confidence == "unsure"
    assert place.value is not None
    assert {place.value["name"], *(choice.value["name"] for choice in place.alternatives)} == {"Alma", "Alta", "Alba"}


def test_the_same_clock_time_means_the_nearest_day() -> None:
    midnight = LineContext(now_ms=NOW_MS - 9 * 3_600_000 - 40 * 60_000)
    when = part(parse_line("PTL3 2350 halted", midnight), "time")
    assert when.value is not None
    assert when.value["at_ms"] == midnight.now_ms - 30 * 60_000
    assert when.confidence == "sure"


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("time was 0745 not 0845", "0845"),
        ("6 pax, non 4, a Tibnin", "4"),
        ("PTL3 в 07:45 а не в 08:45", "08:45"),
        ("PTL3 at CP 4 (not CP 5) 0910", "CP 5"),
    ],
)
def test_what_is_denied_stays_in_the_remainder(line: str, rest: str) -> None:
    assert rest in parse_line(line, CONTEXT).remainder


def test_a_post_that_is_spoken_of_as_a_unit_may_be_a_place() -> None:
    unit = part(parse_line("link to UNP 1-31 down since 0310", CONTEXT), "unit")
    assert unit.confidence == "unsure"
    assert [(choice.field, choice.value["name"]) for choice in unit.alternatives] == [("place", "UNP 1-31")]


@pytest.mark.parametrize("line", ["half past nine 2 veh", "alle nove e mezza 2 veic", "полдесятого 2 машины"])
def test_a_spoken_time_offers_the_other_half_of_the_day(line: str) -> None:
    time = part(parse_line(line, CONTEXT), "time")
    assert time.value is not None
    assert (time.value["clock"], time.confidence) == ("0930L", "unsure")
    assert [choice.label for choice in time.alternatives] == ["2130L"]


@pytest.mark.parametrize("line", ["diesel 1400 L", "acqua 1200 litri", "1500 kg of rations", "солярка 1200 л"])
def test_a_quantity_is_no_time(line: str) -> None:
    assert parse_line(line, CONTEXT).first("time") is None


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("2 trucks at rosh brdg 0920", "Rosh Bridge"),
        ("3 hommes au pont de rosh 8h15", "Rosh Bridge"),
        ("2 машины у моста рош 08:20", "Rosh Bridge"),
        ("valanga al torino 0910", "Rifugio Torino"),
        ("4 pers au refuge torino 9h", "Rifugio Torino"),
        ("взрыв в тибнине 08:20", "Tibnin"),
        ("тибнинде 2 көлік 0910", "Tibnin"),
        ("2 helos over naqora 0830", "Naqoura"),
        ("smoke nr naq 0740", "Naqoura"),
        ("3 pax at 1-26 gate 0655", "UNP 1-26"),
        ("drone sur ligne bleue 7h50", "Blue Line"),
    ],
)
def test_a_place_by_another_word_is_found_and_never_sure(line: str, place: str) -> None:
    found = part(parse_line(line, CONTEXT), "place")
    assert found.value is not None
    assert (found.value["name"], found.confidence) == (place, "unsure")


@pytest.mark.parametrize(
    "line",
    ["strength by 1400", "NLT 1400", "acqua entro le 14", "effectifs avant 14h", "воду к 14.00", "14:00-ге дейін су"],
)
def test_what_is_due_is_until_then_and_not_at_that_time(line: str) -> None:
    when = part(parse_line(line, CONTEXT), "time")
    assert when.value is not None
    assert (when.value["sort"], when.value["clock"]) == ("until", "1400L")


@pytest.mark.parametrize("line", ["radio check PTL3 5/5", "prova radio PTL3 4/5 ore 1000", "связь с PTL3 3 на 3"])
def test_a_signal_report_is_neither_a_date_nor_a_count(line: str) -> None:
    draft = parse_line(line, CONTEXT)
    assert read(draft)["kind"] == ["comms_check"]
    assert read(draft).get("time", []) in ([], ["1000L"])
    assert draft.first("size") is None


@pytest.mark.parametrize(
    "line", ["shots, no injuries", "spari, nessun ferito", "tirs, aucun blessé", "стрельба, раненых нет"]
)
def test_casualties_that_are_denied_are_no_field(line: str) -> None:
    assert parse_line(line, CONTEXT).first("casualty") is None


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("alpha two one halted", "ALPHA 21"),
        ("pattuglia tre ferma", "PTL3"),
        ("третий патруль стоит", "PTL3"),
        ("альфа 21 стоит", "ALPHA 21"),
        ("2nd coy ready", "2 COY"),
        ("convoglio n. 12 fermo", "CONVOY 12"),
    ],
)
def test_a_callsign_is_the_same_in_words_and_in_another_alphabet(line: str, name: str) -> None:
    unit = part(parse_line(line, CONTEXT), "unit")
    assert unit.value is not None
    assert unit.value["name"] == name


def test_a_question_mark_behind_a_value_makes_it_unsure() -> None:
    assert part(parse_line("2 veh 36SYB7234? 0915", CONTEXT), "place").confidence == "unsure"
    assert part(parse_line("2 veh 36SYB723456 09:15?", CONTEXT), "time").confidence == "unsure"


def test_letters_of_a_salute_are_labels_and_no_words() -> None:
    draft = parse_line("S: 5 A: digging L: YB 1873 6621 U: unk T: 1110 E: shovels", CONTEXT)
    assert read(draft) == {
        "kind": ["salute"],
        "size": ["people:5"],
        "activity": ["digging"],
        "place": ["36SYB18736621"],
        "time": ["1110L"],
    }


def test_who_is_asked_is_told_and_no_place() -> None:
    draft = parse_line("joc chiede a ptl3 la posizione", CONTEXT)
    assert (read(draft)["unit"], read(draft)["to"], draft.first("place")) == (["JOC"], ["PTL3"], None)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("farmer taken at gunpoint nr Tibnin 0910", "incident"),
        ("pastore sequestrato a Tibnin", "incident"),
        ("chauffeur pris en otage à Tibnin", "incident"),
        ("водителя похитили у Тибнина", "incident"),
        ("2 litter at OP 5, by road to hosp 1010", "medevac"),
        ("2 barellati a OP 5, evacuazione", "medevac"),
        ("2 couchés à l'OP 5, évacuation", "medevac"),
        ("эвакуация 2 лежачих, OP 5", "medevac"),
        ("2 blessés légers au CP 4, pas besoin d'évacuation", "incident"),
        ("lost VHF with PTL5 1010", "contact_lost"),
        ("persa la radio con PTL5", "contact_lost"),
        ("plus de liaison avec PTL5", "contact_lost"),
        ("PTL5 overdue at CP 4", "contact_lost"),
        ("hail, road to Alma flooded 1010", "weather"),
        ("car swept off the road, Alma flooded, 2 hurt", "incident"),
        ("convoy 4 trucks left Naqoura 0800", "patrol"),
        ("convoglio 6 camion partito da Naqoura", "patrol"),
        ("our helo wheels up Naqoura 1010", "patrol"),
        ("convoy of 4 trucks seen near Naqoura", "spot"),
        ("Альфа 21 слышно плохо, проверка 0700Z", "comms_check"),
        ("ПТЛ5 радио тексеру 0600", "comms_check"),
        ("recovery pls at CP 4", "request"),
        ("mukhtar visited UNP 1-31, wants a meeting", "note"),
    ],
)  # fmt: skip
def test_the_kind_follows_from_how_people_tell_it(line: str, kind: str) -> None:
    assert read(parse_line(line, CONTEXT))["kind"] == [kind]


@pytest.mark.parametrize(
    ("line", "to"),
    [
        ("told Bravo 2 to divert via Alma", "BRAVO 2"),
        ("ordinato a Bravo 2 di rientrare", "BRAVO 2"),
        ("ordonné à Bravo 2 de rentrer", "BRAVO 2"),
        ("приказано Браво 2 вернуться", "BRAVO 2"),
        ("Браво 2-ге оралуға бұйрық берілді", "BRAVO 2"),
        ("all ptls hold until further notice", "all ptls"),
        ("tutte le pattuglie devono rientrare", "tutte le pattuglie"),
        ("ordre à toutes les patrouilles : rentrer", "toutes les patrouilles"),
        ("всем постам усилить наблюдение", "всем постам"),
    ],
)
def test_an_order_that_was_given_is_a_request_to_whom_it_is_given(line: str, to: str) -> None:
    draft = parse_line(line, CONTEXT)
    assert (read(draft)["kind"], read(draft)["to"]) == (["request"], [to])


@pytest.mark.parametrize("line", ["PTL3 told JOC that CP 4 is open", "told by LAF to wait", "all ptls back in camp"])
def test_what_was_only_said_is_no_order(line: str) -> None:
    assert read(parse_line(line, CONTEXT))["kind"] != ["request"]


@pytest.mark.parametrize("line", ["8 pax 36S YB 2204 657 0915", "car 36S YB 22 6571 3, 0910", "2 veh YB 2204 657"])
def test_a_grid_with_digits_left_over_is_unsure(line: str) -> None:
    assert part(parse_line(line, CONTEXT), "place").confidence == "unsure"


@pytest.mark.parametrize("line", ["8 pax 36S YB 2204 6571 0915", "36SYB723456 2 veh", "36SYB723456 1422"])
def test_a_whole_grid_stays_sure_before_a_count_or_a_time(line: str) -> None:
    assert part(parse_line(line, CONTEXT), "place").confidence == "sure"


@pytest.mark.parametrize(
    "line", ["shots 2 days ago", "spari 2 giorni fa", "tirs il y a 2 jours", "выстрелы 2 дня назад"]
)
def test_days_ago_say_no_time_of_day(line: str) -> None:
    assert part(parse_line(line, CONTEXT), "time").confidence == "unsure"


@pytest.mark.parametrize("line", ["180 L soit 20h de marche", "180 L, 20h d'autonomie"])
def test_how_long_it_lasts_is_no_time_of_day(line: str) -> None:
    assert parse_line(line, CONTEXT).first("time") is None


@pytest.mark.parametrize(
    "line", ["ptl at CP 4 or OP 5", "PTL3 a CP 4 o OP 5", "PTL3 au CP 4 ou OP 5", "PTL3 у CP 4 или OP 5"]
)
def test_of_two_places_with_or_neither_is_sure(line: str) -> None:
    places = [each for each in parse_line(line, CONTEXT).parts if each.field == "place"]
    assert len(places) == 2
    assert all(each.confidence == "unsure" for each in places)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("UNP 1-31-ден солтүстік-батысқа 500 м жерде 3 адам", "UNP 1-31:500@315"),
        ("БТР 3 км юж. Алмы", "Alma:3000@180"),
        ("БТР 3 км южнее Алмы", "Alma:3000@180"),
    ],
)
def test_a_case_says_from_where(line: str, place: str) -> None:
    assert read(parse_line(line, CONTEXT))["place"] == [place]


@pytest.mark.parametrize("line", ["ponte KM 12", "моста КМ 12", "pont km 12", "KM 12 bridge"])
def test_a_place_with_a_number_is_found_by_its_noun_in_any_language(line: str) -> None:
    bridge = KnownName(name="Bridge KM 12", sort="place", lat_deg=33.1, lon_deg=35.2)
    place = part(parse_line(f"2 veh, {line}, 0910", LineContext(now_ms=NOW_MS, names=(bridge,))), "place")
    assert place.value is not None
    assert (place.value["name"], place.confidence) == ("Bridge KM 12", "unsure")


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("двое на мотоцикле у Алмы", ["people:2", "vehicle/motorcycle:1"]),
        ("трое с рюкзаками у Алмы", ["people:3"]),
        ("hélico civil au-dessus de Tibnin", ["aircraft/helicopter:1"]),
    ],
)
def test_who_is_counted_by_the_numeral_and_what_they_ride(line: str, size: list[str]) -> None:
    assert read(parse_line(line, CONTEXT))["size"] == size


def test_each_station_of_a_roll_call_is_a_unit() -> None:
    draft = parse_line("radio chk 0600z ptl3 weak, op5 no answer", CONTEXT)
    assert read(draft)["unit"] == ["PTL3", "OP 5"]
