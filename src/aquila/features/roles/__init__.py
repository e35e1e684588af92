"""Roles: who holds which post now, what that allows, and what each post sees first."""

from aquila.core.feature import Feature
from aquila.features.roles.commands import COMMANDS
from aquila.features.roles.queries import QUERIES
from aquila.features.roles.rights import guard
from aquila.features.roles.turn import roles_view

feature = Feature(name="roles", views=(roles_view,), queries=QUERIES, commands=COMMANDS, guards=(guard,))

__all__ = ["feature"]
