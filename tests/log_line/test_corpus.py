"""The corpus of typed lines: what a watch officer meant, field by field."""

from collections import Counter
from typing import Any

import pytest
from reading import CONTEXT, FIELDS, corpus, read, same, unsure

from aquila.features.log.line import LineDraft, parse_line

FLOOR = 0.98
FIELD_FLOOR = 0.95


@pytest.fixture(scope="module")
def drafts() -> list[tuple[dict[str, Any], LineDraft]]:
    return [(row, parse_line(row["line"], CONTEXT)) for row in corpus()]


@pytest.fixture(scope="module")
def judged(drafts: list[tuple[dict[str, Any], LineDraft]]) -> tuple[Counter[str], Counter[str], list[str]]:
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    wrong: list[str] = []
    for row, draft in drafts:
        got = read(draft)
        for field in FIELDS:
            meant, read_as = row["expect"].get(field, []), got.get(field, [])
            # What goes on is told in many words; only where one was meant is it judged.
            if not meant and (not read_as or field == "activity"):
                continue
            total[field] += 1
            if same(field, meant, read_as):
                right[field] += 1
            else:
                wrong.append(f"{row['line']}\n    {field}: meant {meant}, read {read_as}")
    return right, total, wrong


def test_the_corpus_holds_at_least_800_lines_in_five_languages() -> None:
    rows = list(corpus())
    assert len({row["line"] for row in rows}) == len(rows) >= 800
    assert {"en", "it", "fr", "kk", "ru"} <= {row["language"] for row in rows}


def test_fields_are_read_as_they_were_meant(judged: tuple[Counter[str], Counter[str], list[str]]) -> None:
    right, total, wrong = judged
    share = sum(right.values()) / sum(total.values())
    table = ", ".join(f"{field} {right[field]}/{total[field]}" for field in FIELDS)
    print(f"fields read as meant: {share:.3f} ({table})")  # noqa: T201  # the figure, for whoever asks with -s
    assert share >= FLOOR, table + "\n" + "\n".join(wrong)
    assert all(right[field] >= FIELD_FLOOR * total[field] for field in FIELDS), table + "\n" + "\n".join(wrong)


def test_no_grid_or_time_is_wrong_in_silence(drafts: list[tuple[dict[str, Any], LineDraft]]) -> None:
    silent = []
    for row, draft in drafts:
        got, doubted = read(draft), unsure(draft)
        for field in ("place", "time"):
            meant, read_as = row["expect"].get(field, []), got.get(field, [])
            if not same(field, meant, read_as) and field not in doubted:
                silent.append(f"{row['line']}: {field} meant {meant}, read {read_as}, and sure")
        silent += [
            f"{row['line']}: {field} should be unsure"
            for field in row["expect"].get("unsure", [])
            if field not in doubted
        ]
    assert not silent, "\n".join(silent)
