"""The simulation finds planted faults: a small change of one class of the product breaks a promise soon."""

import time
from collections.abc import Callable, Iterable, Sequence

import pytest

from aquila.core.journal import Head, Staged
from aquila.core.model import Arrival, Audience, Entry, Note, Report, Sample
from aquila.core.node import Node
from aquila.core.policy import Policy
from aquila.core.sync import Answer, Ask, Line, Replica
from aquila.features.chat.view import Chat
from aquila.features.log.view import Log, LogLine
from aquila.features.picture.view import Cell, Picture
from aquila.testing.simulation import STILL_CLOCKS, STORM, BrokenPromiseError, Host, Parts, World

# -- in sync ---------------------------------------------------------------------------------------------------------


class NoWants(Replica):
    """Forgets that a stub is to be asked for again."""

    def ask(self) -> Ask:
        return Ask(super().ask().have, ())


class FixedWants(Replica):
    """Asks for the first want only, and never for the rest."""

    def ask(self) -> Ask:
        return Ask(super().ask().have, tuple(sorted(self._wanted))[:1])


class AnybodyDenies(Replica):
    """Whoever has no line denies it, and is believed."""

    def answer(self, ask: Ask, peer: Audience) -> Answer:
        answer = super().answer(ask, peer)
        sent = {line.place for line in answer.lines if line.envelope_bytes is not None}
        return Answer(answer.lines, tuple(place for place in ask.wants if place not in sent), answer.policy_epoch)

    def take(self, answer: Answer, peer: str) -> list[Entry]:
        fresh = super().take(answer, peer)
        for place in answer.denied:
            self._wanted.pop(place, None)
        return fresh


class DeniedForGood(Replica):
    """What was denied once is not asked for again when the policy changes."""

    def reopen(self) -> None:
        pass


class ReleaseNotAsked(Replica):
    """Sends everything to everybody."""

    def _cleared(self, line: Line, peer: Audience) -> Line:
        return line


class ClearanceNotAsked(Replica):
    """Takes every peer for cleared up to the top."""

    def _cleared(self, line: Line, peer: Audience) -> Line:
        return super()._cleared(line, Audience(peer.context, peer.nation, "SECRET", peer.caveats, peer.groups))


class OriginalInTheStub(Replica):
    """Withholds envelope and body, and sends the foreign original all the same."""

    def _cleared(self, line: Line, peer: Audience) -> Line:
        cleared = super()._cleared(line, peer)
        return cleared if cleared.envelope_bytes else Line(line.place, line.digest, original=line.original)


class PolicyOfTheStart(Replica):
    """Goes on releasing by the policy that was in force when the process started."""

    def __init__(self, node: str, epoch: int, policy: Callable[[], Policy], lines: Iterable[Line] = ()) -> None:
        then = policy()
        super().__init__(node, epoch, lambda: then, lines)


class NoGapCheck(Replica):
    """Takes lines that do not follow what is held, and believes that it has all before them."""

    def _is_next(self, line: Line) -> bool:
        return True

    def _hold(self, line: Line) -> None:
        super()._hold(line)
        self._tops[line.place[:2]] = max(self._lines[line.place[:2]])


class FailedMergesForgotten(Replica):
    """Believes that it has what a full disk did not take."""

    def lost(self, entries: Iterable[Entry]) -> None:
        pass


# -- around the journal ----------------------------------------------------------------------------------------------


class NoSyncBeforeTheAcknowledgement(Host):
    """Acknowledges, and shows to peers, what is not durable yet."""

    def written(self, entries: Sequence[Entry]) -> None:
        self.durable(entries)


class HeadForgotten(Host):
    """Begins its chain anew after every start."""

    def boot(self) -> None:
        super().boot()
        self.head = Head()


class TellsTwice(Host):
    """Tells the views again about what the journal had already."""

    def take(self, answer: bytes, peer: str) -> None:
        super().take(answer, peer)
        self.node.committed(self.journal.read(self.journal.last_arrival() - 1, 1), live=False)


class RulesOnWhatIsMerged(Host):
    """Takes everything for new and live."""

    def tell(self, entries: Sequence[Entry], *, live: bool) -> None:
        super().tell(entries, live=True)


