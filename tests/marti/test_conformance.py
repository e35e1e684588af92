"""The conformance page names every row, and every test that says what it shows names a row that exists."""

import re
from pathlib import Path

import conformance
import pytest

MARKED = re.compile(r'mark\.row\(\s*"([^"]+)"')


def test_the_page_names_every_row_and_nothing_besides() -> None:
    wrong = conformance.faults(conformance.PAGE.read_text(encoding="utf-8"))
    assert not wrong, "run tools/conformance.py (--no-run keeps the results):\n" + "\n".join(wrong)


def test_every_mark_names_a_row() -> None:
    known = {conformance.key_of(endpoint) for endpoint in conformance.rows()}
    bad = [
        f"{path.name}: {row}"
        for path in sorted(Path(__file__).parent.glob("test_*.py"))
        for row in MARKED.findall(path.read_text(encoding="utf-8"))
        if row not in known
    ]
    assert not bad, "no feature has these rows:\n" + "\n".join(bad)


def test_every_row_says_where_its_rule_is_written() -> None:
    assert [conformance.key_of(row) for row in conformance.rows() if not row.source] == []


def test_a_page_keeps_its_results_when_it_is_written_anew() -> None:
    (row, *_) = conformance.rows()
    results = {conformance.key_of(row): {"ATAK 5.5": "passed", "node-tak": "FAILED"}}
    page = conformance.render(results)
    assert conformance.read_results(page)[conformance.key_of(row)] == results[conformance.key_of(row)]
    assert conformance.render(conformance.read_results(page)).count("ATAK 5.5: passed") == 1
    assert conformance.faults(page) == []


@pytest.mark.parametrize("path", ["/Marti/api/version", "/Marti/api/cot/xml/{uid}", "/Marti/LatestKML/*"])
def test_what_is_answered_is_not_listed_as_missing(path: str) -> None:
    page = conformance.render({})
    assert f" {path}`" not in page.partition("## What only the official server answers")[2]
