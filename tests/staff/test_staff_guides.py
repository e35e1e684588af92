"""The state tables in the guides are those of the program."""

import re
from pathlib import Path

import pytest

from aquila.core.states import States
from aquila.features.handover.lines import STATES as HANDOVER
from aquila.features.incidents.line import STATES as LINE
from aquila.features.medevac.request import STATES as REQUEST
from aquila.features.questions.question import RFI_STATES
from aquila.features.questions.question import STATES as QUESTION
from aquila.features.reports.report import STATES as REPORT

GUIDES = Path(__file__).parents[2] / "docs" / "guide" / "staff"


@pytest.mark.parametrize(
    ("guide", "states"),
    [
        ("incidents", LINE),
        ("medevac", REQUEST),
        ("questions", QUESTION),
        ("questions", RFI_STATES),
        ("reports", REPORT),
        ("handover", HANDOVER),
    ],
)
def test_a_guide_shows_the_table_of_the_program(guide: str, states: States) -> None:
    text = (GUIDES / f"{guide}.md").read_text()
    tables = dict(re.findall(r"<!-- states ([a-z ]+) -->\n(.*?)<!-- end -->", text, re.DOTALL))
    assert tables[states.name] == states.to_markdown()
