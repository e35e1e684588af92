"""Lines as staff would type them, written by somebody who had not seen the grammar; seen once, and no longer blind."""

from collections import Counter
from typing import Any

import pytest
from reading import CONTEXT, FIELDS, corpus, read, same, unsure

from aquila.features.log.line import parse_line

FLOOR = 0.97
"""0.806 was measured on the first run, before the grammar's author saw the lines; 0.993 when it was mended."""
PASSED_OVER_MAX = 0
"""Grids and times meant and not read at all; the draft is short of them, but tells nothing wrong."""


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return list(corpus("held_out.jsonl"))


def test_there_are_a_hundred_lines_and_none_is_in_the_corpus(rows: list[dict[str, Any]]) -> None:
    lines = {row["line"] for row in rows}
    assert len(lines) == len(rows) == 100
    assert not lines & {row["line"] for row in corpus()}
    assert all(field in {*FIELDS, "unsure"} for row in rows for field in row["expect"])


def test_fields_are_read_as_they_were_meant(rows: list[dict[str, Any]]) -> None:
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    wrong: list[str] = []
    for row in rows:
        got = read(parse_line(row["line"], CONTEXT))
        for field in FIELDS:
            meant, read_as = row["expect"].get(field, []), got.get(field, [])
            if not meant and (not read_as or field == "activity"):
                continue
            total[field] += 1
            if same(field, meant, read_as):
                right[field] += 1
            else:
                wrong.append(f"{row['line']}\n    {field}: meant {meant}, read {read_as}")
    share = sum(right.values()) / sum(total.values())
    table = ", ".join(f"{field} {right[field]}/{total[field]}" for field in FIELDS)
    print(f"fields read as meant: {share:.4f} ({table})")  # noqa: T201  # the figure, for whoever asks with -s
    assert share >= FLOOR, f"{share:.4f}: {table}\n" + "\n".join(wrong)


def test_no_grid_or_time_is_wrong_in_silence(rows: list[dict[str, Any]]) -> None:
    """Neither a value that was not meant, nor a sure one where a colleague would have asked."""
    silent = []
    for row in rows:
        draft = parse_line(row["line"], CONTEXT)
        got, doubted = read(draft), unsure(draft)
        for field in ("place", "time"):
            meant, read_as = row["expect"].get(field, []), got.get(field, [])
            if Counter(read_as) - Counter(meant) and field not in doubted:
                silent.append(f"{row['line']}: {field} meant {meant}, read {read_as}, and sure")
            elif field in row["expect"].get("unsure", []) and field not in doubted and read_as:
                silent.append(f"{row['line']}: {field} should be unsure")
    assert not silent, "\n".join(silent)


def test_few_grids_and_times_are_passed_over(rows: list[dict[str, Any]]) -> None:
    missed = []
    for row in rows:
        draft = parse_line(row["line"], CONTEXT)
        got, doubted = read(draft), unsure(draft)
        for field in ("place", "time"):
            meant, read_as = Counter(row["expect"].get(field, [])), Counter(got.get(field, []))
            if meant - read_as and not read_as - meant and field not in doubted:
                missed.append(f"{row['line']}: {field} meant {[*meant]}, read {[*read_as]}")
    assert len(missed) <= PASSED_OVER_MAX, f"{len(missed)}\n" + "\n".join(missed)
