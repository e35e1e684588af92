"""Lines as staff would type them, written by people who had not seen the grammar."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from reading import CONTEXT, FIELDS, WIDER, corpus, read, same, unsure, ways, without_day

from aquila.features.log.line import LineContext, parse_line


@dataclass(frozen=True)
class HeldOut:
    """A file of lines and what it must reach."""

    name: str
    floor: float
    silent_max: int
    passed_over_max: int
    """Grids and times meant and not read at all; the draft is short of them, but tells nothing wrong."""
    context: LineContext = CONTEXT
    told_only: bool = False
    """Only the fields that a row names are judged, and clock times without their day: its author saw no others."""


PASSED_OVER_8 = 1
"""Where they are who see it: `from UNP 1-31 they see ... on blue line`."""
FILES = (
    # Seen once, and no longer blind: 0.806 on the first run, before the grammar's author saw the lines, 0.963 now. Its
    # author called a patrol that departs, moves or is late a note; the later ones, and the guide since, a patrol.
    HeldOut("held_out.jsonl", floor=0.96, silent_max=0, passed_over_max=0),
    # Seen once as well: 0.809 with 6 silent wrong times when it was blind, 0.972 with none after the classes of speech
    # behind its misses were written down. What a blind reader may expect is in docs/formats/typed_line.md.
    HeldOut("held_out_2.jsonl", floor=0.95, silent_max=0, passed_over_max=0),
    # Seen as well from now: 0.889 with one silent wrong time and one silent place when it was blind, 0.980 with none
    # after the classes of speech behind its misses were written down. Its lines say no more what a stranger may expect.
    HeldOut("held_out_3.jsonl", floor=0.97, silent_max=0, passed_over_max=0),
    # Seen as well from now: 0.879 with one silent wrong time and two silent places when it was blind, 0.997 now. Its
    # author knew few of the names of kinds and fields: they were renamed by docs/formats/typed_line.md.
    HeldOut("held_out_4.jsonl", floor=0.98, silent_max=0, passed_over_max=0, context=WIDER, told_only=True),
    # Seen as well from now: 0.8925 with one silent wrong time when it was blind, 0.972 with none after the habits
    # behind its misses were written down. Its author saw the users, the guide's table of kinds and the names of fields.
    HeldOut("held_out_5.jsonl", floor=0.97, silent_max=0, passed_over_max=0, context=WIDER, told_only=True),
    # Seen as well from now: 0.948 with nothing silent when it was blind, 0.971 after families of its misses were put
    # down. Its spellings `wounded`, `dead`, `by` were brought into `injured`, `killed`, `until` before the first run.
    HeldOut("held_out_6.jsonl", floor=0.97, silent_max=0, passed_over_max=0, context=WIDER, told_only=True),
    # Seen as well from now: 0.865 with one silent time when it was blind, 0.990 with none now. Its author had seen the
    # users, the table of kinds and the short forms, and had been told no sort of people.
    HeldOut("held_out_7.jsonl", floor=0.98, silent_max=0, passed_over_max=0, context=WIDER, told_only=True),
    # Seen as well from now: 0.923 with nothing silent when it was blind, 0.995 now. Its author had seen the same.
    HeldOut("held_out_8.jsonl", floor=0.98, silent_max=0, passed_over_max=PASSED_OVER_8, context=WIDER, told_only=True),
    # Blind: judged once, and nothing of the grammar was changed by it. `as of 0500` is read as since 0500.
    HeldOut("held_out_9.jsonl", floor=0.96, silent_max=1, passed_over_max=2, context=WIDER, told_only=True),
)


@pytest.fixture(scope="module", params=FILES, ids=lambda file: file.name)
def held_out(request: pytest.FixtureRequest) -> HeldOut:
    file: HeldOut = request.param
    return file


@pytest.fixture(scope="module")
def rows(held_out: HeldOut) -> list[dict[str, Any]]:
    return list(corpus(held_out.name))


def test_there_are_a_hundred_lines_and_none_is_in_another_file(held_out: HeldOut, rows: list[dict[str, Any]]) -> None:
    lines = {row["line"] for row in rows}
    assert len(lines) == len(rows) == 100
    others = {"corpus.jsonl", *(file.name for file in FILES)} - {held_out.name}
    assert not lines & {row["line"] for name in others for row in corpus(name)}
    assert all(field in {*FIELDS, "unsure"} for row in rows for field in row["expect"])


@dataclass(frozen=True)
class Judged:
    """One row against what was read: by field what was meant, what was read, and whether that is right."""

    line: str
    fields: dict[str, tuple[list[str], list[str], bool]]
    doubted: set[str]
    asked: set[str]
    """Fields where a colleague would have asked."""

    @property
    def wrong(self) -> int:
        return sum(not right for _, _, right in self.fields.values())


def judge(file: HeldOut, row: dict[str, Any]) -> Judged:
    """The reading of a row against the way of meaning it that it comes nearest to."""
    draft = parse_line(row["line"], file.context)
    got, doubted = read(draft), unsure(draft)
    if file.told_only:
        got["time"] = without_day(got.get("time", []))
    return min((_against(file, row["line"], meant, got, doubted) for meant in ways(row)), key=lambda each: each.wrong)


def _against(
    file: HeldOut, line: str, meant: dict[str, list[str]], got: dict[str, list[str]], doubted: set[str]
) -> Judged:
    asked = set(meant.get("unsure", []))
    fields: dict[str, tuple[list[str], list[str], bool]] = {}
    for field in FIELDS:
        expected, read_as = meant.get(field, []), got.get(field, [])
        if file.told_only and field not in meant:
            if field in asked:
                # Nothing can be told from the line: nothing read, or something that is marked.
                fields[field] = (expected, read_as, not read_as or field in doubted)
        elif expected or (read_as and field != "activity"):
            fields[field] = (expected, read_as, same(field, expected, read_as))
    return Judged(line, fields, doubted, asked)


@pytest.fixture(scope="module")
def judged(held_out: HeldOut, rows: list[dict[str, Any]]) -> list[Judged]:
    return [judge(held_out, row) for row in rows]


def test_fields_are_read_as_they_were_meant(held_out: HeldOut, judged: list[Judged]) -> None:
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    wrong: list[str] = []
    for each in judged:
        for field, (meant, read_as, is_right) in each.fields.items():
            total[field] += 1
            right[field] += is_right
            if not is_right:
                wrong.append(f"{each.line}\n    {field}: meant {meant}, read {read_as}")
    share = sum(right.values()) / sum(total.values())
    table = ", ".join(f"{field} {right[field]}/{total[field]}" for field in FIELDS)
    print(f"{held_out.name}: fields read as meant: {share:.4f} ({table})")  # noqa: T201  # for whoever asks with -s
    assert share >= held_out.floor, f"{share:.4f}: {table}\n" + "\n".join(wrong)


def test_no_grid_or_time_is_wrong_in_silence(held_out: HeldOut, judged: list[Judged]) -> None:
    """Neither a value that was not meant, nor a sure one where a colleague would have asked."""
    silent = []
    for each in judged:
        for field in {"place", "time"} & each.fields.keys() - each.doubted:
            meant, read_as, _ = each.fields[field]
            if Counter(read_as) - Counter(meant):
                silent.append(f"{each.line}: {field} meant {meant}, read {read_as}, and sure")
            elif field in each.asked and read_as:
                silent.append(f"{each.line}: {field} should be unsure")
    assert len(silent) <= held_out.silent_max, f"{len(silent)}\n" + "\n".join(silent)


def test_few_grids_and_times_are_passed_over(held_out: HeldOut, judged: list[Judged]) -> None:
    missed = []
    for each in judged:
        for field in {"place", "time"} & each.fields.keys() - each.doubted:
            meant, read_as = (Counter(values) for values in each.fields[field][:2])
            if meant - read_as and not read_as - meant:
                missed.append(f"{each.line}: {field} meant {[*meant]}, read {[*read_as]}")
    assert len(missed) <= held_out.passed_over_max, f"{len(missed)}\n" + "\n".join(missed)


def test_a_row_with_another_answer_is_right_by_either_and_wrong_by_a_third() -> None:
    file = HeldOut("", floor=1, silent_max=0, passed_over_max=0)
    expect = {"kind": ["note"], "activity": ["fire"], "place": ["Tibnin"], "time": ["0910L"]}
    row: dict[str, Any] = {"line": "fire at Tibnin 0910", "expect": expect}
    assert judge(file, row).wrong == 1
    assert judge(file, row | {"or": [{"kind": ["incident"]}]}).wrong == 0
    assert judge(file, row | {"or": [{"kind": ["spot"]}]}).wrong == 1
