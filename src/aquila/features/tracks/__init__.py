"""Tracks: what several sources have of one thing, why it is one, and what persons have said of it."""

from aquila.core.feature import Feature
from aquila.features.tracks.board import Because, Fused, Fusions, PlottedBy, TrackMember
from aquila.features.tracks.commands import COMMANDS
from aquila.features.tracks.pairs import PAIR, Pair, Word, pairs_view, words_of
from aquila.features.tracks.queries import QUERIES

feature = Feature(name="tracks", views=(pairs_view,), queries=QUERIES, commands=COMMANDS)

__all__ = ["PAIR", "Because", "Fused", "Fusions", "Pair", "PlottedBy", "TrackMember", "Word", "feature", "words_of"]
