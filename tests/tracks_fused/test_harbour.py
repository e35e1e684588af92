"""The same ship from AIS, two radars and a phone is one symbol with its sources: the harbour, from its bytes on."""

from collections import Counter
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import msgspec
import numpy as np

from aquila.app.fusing import Fusing, Heard, HeardPlot, HeardReport, Symbol, member_id
from aquila.app.parts import load_sensor
from aquila.core.model import Label, Report
from aquila.core.plot import Plot
from aquila.core.policy import Policy
from aquila.core.sensing import Sensed, new_decoder
from aquila.fusion.correlate import TrackKey
from aquila.fusion.quality import Quality, judge
from aquila.fusion.quality import Sample as Moment
from aquila.simulator.harbour import Harbour, scene

POLICY = Policy()
START_MS = 1_795_000_000_000
STEP_S = 0.25
FORMATS = {"ais": "ais", "adsb": "sbs", "radar-1": "asterix", "radar-2": "asterix"}


class Receivers:
    """The decoders of the scene's feeds."""

    def __init__(self) -> None:
        self._decoders = {feed: new_decoder(load_sensor(format)) for feed, format in FORMATS.items()}
        (cot,) = (point for point in entry_points(group="aquila.codecs") if point.name == "cot-xml")
        self._cot = cot.load().decoder()

    def hear(self, feed: str, data: bytes, at_ms: int, label: Label) -> list[Heard]:
        """What a feed has said; every byte of it is readable."""
        if feed == "phone":
            return [HeardReport(one.body, label, at_ms) for one in self._cot.feed(data)]
        heard: list[Heard] = []
        for one in self._decoders[feed].feed(data, at_ms):
            assert isinstance(one, Sensed), one
            if isinstance(one.body, Plot):
                heard.append(HeardPlot(one.body, label, at_ms))
            else:
                assert isinstance(one.body, Report)
                heard.append(HeardReport(one.body, label, at_ms))
        return heard


def play(seconds: int, labels: dict[str, Label] | None = None, seed: int = 7) -> tuple[Fusing, Harbour, list[Any]]:
    """Let the harbour live; gives the fusion, the truth and what was said at each step."""
    harbour, receivers, fusing = Harbour(msgspec.structs.replace(scene(), seed=seed)), Receivers(), Fusing(POLICY)
    told = []
    for step in range(int(seconds / STEP_S)):
        at_ms = START_MS + round(step * STEP_S * 1000)
        batch: list[Heard] = []
        for said in harbour.step(STEP_S, at_ms):
            label = (labels or {}).get(said.feed, POLICY.default_label)
            batch += receivers.hear(said.feed, said.data, at_ms, label)
        symbols = fusing.step(batch, at_ms)
        told.append((at_ms, symbols, harbour.xy.copy()))
    return fusing, harbour, told


@cache
def played() -> tuple[Fusing, Harbour, list[Any]]:
    """A minute and a half of it."""
    return play(90)


def target_of(key: TrackKey, fusing: Fusing) -> int | None:
    """Number of the true target that a self-reporter is; None = a radar track says no name."""
    one = fusing.shot.reported.get(key)
    if one is None:
        return None
    value = one.report.alias.value
    if key[0] == "mmsi":
        return int(value) - 451_000_000
    return int(value, 16) - 0x501000 if key[0] == "icao24" else int(value.removeprefix("PHONE-"))


