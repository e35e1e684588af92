"""MEDEVAC desk: requests from phones and desks, assets, facilities, clocks of every casualty."""

from aquila.core.feature import Feature
from aquila.features.medevac.commands import COMMANDS
from aquila.features.medevac.queries import QUERIES
from aquila.features.medevac.request import medevac_view
from aquila.features.medevac.rules import take_in_rule

feature = Feature(name="medevac", views=(medevac_view,), rules=(take_in_rule,), queries=QUERIES, commands=COMMANDS)

__all__ = ["feature"]
