"""Replay: a recording folded into fresh views; the same recording always gives the same hash of the whole node."""

from pathlib import Path

import msgspec

from aquila.app.parts import load_features
from aquila.core.errors import UsageError
from aquila.core.model import Entry, Sample
from aquila.core.owners import Owners
from aquila.core.recording import decode_recording
from aquila.core.view import View, state_hash


class Replayed(msgspec.Struct, frozen=True):
    """What a recording held, and the hash of the state that it folds to."""

    entries: int
    samples: int
    ticks: int
    state_hash: str


def replay_file(path: Path) -> Replayed:
    """Fold a recording. Raises UsageError when it cannot be read or is none."""
    try:
        data = path.read_bytes()
    except OSError as wrong:
        raise UsageError(f"recording {path} cannot be read ({wrong.strerror}): name a *.rec file of a node") from wrong
    views: list[View] = [make_view() for feature in load_features() for make_view in feature.views]
    views.append(Owners())
    entries = samples = ticks = 0
    try:
        for arrival in decode_recording(data):
            if isinstance(arrival, Entry):
                entries += 1
            elif isinstance(arrival, Sample):
                samples += 1
            else:
                ticks += 1
            for view in views:
                view.fold(arrival)
    except msgspec.MsgspecError as wrong:
        raise UsageError(f"{path} is no recording of a node: {wrong}") from wrong
    if not entries + samples + ticks:
        raise UsageError(f"{path} holds nothing that was heard: name a *.rec file of a node that has run")
    return Replayed(entries, samples, ticks, state_hash(views))
