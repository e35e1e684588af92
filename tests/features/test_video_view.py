from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.core.model import Act
from aquila.features.video import feature
from aquila.features.video import view as video_view
from aquila.features.video.connections import Address, address_of, check_url, url_of
from aquila.features.video.view import Videos
from aquila.testing.views import folded_in_any_order

ACTIONS = ("video.add", "video.change", "video.remove", "other.act")


def act(make: Any, number: int, action: str, which: int) -> Any:
    detail = {"connection": f'{{"uuid":"v{which}","alias":"{number}"}}'} if action != "video.remove" else {}
    body = Act(action=action, target=f"v{which}", happened_at_ms=make.start_ms, detail=detail)
    return make.entry(body, number, label=make.labels[number % 3])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5)), max_size=40),
    dice=st.randoms(use_true_random=False),
)
def test_any_order_folds_to_the_same_state_and_a_snapshot_is_enough(make: Any, rows: Any, dice: Any) -> None:
    heard = [act(make, number, *row) for number, row in enumerate(rows, 1)]
    folded_in_any_order(Videos, heard, dice)


@pytest.mark.parametrize("order", [1, -1])
def test_the_oldest_are_forgotten_in_any_order(make: Any, monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    monkeypatch.setattr(video_view, "VIDEOS_MAX", 10)
    monkeypatch.setattr(video_view, "SLACK", 3)
    videos = Videos()
    for number in range(1, 41)[::order]:
        videos.fold(act(make, number, "video.add", number))
    kept = Videos()
    kept.restore(videos.snapshot())
    assert {video.uid for video in kept.videos()} == {f"v{number}" for number in range(31, 41)}


def test_what_one_sender_has_is_counted_without_what_was_removed(make: Any) -> None:
    videos, author = Videos(), act(make, 1, "video.add", 1).envelope.author
    for number, row in enumerate([("video.add", 1), ("video.add", 2), ("video.change", 2), ("video.remove", 1)], 1):
        videos.fold(act(make, number, row[0], row[1]))
    known = {video.uid for video in videos.videos()}
    assert videos.count_of(author) == len(videos.videos()) >= len(known) > 0
    assert videos.count_of("person:nobody") == 0


def test_questions_for_many_videos_are_answered_off_the_loop() -> None:
    many = [query for query in feature.queries if not query.one]
    assert many
    assert all(query.blocking for query in many)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("rtsp://cam.local:8554/live", Address(protocol="rtsp", host="cam.local", port=8554, path="/live")),
        ("rtsp://me:pass@cam/live?x=1", Address(protocol="rtsp", host="me:pass@cam", port=None, path="/live?x=1")),
        ("udp://239.0.0.1:5000", Address(protocol="udp", host="239.0.0.1", port=5000, path="")),
        ("http://[fd00::1]:80/a", Address(protocol="http", host="[fd00::1]", port=80, path="/a")),
        ("just text", Address(protocol="raw", host="just text", port=None, path="")),
    ],
)
def test_a_url_has_parts_and_parts_make_the_url(url: str, address: Address) -> None:
    assert address_of(url) == address
    assert url_of(address) == url


@pytest.mark.parametrize("url", ["rtsp://x:99999999/", "rtsp://[", "://", "rtsp://x:port/"])
def test_odd_addresses_are_only_text(url: str) -> None:
    assert address_of(url).protocol == "raw"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/x",
        "javascript:1;alert(1)",
        "javascript:1/x",
    ],
)
def test_what_a_browser_might_run_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url scheme"):
        check_url(url)


@pytest.mark.parametrize("url", ["rtsp://a/b", "10.0.0.1:554/x", "cam.local:554/x", "", None, "SRT://h:1"])
def test_addresses_of_streams_are_taken(url: str | None) -> None:
    check_url(url)
