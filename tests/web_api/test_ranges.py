"""Which bytes of a file are asked for."""

import pytest

from aquila.web_api.ranges import Ranged, parse_range

MANY = "9" * 5_000


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("bytes=0-", Ranged(0, 99)),
        ("bytes=10-19", Ranged(10, 19)),
        ("bytes=90-400", Ranged(90, 99)),
        ("bytes=-10", Ranged(90, 99)),
        (f"bytes=0-{MANY}", Ranged(0, 99)),
        (f"bytes=-{MANY}", Ranged(0, 99)),
        (f"bytes={'0' * 5_000}7-8", Ranged(7, 8)),
        (f"bytes={MANY}-", False),
        ("bytes=100-", False),
        ("bytes=-0", False),
        ("bytes=9-8", None),
        ("bytes=-", None),
        ("lines=1-2", None),
    ],
)
def test_a_range_is_what_is_there_of_it(header: str, asked: Ranged | bool | None) -> None:
    assert parse_range(header, 100) == asked
