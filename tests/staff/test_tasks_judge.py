"""The judge on a scripted set: every planted finding and no other. Merged histories: nothing is lost or doubled."""

import random

from aquila.core.model import Context, Entry, Envelope, Label, Paper
from aquila.core.papers import Papers, Thing
from aquila.core.phrases import phrase_in
from aquila.features.tasks.judge import MINUTE_MS, Case, Fix, judge
from aquila.features.tasks.task import TaskArea, TaskCondition

AREA = TaskArea(name="A", points=((45.0, 7.0), (45.0, 7.1), (45.1, 7.1), (45.1, 7.0)))
INSIDE, OUTSIDE = (45.05, 7.05), (45.5, 7.5)
HOUR = 60


def case(task: str, **fields: object) -> Case:
    plain: dict[str, object] = {"place": 0, "start_ms": 0, "end_ms": HOUR * MINUTE_MS, "polygon": None, "fix": None}
    made = Case(task=task, **{**plain, **fields})  # type: ignore[arg-type]
    return made


def fix(at: tuple[float, float], minute: int) -> Fix:
    return Fix(*at, minute * MINUTE_MS)


def scripted(seed: int) -> tuple[list[Case], set[tuple[str, str]], int]:
    """Cases at one time, and the (task, action) that somebody with the script in hand would say."""
    dice, now = random.Random(seed), 61
    polygon = AREA.to_polygon()
    cases, truth = [], set()
    for n in range(500):
        kind = dice.choice(["reach", "stay_out", "observe", "report", "keep_within"])
        name, is_in, minute = f"{kind}{n}", dice.random() < 0.5, dice.randrange(1, HOUR)
        at = fix(INSIDE if is_in else OUTSIDE, minute)
        if kind == "reach":
            by = dice.randrange(1, HOUR)
            condition = TaskCondition(kind="reach", area=AREA, by_ms=by * MINUTE_MS)
            cases.append(case(name, condition=condition, polygon=polygon, fix=at))
            truth.add((name, "on_time" if is_in and minute <= by else "late"))
        elif kind == "stay_out":
            cases.append(case(name, condition=TaskCondition(kind="stay_out", area=AREA), polygon=polygon, fix=at))
            truth |= {(name, "violated")} if is_in else set()
        elif kind == "observe":
            entered = dice.randrange(0, minute)
            condition = TaskCondition(kind="observe", area=AREA, minutes=20)
            since = entered * MINUTE_MS
            cases.append(case(name, condition=condition, polygon=polygon, fix=at, inside_since_ms=since))
            is_done = is_in and minute - entered >= 20
            truth |= {(name, "on_time" if is_done else "late")} | (set() if is_in else {(name, "leave")})
        elif kind == "report":
            heard = dice.randrange(0, HOUR)
            condition = TaskCondition(kind="report", minutes=30)
            cases.append(case(name, condition=condition, heard_ms=heard * MINUTE_MS))
            truth |= {(name, "late")} if heard <= 30 else set()
        else:
            condition = TaskCondition(kind="keep_within", within_m=300, entity="BUS")
            other = Fix(at.lat_deg + (0.002 if is_in else 0.004), at.lon_deg, at.at_ms)
            cases.append(case(name, condition=condition, fix=at, escorted=other))
            truth |= set() if is_in else {(name, "violated")}
    return cases, truth, now * MINUTE_MS


def test_precision_and_recall_are_one_on_the_scripted_set() -> None:
    for seed in range(10):
        cases, truth, now_ms = scripted(seed)
        found = {(each.task, each.action) for each in judge(cases, now_ms)}
        assert (found - truth, truth - found) == (set(), set())


def test_who_did_not_come_in_time_is_said_with_where_and_when_he_was_last_seen() -> None:
    condition = TaskCondition(kind="reach", area=AREA, by_ms=30 * MINUTE_MS)
    late = case("t", condition=condition, polygon=AREA.to_polygon(), fix=fix(OUTSIDE, 12))
    (found,) = judge([late], HOUR * MINUTE_MS)
    assert found.reason == "not in A by 0030Z: last seen at 0012Z, 32T LR 82810 39590"
    assert phrase_in("tasks.why", found.reason).words["grid"] == "32T LR 82810 39590"


