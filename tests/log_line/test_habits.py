"""Habits of strangers, one row each: what a blind set taught, so that it stays read."""
# ruff: noqa: RUF001  # Cyrillic letters are what people type

import pytest
from reading import WIDER, read, unsure

from aquila.features.log.line import parse_line


@pytest.mark.parametrize(
    ("line", "field", "values"),
    [
        ("bridge work at CP 3 to be done tomorrow before 0900", "time", ["until 0900L+1d"]),
        ("завтра до 0700 привезти воду на CP 4", "time", ["until 0700L+1d"]),
        ("we have see 3 persons near CP 4 at 0415", "size", ["people:3"]),
        ("CP 3 жанында 2 көлиг 0440", "size", ["vehicle:2"]),
        ("PTL3 байланыс жок 0310 бери", "kind", ["contact_lost"]),
        ("ref log 118 truck was a civ water tanker", "reference", ["118"]),
        ("fuel UNP 1-26: diesel 400 l as of 0500", "time", ["0500L"]),
        ("вода UNP 1-26 300 л по состоянию на 0500", "time", ["0500L"]),
        ("acqua UNP 1-26 300 l aggiornato alle 0500", "time", ["0500L"]),
        ("eau UNP 1-26 300 l situation à 0500", "time", ["0500L"]),
        ("UNP 1-26 NTR as of 0500", "time", ["since 0500L"]),
        ("6 ind. inconnus vus au CP 5 à 0345", "size", ["people:6"]),
        ("frm OP 3: 3 trucks brg 065 range 2.5 km, going E. 0231", "place", ["OP 3:2500@65"]),
        ("05 (five) unk persons seen E of OP 4 at 0210", "size", ["people:5"]),
        ("04 trucks parked at CP 2 0255", "size", ["vehicle/truck:4"]),
        ("20 шақты ешкі CP 3 жанында 0548", "size", ["animal/goat:20~"]),
        ("50-ге жуық ешкі Alma маңында, 05:10", "size", ["animal/goat:50~"]),
        ("OP 6 га су 100 л керек 1500ге дейин", "time", ["until 1500L"]),
        ("UNP 1-26 оңтүстігінде атыс дауысы 0244", "place", ["UNP 1-26:?@180"]),
        ("One soldier of BRAVO 1 is missing since 0130, search near OP 3", "casualty", ["missing:1"]),
        ("ALPHA 33 running late, not at CP 6 bfr 4", "place", ["CP 6"]),
        ("проверка связи BRAVO 1 04-00 слышу на тройку", "time", ["0400L"]),
        ("5 pax loading 1 trk 33.1187,35.2741 0225", "place", ["33.1187,35.2741"]),
        ("Ptl6 have passed check point 7 at 0401", "place", ["CP 7"]),
        ("у ALPHA 33 2 трехсотых, кв. YB 1175 6820, 0329", "unit", ["ALPHA 33"]),
        ("party of 4 overdue from the rifugio torino, last seen 1730", "kind", ["incident"]),
        ("MEDIC 1 rolling to CP 7, 1 x broken leg, 0414", "kind", ["medevac"]),
        ("QRF left 0318, 2x veh 9x pax, to CP 7", "kind", ["patrol"]),
        ("op4 all qiet 0400hrs", "kind", ["sitrep"]),
        ("ptl3 uscita da Naqoura 0510 8 uomini 2 mezzi", "size", ["people:8", "vehicle:2"]),
        ("PTL4 CP 6-dan otti 0356", "kind", ["checkpoint"]),
        ("CP 4 ten 2 km shygysta 20 shaqty eshki, 0440", "place", ["CP 4:2000@90"]),
        ("baylanys joq PTL5 0300den beri", "time", ["since 0300L"]),
        ("net svyazi s PTL6 s 0300", "kind", ["contact_lost"]),
        ("boy abt 10 yrs missing frm Tibnin", "casualty", ["missing:1"]),
        ("OP 3 тыныш, оқиға жоқ", "kind", ["sitrep"]),
        ("nil activity OP2 OP3 OP6 at 0600", "place", ["OP 2", "OP 3", "OP 6"]),
        ("bravo1 mi senti? 5/5 ore 0200", "time", ["0200L"]),
        ("helo31 eta bridge km12 0155L, 1 x T1", "time", ["0155L"]),
        ("dde hélico 1 blessé grave, 2780 m, 300 m S Rifugio Torino", "altitude", ["2780"]),
        ("ptl8 6pax 2vehs fr unp1-26 to tibnin 0230z", "kind", ["patrol"]),
        ("one soldier of ALPHA 12 cut by glass at Rosh Bridge, MEDIC 1 sent", "unit", ["ALPHA 12", "MEDIC 1"]),
        ("need ambulance OP 3 soldier fainted 0422", "place", ["OP 3"]),
        ("need ambulance OP 3 soldier fainted 0422", "casualty", ["injured:1"]),
        ("OP 3 reads us 4/5 at 0400", "time", ["0400L"]),
        ("hiker lost at rifugio torino since 1830", "casualty", ["missing:1"]),
        ("2 COY FUEL 60% WATER 2 DAYS RATIONS 3 DAYS", "kind", ["logsitrep"]),
        ("SALUTE S 6 A digging L 36SYB 0777 6222 U unk T 0250 E shovels", "size", ["people:6"]),
        ("CONVOY 12 Tibnin-де тоқтап тұр 0222, доңғалақ жарылды", "kind", ["patrol"]),
        ("fire extinguisher missing at UNP 1-31", "kind", ["note"]),
        ("PTL4 dep Naqoura 0405 9p 2v", "size", ["people:9", "vehicle:2"]),
        ("ptl6 left unp131 at 5 past 4 w/ 8 pax", "time", ["0405L"]),
        ("convoy12 passd KM12 0254", "place", ["Bridge KM 12"]),
        ("HELO31 RTB due wx 0320Z", "kind", ["patrol"]),
        ("nulla da segnalare a CP 6 h 0300", "kind", ["sitrep"]),
        ("PTL5 хабар жоқ 0130-дан", "time", ["since 0130L"]),
        ("selon un berger, 5 hommes armés près d'Alma", "size", ["people/man:5"]),
        ("2 pax at checkpt 4 0430", "place", ["CP 4"]),
        ("2 pax at C.P. 4 0430", "place", ["CP 4"]),
        ("2 pax at CP 4 T0430", "time", ["0430L"]),
        ("UNP 1-31 0200 nothing seen nothing heard", "kind", ["sitrep"]),
        ("OP 2 silent, last call 0145", "time", ["0145L"]),
        ("PTL8 bloquée par la neige 1 km avant Rifugio Torino", "kind", ["patrol"]),
        ("man shouting at gate UNP 1-31 0140", "kind", ["spot"]),
        ("fuel tanker leaking at UNP 1-26 0318", "kind", ["incident"]),
        ("convoy 12 lead veh broke down 3k S of Tibnin, 0250", "kind", ["patrol"]),
        ("source F6: smugglers tonight via CP 7", "kind", ["intrep"]),
        ("2 COY: 92 pax, 14 veh (2 U/S), fuel 55 %", "kind", ["logsitrep"]),
        ("flood warning for wadi E of Tibnin", "kind", ["weather"]),
        ("стадо коз 40 голов у Blue Line 0540", "size", ["animal/goat:40"]),
        ("пропал солдат BRAVO 3 около Алмы с 0100", "casualty", ["missing:1"]),
        ("wx naqoura rain vis 2k 0300", "time", ["0300L"]),
        ("PTL7 вых. из UNP 1-31 0410 7ч 2м", "size", ["people:7", "vehicle:2"]),
        ("op 4 ok 0300", "kind", ["sitrep"]),
        ("no radio with OP 4 from one hour", "time", ["since 1100L"]),
        ("please helicopter for 2 wounded at 36SYB 0877 6544 0310", "kind", ["medevac"]),
        ("HELO 31 dep OP 3 0244Z with 2 patient to Naqoura", "kind", ["medevac"]),
        ("0433 bravo1 reached tibnin all good", "kind", ["patrol"]),
        ("PTL8 reach to CP 3 at 0455 hr, all ok sir", "kind", ["checkpoint"]),
        ("alle 23.40 di ieri furto a UNP 1-31", "time", ["2340L-1d"]),
        ("В 02.44 у UNP 1-26 обнаружен подозрительный предмет", "kind", ["incident"]),
    ],
)
def test_is_read_as_it_was_meant(line: str, field: str, values: list[str]) -> None:
    assert read(parse_line(line, WIDER))[field] == values