def test_one_thing_is_one_group_with_all_its_sources() -> None:
    fusing, harbour, _ = played()
    sources: dict[int, set[str]] = {}
    for at, group in enumerate(fusing.shot.groups):
        named = {target_of(key, fusing) for key in group.members} - {None}
        assert len(named) <= 1, f"{group.members} are several"
        x = fusing.shot.x[at]
        assert fusing.plane is not None
        lat_lon = fusing.plane.to_lat_lon(x[None, :2])
        apart = np.hypot(*((harbour.lat_lon(harbour.xy) - lat_lon) * [111_195, 82_080]).T)
        target = named.pop() if named else int(apart.argmin())
        assert target is not None
        # An aircraft turns back at the edge of the scene from one moment to the next.
        assert apart[target] < (250.0 if harbour.is_ship[target] else 1_000.0)
        sources.setdefault(target, set()).update(key[0] for key in group.members)
        assert len(group.members) == len({key[0] for key in group.members})
    expected = {
        n: {"radar"}
        | ({"mmsi"} if harbour.has_ais[n] else set())
        | ({"cot"} if harbour.has_phone[n] else set())
        | (set() if harbour.is_ship[n] else {"icao24"})
        for n in range(len(harbour.ids))
    }
    right = sum(sources.get(n) == wanted for n, wanted in expected.items())
    assert right >= 0.95 * len(expected), Counter(tuple(sorted(found)) for found in sources.values())
    assert any(len(found) == 3 for found in sources.values())


def test_the_biases_of_both_radars_are_learned_from_those_that_report_themselves() -> None:
    fusing, _, _ = played()
    for radar in scene().radars:
        site = fusing.radars.sites[f"asterix:{radar.sac}/{radar.sic}"]
        learned = fusing.radars.biases[site.slot].bias
        assert abs(learned.first - radar.bias_range_m) < 60.0
        assert abs(np.degrees(learned.second) - radar.bias_azimuth_deg) < 0.1


def quality_of(told: list[Any], fusing: Fusing, from_s: float = 30.0) -> Quality:
    """Of what was said, against the truth, once a second."""
    shown: dict[str, Report] = {}
    moments = []
    for at_ms, symbols, truth in told:
        for symbol in symbols:
            if symbol.body.ended:
                shown.pop(symbol.body.entity, None)
            else:
                shown[symbol.body.entity] = symbol.body
        if at_ms % 1000 or at_ms < START_MS + from_s * 1000:
            continue
        places = np.array([(one.position.lat_deg, one.position.lon_deg) for one in shown.values() if one.position])
        centre = scene().centre
        scale = 111_195.0 * np.array([np.cos(np.radians(centre[0])), 1.0])
        xy = (places - centre)[:, ::-1] * scale
        moments.append(Moment(at_ms / 1000, range(len(truth)), truth, list(shown), xy))
    found = judge(moments, 300.0)
    assert found is not None
    return found


def test_the_picture_is_complete_and_keeps_its_names() -> None:
    fusing, _, told = played()
    found = quality_of(told, fusing)
    assert found.completeness is not None
    assert found.completeness > 0.93
    assert found.spurious is not None
    assert found.spurious < 0.07
    assert found.switches_per_target_min < 0.2


def test_the_same_bytes_give_the_same_symbols() -> None:
    def words(told: list[Any]) -> list[list[Symbol]]:
        return [symbols for _, symbols, _ in told]

    first, again = play(20)[2], play(20)[2]
    assert words(first) == words(again)
    assert any(words(first))


def test_a_fused_track_is_marked_as_strictly_as_all_its_sources() -> None:
    secret = msgspec.structs.replace(POLICY.default_label, classification=POLICY.classifications[1])
    _, _, told = play(30, {"radar-1": secret, "radar-2": secret})
    reports = [symbol for _, symbols, _ in told for symbol in symbols if isinstance(symbol.body, Report)]
    assert reports
    for symbol in reports:
        assert isinstance(symbol.body, Report)
        expected = secret if "radar" in symbol.body.fields["sources"] else POLICY.default_label
        assert symbol.label.classification == expected.classification


def test_members_stay_what_they_are() -> None:
    fusing, _, told = played()
    members = {member_id(key) for group in fusing.shot.groups for key in group.members if key[0] != "radar"}
    said = {symbol.body.entity for _, symbols, _ in told for symbol in symbols}
    assert members
    assert not members & said, "a fused track never speaks in the name of its source"
