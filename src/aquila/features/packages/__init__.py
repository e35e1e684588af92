"""Packages: files and data packages that people send each other through this node (TAK: Enterprise Sync)."""

from aquila.core.feature import Feature
from aquila.features.packages.commands import label_row, rename_row, withdraw_row
from aquila.features.packages.marti import endpoints
from aquila.features.packages.queries import package, packages
from aquila.features.packages.view import Packages

feature = Feature(
    name="packages",
    views=(Packages,),
    queries=(packages, package),
    commands=(rename_row, label_row, withdraw_row),
    endpoints=endpoints,
)

__all__ = ["Packages", "feature"]