@pytest.mark.parametrize(
    "line", ["OP 5 all quiet 0230", "RAS OP 3, 0400", "radio check OP 2 0300", "OP 6: 4 veh moving N 0231"]
)
def test_a_post_that_tells_of_itself_is_the_place_and_that_is_marked(line: str) -> None:
    draft = parse_line(line, WIDER)
    assert "place" in read(draft)
    assert "place" in unsure(draft)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("2 pax at CP 4 h04", "time"),
        ("2 pax at CP 4 after 0430", "time"),
        ("2 pax at CP 4 not before 0430", "time"),
        ("2 pax at CP 4 3-4 am", "time"),
        ("2 pax seen at 126", "time"),
        ("OP 6 asks for relief 2 h earlier", "time"),
        ("2 pax at 35.2741 33.1187", "place"),
        ("2 pax at CP 4 045/2000", "place"),
        ("2 pax N CP 4", "place"),
        ("meeting at 4/2 0900", "time"),
    ],
)
def test_what_can_be_read_in_two_ways_is_marked(line: str, field: str) -> None:
    draft = parse_line(line, WIDER)
    assert field in read(draft)
    assert field in unsure(draft)


def test_how_long_is_no_time_of_day() -> None:
    assert "time" not in read(parse_line("PTL1 walked 1 hour 20 min to CP 3", WIDER))


def test_what_a_shepherd_does_is_no_sort_of_people_and_is_kept() -> None:
    sizes = [
        part.value for part in parse_line("2 shepherds with 40 goats at Alma 0700", WIDER).parts if part.field == "size"
    ]
    assert sizes[0] == {"what": "people", "sort": None, "count": 2, "detail": "shepherds"}


def test_as_of_without_figures_is_asked_about() -> None:
    (time,) = [part for part in parse_line("road to CP 4 closed as of 0500", WIDER).parts if part.field == "time"]
    assert (time.confidence, time.value["sort"]) == ("unsure", "since")
    (stood,) = time.alternatives
    assert (stood.label, stood.value["sort"], stood.value["at_ms"]) == ("as it stood then", "at", time.value["at_ms"])
