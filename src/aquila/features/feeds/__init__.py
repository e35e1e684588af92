"""Feeds: sources of sensor data, what is kept of them, and how they do."""

from aquila.core.feature import Feature
from aquila.features.feeds.commands import commands
from aquila.features.feeds.feed import FEED, PASSWORDS, Feed, feeds_view, of_node, password_name, state_of
from aquila.features.feeds.live import FeedLive, Feeds, LastSample
from aquila.features.feeds.queries import feeds
from aquila.features.feeds.twins import Twin, Twins

feature = Feature(name="feeds", views=(feeds_view,), queries=(feeds,), commands=commands)

__all__ = [
    "FEED",
    "PASSWORDS",
    "Feed",
    "FeedLive",
    "Feeds",
    "LastSample",
    "Twin",
    "Twins",
    "feature",
    "of_node",
    "password_name",
    "state_of",
]