def test_what_was_judged_is_not_judged_again_and_nothing_before_the_start() -> None:
    condition = TaskCondition(kind="stay_out", area=AREA)
    polygon, at = AREA.to_polygon(), fix(INSIDE, 5)
    done = case("t", condition=condition, polygon=polygon, fix=at, verdict="violated")
    early = case("t", condition=condition, polygon=polygon, fix=at, start_ms=10 * MINUTE_MS)
    old = case("t", condition=condition, polygon=polygon, fix=at, start_ms=6 * MINUTE_MS)
    assert list(judge([done], 60 * MINUTE_MS)) == []
    assert list(judge([early], 5 * MINUTE_MS)) == []
    assert list(judge([old], 60 * MINUTE_MS)) == []


CONTEXT: Context = "EXERCISE:TEST"
LABEL = Label("P", "UNCLASSIFIED", ("MISSION",), ("COMMON",))


def entry(number: int, node: str, at: int, seen: tuple[str, ...], fields: dict[str, int]) -> Entry:
    envelope = Envelope(
        node=node,
        epoch=1,
        seq=number + 1,
        hlc=at,
        id=f"{node}{number}",
        happened_at_ms=at,
        received_at_ms=at,
        author=f"person:{node}",
        on_behalf_of=None,
        via="web",
        label=LABEL,
        context=CONTEXT,
        kind="paper",
        body_version=1,
        subjects=(),
        cause=None,
        body_digest=b"",
        prev=b"",
    )
    body = Paper(type="tasks.task", target="t", action="edit", happened_at_ms=at, fields=fields, seen=seen)
    return Entry(envelope=envelope, envelope_bytes=b"", salt=b"", body_bytes=None, body=body)


def folded(entries: list[Entry]) -> tuple[Papers, Thing]:
    view = Papers("tasks", 1, ("tasks.",))
    for each in entries:
        view.fold(each)
    return view, next(view.all(CONTEXT))


def history(dice: random.Random) -> tuple[list[Entry], dict[str, frozenset[str]]]:
    """Two to four nodes write about one task, cut off, and now and then one takes what another has.

    Returns what all of them have together, and for each entry the ids that its writer had when it was written.
    """
    nodes = "abcd"[: dice.choice((2, 2, 3, 4))]
    first = entry(0, "a", 0, (), {"x": 0, "y": 0})
    held = {node: {first.envelope.id: first} for node in nodes}
    known: dict[str, frozenset[str]] = {first.envelope.id: frozenset()}
    for number in range(1, dice.randrange(2, 9)):
        node, other = dice.sample(nodes, 2)
        if dice.random() < 0.25:
            held[node] |= held[other]
            continue
        _, mine = folded(list(held[node].values()))
        made = entry(number, node, number, mine.heads(), {dice.choice("xy"): dice.randrange(3)})
        known[made.envelope.id] = frozenset(held[node])
        held[node][made.envelope.id] = made
    merged = {id: each for node in nodes for id, each in held[node].items()}
    return list(merged.values()), known


def disputed(entries: list[Entry], known: dict[str, frozenset[str]]) -> set[str]:
    """Fields of which the newest statements, those that no later writer had before him, say different things."""
    found = set()
    for field in "xy":
        papers = {e.envelope.id: e.body for e in entries if isinstance(e.body, Paper)}
        said = {id: paper.fields[field] for id, paper in papers.items() if field in paper.fields}
        newest = {value for id, value in said.items() if not any(id in known[other] for other in said)}
        if len(newest) > 1:
            found.add(field)
    return found


def test_ten_thousand_histories_of_two_to_four_writers_cut_and_merged_lose_nothing() -> None:
    dice = random.Random(5)
    told = {"histories": 0, "with a conflict": 0}
    for _ in range(10_000):
        merged, known = history(dice)
        twice = merged + dice.sample(merged, len(merged))
        dice.shuffle(twice)
        view, thing = folded(twice)
        assert view.snapshot() == folded(merged)[0].snapshot()
        assert [step.entry for step in thing.steps] == [
            each.envelope.id for each in sorted(merged, key=lambda each: each.envelope.stamp)
        ]
        conflicts = disputed(merged, known)
        assert {each.field for each in thing.conflicts()} == conflicts
        told["histories"] += 1
        told["with a conflict"] += bool(conflicts)
    assert told["histories"] == 10_000
    assert told["with a conflict"] > 1_000
