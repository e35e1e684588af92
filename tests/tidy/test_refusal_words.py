"""What a reader of the page can provoke is refused in his language: the table of refusals against the program."""

import ast
import errno
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aquila.core.errors import CodecError, Refused
from aquila.core.phrases import phrase_in
from aquila.core.refusal_words import REFUSED
from aquila.core.tongue import LANGUAGES, Tongue
from aquila.features.orbat import sheet_in
from aquila.features.roles.rights import RIGHTS
from aquila.links import why
from aquila.links.pki import handshakes
from aquila.stores.sqlite import tiles
from aquila.web_api.errors import WebError

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "aquila"
FEATURES = SOURCE / "features"
TOLD = tuple(sorted(each.name for each in FEATURES.iterdir() if each.is_dir() and each.name not in ("tak", "video")))
"""Features whose refusals are sentences in every language: all but those that programs alone speak to."""
WEB_API = SOURCE / "web_api"
OF_CLIENTS = ("contract.py", "routes.py", "guard.py", "static.py")
"""Files of the web whose advice is for programs, and names headers, methods and options: it stays as it is."""
OF_PROGRAMS = (
    *("form.py", "pattern.py", "draft.py", "rollup_rows.py", "pairs.py"),
    *("marti.py", "certadmin.py", "channels.py", "enrolment.py", "profiles.py", "iconsets.py", "work.py"),
)
"""Files about forms that are made by programs, assembled reports, and what only TAK clients ask for."""


def refusals() -> Iterator[tuple[str, str]]:
    """(where, sentence) of each `Refused(code, sentence)` that is written out; a word stands in each gap."""
    for folder in (SOURCE / "core", *(FEATURES / name for name in TOLD)):
        for file in sorted(folder.rglob("*.py")):
            if file.name in OF_PROGRAMS:
                continue
            for where, call in calls(file, "Refused"):
                sentence = said(call.args[1]) if len(call.args) == 2 else None
                if sentence is not None:
                    yield f"{folder.name}/{where}", sentence