class PositionsNotRecorded(Host):
    """A recording with statements and ticks only."""

    def record(self, arrival: Arrival) -> None:
        if not isinstance(arrival, Sample):
            super().record(arrival)


# -- in views --------------------------------------------------------------------------------------------------------


class LastArrivalWins(Picture):
    """Keeps what came last instead of what is newest."""

    def _keep(self, lane: int, cell: Cell) -> None:
        self._known(cell.report.entity).lanes[lane][:] = [cell]


class RemovalDeletes(Picture):
    """A removal takes away what came before it, whatever its stamp."""

    def fold(self, arrival: Arrival) -> None:
        if isinstance(arrival, Entry) and not isinstance(arrival.body, Report):
            self._entities.pop(getattr(arrival.body, "entity", ""), None)
        super().fold(arrival)


class ChatInOrderOfArrival(Chat):
    """Keeps what came since the last line of room red."""

    def fold(self, arrival: Arrival) -> None:
        if isinstance(arrival, Entry) and isinstance(arrival.body, Note) and arrival.body.room == "red":
            self._rooms.clear()
        super().fold(arrival)


class LogWithoutTieBreak(Log):
    """Orders lines by the clock alone."""

    def lines(self) -> list[LogLine]:
        return sorted(self._lines.values(), key=lambda line: line.stamp.hlc)


FAULTS: list[tuple[Parts, str, int]] = [
    (Parts(replica=NoWants), "none missing", 5),
    (Parts(replica=FixedWants), "none missing", 20),
    (Parts(replica=AnybodyDenies), "none missing", 40),
    (Parts(replica=DeniedForGood), "none missing", 120),
    (Parts(replica=ReleaseNotAsked), "no leak", 1),
    (Parts(replica=ClearanceNotAsked), "no leak", 40),
    (Parts(replica=OriginalInTheStub), "no leak", 1),
    (Parts(replica=PolicyOfTheStart), "no leak", 40),
    (Parts(replica=NoGapCheck), "no gap", 100),
    (Parts(replica=FailedMergesForgotten), "no gap", 40),
    (Parts(host=NoSyncBeforeTheAcknowledgement), "no acknowledged loss", 5),
    (Parts(host=HeadForgotten), "no acknowledged loss", 5),
    (Parts(host=TellsTwice), "told once", 1),
    (Parts(host=RulesOnWhatIsMerged), "rules at home", 5),
    (Parts(host=PositionsNotRecorded), "recording", 5),
    (Parts(last_hlc=lambda journal: 0), "clock", 5),
    (Parts(views=(LastArrivalWins,)), "any order", 5),
    (Parts(views=(RemovalDeletes,)), "any order", 5),
    (Parts(views=(ChatInOrderOfArrival,)), "any order", 5),
    (Parts(views=(LogWithoutTieBreak,)), "any order", 5),
]


def name_of(fault: object) -> str:
    if not isinstance(fault, Parts):
        return str(fault)
    own = Parts()
    changed = [part for part in (fault.replica, fault.host, *fault.views) if part not in (own.replica, own.host)]
    return changed[0].__name__ if changed else "ClockForgotten"


@pytest.mark.parametrize(("parts", "promise", "seeds"), FAULTS, ids=name_of)
def test_a_planted_fault_is_found_within_so_many_seeds(parts: Parts, promise: str, seeds: int) -> None:
    broken: list[str] = []
    for seed in range(seeds):
        try:
            World(seed, STILL_CLOCKS if LogWithoutTieBreak in parts.views else STORM, parts).run()
        except BrokenPromiseError as found:
            broken.append(found.promise)
        except KeyError:
            broken.append("a crash of sync itself")
        if promise in broken:
            return
    pytest.fail(f"{seeds} seeds kept the promise {promise!r}; broken were {broken}")


class WallClockInNode(Node):
    """Looks at the clock of the machine that runs the test."""

    def _stage(self, *args: object, **more: object) -> Staged:
        self.hlc.last += time.monotonic_ns() % 1000
        return super()._stage(*args, **more)  # type: ignore[arg-type]


def test_a_wall_clock_inside_the_node_is_found_because_the_same_seed_gives_other_journals() -> None:
    parts = Parts(node=WallClockInNode)
    assert World(1, parts=parts).run().digest() != World(1, parts=parts).run().digest()
