"""The parts of feeds without a network: addresses, the cap, rates, twins."""

import pytest

from aquila.core.errors import UsageError
from aquila.core.ids import entity_id
from aquila.core.model import Alias, Position, Report
from aquila.core.sensing import Sensed
from aquila.features.feeds import Twins
from aquila.features.feeds.feed import STATES
from aquila.links.feeds import cap
from aquila.links.feeds.address import FeedAddress, read_address, same_account, split_password


def report(value: str, lat_deg: float, lon_deg: float, at_ms: int = 0, type: str = "a-u-S") -> Report:
    return Report(
        entity=entity_id("mmsi", value),
        alias=Alias("mmsi", value),
        type=type,
        sidc="10013000000000000000",
        category="platform",
        observed_at_ms=at_ms,
        position=Position(lat_deg, lon_deg),
    )


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("udp://127.0.0.1:10110", FeedAddress(scheme="udp", host="127.0.0.1", port=10_110)),
        ("udp://[::1]:10110", FeedAddress(scheme="udp", host="::1", port=10_110)),
        ("tcp://radar.example:30005/", FeedAddress(scheme="tcp", host="radar.example", port=30_005)),
        ("file:///tmp/a%20b.nmea?speed=0", FeedAddress(scheme="file", path="/tmp/a b.nmea", speed=0.0)),
        ("serial:///dev/ttyS0?baud=4800", FeedAddress(scheme="serial", path="/dev/ttyS0", baud=4_800)),
        (
            "mqtt://guard@broker.example/msh/EU_868/2/e/#",
            FeedAddress(scheme="mqtt", host="broker.example", port=1_883, topic="msh/EU_868/2/e/#", name="guard"),
        ),
        (
            "mqtt://127.0.0.1:2883//+/a%20b%3F?retained=yes&client=node1",
            FeedAddress(scheme="mqtt", host="127.0.0.1", port=2_883, topic="/+/a b?", retained=True, client="node1"),
        ),
        (
            "mqtts://a%40b@h/t?ca=/etc/ca.pem&cert=/etc/c.pem&key=/etc/k.pem",
            FeedAddress(
                scheme="mqtts",
                host="h",
                port=8_883,
                topic="t",
                name="a@b",
                ca="/etc/ca.pem",
                cert="/etc/c.pem",
                key="/etc/k.pem",
            ),
        ),
    ],
)
def test_an_address_is_read(url: str, address: FeedAddress) -> None:
    assert read_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        *("", "ais", "http://127.0.0.1:1", "udp://127.0.0.1", "udp://127.0.0.1:0", "udp://127.0.0.1:70000"),
        *("udp://:10110", "udp://a b:1", "tcp://name@host:1", "tcp://host:1/path", "tcp://host:1?speed=2"),
        *("file://host/tmp/a", "file:tmp", "file:///a?speed=nan", "file:///a?speed=-1", "file:///a?speed=1001"),
        *("file:///a%00b", "serial:///dev/ttyS0?baud=1", "udp://127.0.0.1:1\n", "udp://[::1", "tcp://h:1#x"),
        *("file:///" + "a" * 500, "mqtt://h", "mqtt://h/", "mqtt://h:0/a", "mqtt:///a", "mqtt://h/a#", "mqtt://h/#/a"),
        *("mqtt://h/a+/b", "mqtt://h/a%00", "mqtt://h/a?qos=1", "mqtt://h/a?ca=/x", "mqtts://h/a?ca=x"),
        *("mqtts://h/a?key=/x", "mqtt://h/a?retained=1", "mqtt://h/" + "a" * 301, "mqtt://name:word@h/a"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        read_address(url)


@pytest.mark.parametrize(
    ("url", "bare", "password"),
    [
        ("mqtt://h/a", "mqtt://h/a", None),
        ("mqtt://me@h/a", "mqtt://me@h/a", None),
        ("mqtt://me:p%40ss:w@h:1/a/#", "mqtt://me@h:1/a/#", "p@ss:w"),
        ("mqtt://me:@h/a", "mqtt://me@h/a", ""),
        ("mqtt://h/a:b@c", "mqtt://h/a:b@c", None),
        ("no address", "no address", None),
    ],
)
def test_a_password_is_taken_out_of_an_address(url: str, bare: str, password: str | None) -> None:
    assert split_password(url) == (bare, password)


@pytest.mark.parametrize(
    "url", ["mqtt://me:se/cret@h/a", "mqtt://me:secret@h", "tcp://me:secret@h:1", "x://me:secret@h"]
)
def test_no_sentence_quotes_a_password(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_address(url)
    assert "cret" not in str(refused.value)


def test_an_account_is_name_broker_and_how_it_is_reached() -> None:
    url = "mqtts://me@h/a?ca=/x"
    assert same_account(url, "mqtts://me@h:8883/other/#")
    for other in ("mqtt://me@h:8883/a", "mqtts://you@h/a", "mqtts://me@g/a", "mqtts://me@h:1/a"):
        assert not same_account(url, other)


def test_the_cap_lets_so_many_go_on_and_keeps_the_newest() -> None:
    allowance = cap.Allowance(2.0, 0.0)
    assert [allowance.take(0.0) for _ in range(3)] == [True, True, False]
    assert [allowance.take(0.5), allowance.take(0.5)] == [True, False]
    waiting = cap.Waiting()
    first, second = (Sensed(report("1", lat, 0.0), b"") for lat in (1.0, 2.0))
    waiting.put("a", first)
    waiting.put("b", first)
    waiting.put("a", second)
    assert waiting.superseded_count == 1
    key, newest = waiting.pop()
    assert (key, newest) == ("a", second)
    waiting.put_back("a", second)
    assert waiting.pop()[0] == "a"
    waiting.put("b", second)
    waiting.put_back("b", first)
    assert waiting.pop() == ("b", second), "what came meanwhile is newer"


def test_who_waits_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cap, "WAITING_MAX", 2)
    waiting = cap.Waiting()
    for key in "abc":
        waiting.put(key, Sensed(report(key, 1.0, 1.0), b""))
    assert (len(waiting), waiting.superseded_count, waiting.pop()[0]) == (2, 1, "b")


def test_a_rate_is_the_mean_of_the_last_whole_seconds() -> None:
    rate = cap.Rate(10)
    for second in range(20):
        rate.count(second + 0.5, 5)
    assert rate.per_s(20.0) == 5.0
    assert rate.per_s(25.0) == 2.5
    assert rate.per_s(100.0) == 0.0


def test_one_wrong_fix_and_a_fast_ship_are_no_twins() -> None:
    twins = Twins()
    for number in range(20):
        lat_deg = 10.0 if number == 7 else 54.0 + number * 0.002
        twins.hear(report("1", lat_deg, 10.0), number * 10_000)
        twins.hear(report("2", 54.0, 10.0 + number * 0.003, type="a-u-A-C"), number * 1_000)
    assert twins.found(0) == ()
    assert twins.jump_count == 2, "away and back"


def test_a_ship_at_two_places_is_found_and_forgotten() -> None:
    twins = Twins()
    for number in range(6):
        twins.hear(report("1", 54.0, 10.0), number * 20_000)
        twins.hear(report("1", 43.0, 5.0), number * 20_000 + 10_000)
    (twin,) = twins.found(110_000)
    assert twin.alias == "mmsi 1"
    assert {twin.here, twin.there} == {Position(54.0, 10.0), Position(43.0, 5.0)}
    assert twins.found(110_000 + 600_001) == ()


def test_the_life_of_a_feed_is_a_table() -> None:
    assert STATES.run(["add", "end", "resume", "pause", "resume"]) == ("running", ())
    assert STATES.run(["add", "pause", "end"]) == ("paused", (2,)), "an end that comes late changes nothing"
    assert STATES.check("removed", "resume") is not None