def calls(file: Path, name: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
            yield f"{file.name}:{node.lineno}", node


def said(node: ast.expr) -> str | None:
    """None = it is said elsewhere, or by another program."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr) or all(isinstance(each, ast.FormattedValue) for each in node.values):
        return None
    return "".join(str(each.value) if isinstance(each, ast.Constant) else in_gap(each) for each in node.values)


def in_gap(gap: ast.expr) -> str:
    return "close" if isinstance(gap, ast.FormattedValue) and ast.unparse(gap.value).endswith("action") else "X1"


def test_every_refusal_at_the_desk_is_a_sentence_of_the_table() -> None:
    found = list(refusals())
    assert len(found) > 160
    assert [(where, text) for where, text in found if not phrase_in("refused", text).act] == []


def test_the_board_of_feeds_has_words_for_whatever_is_wrong_with_a_line() -> None:
    named = [(file, "CodecError") for file in (SOURCE / "codecs").rglob("*.py")]
    named += [(SOURCE / "core" / name, "Refused") for name in ("policy.py", "node.py", "owners.py")]
    codes = {
        str(call.args[0].value)
        for file, name in named
        for _, call in calls(file, name)
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    board = ROOT / "web" / "src" / "staff" / "feeds" / "texts" / "en.json"
    assert len(codes) > 20
    assert codes - set(json.loads(board.read_text("utf-8"))["feeds"]["wrong"]) == set()


def test_why_a_map_cannot_be_shown_is_a_sentence_of_the_table() -> None:
    files = [SOURCE / "stores" / "sqlite" / f"{name}.py" for name in ("tiles", "shapes", "wkb")]
    told = [said(call.args[0]) for file in files for _, call in calls(file, "UsageError")]
    assert len(told) > 8
    assert [text for text in (*told, tiles._ABSENT) if text and not phrase_in("refused", text).act] == []


def test_what_is_wrong_in_a_file_of_units_is_a_sentence_of_the_table() -> None:
    names, place = ("file_unit", "text_file", "table_file", "sheet_file", "msdl_file", "importing"), FEATURES / "orbat"
    told = []
    for name in names:
        file = place / f"{name}.py"
        told += [said(each.value) for _, call in calls(file, "Fault") for each in call.keywords if each.arg == "text"]
        told += [said(call.args[0]) for _, call in calls(file, "ValueError")]
    told += [said(call.args[0]) for _, call in calls(place / "sheet_in.py", "SheetError")]
    told += [sheet_in.NO_SHEET, sheet_in.BROKEN]
    assert len(told) > 40
    # What is put together of two parts is tried in tests of the import.
    whole = [text for text in told if text and not text.startswith("X1") and text != "more than X1 X1"]
    assert [text for text in whole if not phrase_in("refused", text).act] == []


def advice() -> Iterator[tuple[str, str, str]]:
    """(where, group, sentence) of each `do=` and `allowed=` that the web gives people, written out."""
    groups = {"do": "remedy", "allowed": "allowed"}
    for file in sorted(WEB_API.rglob("*.py")):
        if file.name in OF_CLIENTS:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in groups and isinstance(node.value, ast.Constant):
                if node.value.value is not None:
                    yield f"{file.name}:{node.lineno}", groups[node.arg], str(node.value.value)


def test_what_to_do_about_a_refusal_is_a_sentence_of_the_table() -> None:
    found = list(advice())
    assert len(found) > 8
    assert [each for each in found if not phrase_in(each[1], each[2]).act] == []


def test_why_a_link_is_as_it_is_is_a_sentence_of_the_table() -> None:
    errors = (TimeoutError(errno.ETIMEDOUT, ""), BrokenPipeError(errno.EPIPE, ""), OSError(errno.EHOSTUNREACH, ""))
    refused, misread = Refused("spoof", "P1 belongs to device:A, not to device:B"), CodecError("number", "lat=x")
    said = (*why.ENDS, *map(why.of_error, errors), why.NO_ROOM, why.behind(3), why.behind(0), why.too_much(2000.0))
    assert [text for text in (*said, why.of_misread(misread)) if not phrase_in("links.why", text).act] == []
    last = phrase_in("links.why", why.of_refusal(refused))
    assert last.words["why"]["act"] == "links.refused.uid"
    assert (why.of_refusal(None), why.of_misread(None)) == ("", "")


def test_what_a_peer_said_wrongly_is_a_sentence_of_the_table() -> None:
    ours = [SOURCE / "core" / name for name in ("policy.py", "node.py", "owners.py")]
    refused = [text for file in ours for _, call in calls(file, "Refused") if (text := said(call.args[1])) is not None]
    refused = [text for text in refused if not text.endswith("was heard before")]  # counted by the node, told to nobody
    assert len(refused) > 8
    for text in refused:
        assert isinstance(phrase_in("links.why", why.of_refusal(Refused("x", text))).words["why"], dict), text
    unread = {
        call.args[0] for file in (SOURCE / "codecs" / "cot").rglob("*.py") for _, call in calls(file, "CodecError")
    }
    words = {str(word.value) for word in unread if isinstance(word, ast.Constant)}
    assert len(words) > 10
    for word in words:
        told = phrase_in("links.why", why.of_misread(CodecError(word, "lat=x: a number is expected"))).words
        assert told == {"what": {"act": f"links.misread.{word}"}, "why": "lat=x: a number is expected"}


def test_why_somebody_is_refused_at_a_door_is_a_sentence_of_the_table() -> None:
    judged = [text for code, text in handshakes._BY_VERIFY_CODE.items() if code not in (62, 64)]  # what clients judge
    said_to_us = [text for word, text in handshakes._BY_REASON.items() if word in handshakes.ABOUT_CERTIFICATES]
    told = [phrase_in("links.why", why.of_door(f"TLS on 8089, 8443: {text}")) for text in (*judged, *said_to_us)]
    assert len(told) > 20
    assert {said.words["why"]["words"]["why"]["act"].rpartition(".")[0] for said in told} == {"links.door"}
    doors = [SOURCE / "app" / name for name in ("people.py", "tak.py", "tak_socket.py")]
    doors += [SOURCE / "links" / "tls.py", WEB_API / "callers.py"]
    named = [text for file in doors for _, call in calls(file, "Refused") if (text := said(call.args[1])) is not None]
    assert len(named) > 8
    assert [text for text in named if not phrase_in("refused", text).act] == []


def test_every_right_has_words() -> None:
    assert {right.what for right in RIGHTS} == {text for _, text in REFUSED["right"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_that_is_filled_wrongly_is_told_in_words_for_people(language: str) -> None:
    error = WebError(400, "syntax", "Expected `array` of length <= 8 - at `$.phrases`").body
    text = Tongue(language).say(error.act, **error.words)
    assert "$" not in text
    assert "`" not in text
    assert "8" in text
    assert (text == "phrases: at most 8") == (language == "en")


def test_a_sentence_within_a_sentence_is_said_too() -> None:
    reason = "a test without words, kinds, area and links fits everything: name one of them - at `$.tests`"
    error = WebError(400, "syntax", reason).body
    assert error.words["what"] == {"act": "refused.fits_all"}
    assert WebError(422, "moon", "a sentence of a newer node").body.act == ""
