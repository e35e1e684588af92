"""Packages: files and data packages that people send each other through this node (TAK: Enterprise Sync)."""

from aquila.core.feature import Feature
from aquila.features.packages.commands import label_row, rename_row, withdraw_row
from aquila.features.packages.iconset_view import Iconsets
from aquila.features.packages.iconsets import drop_iconset_row, iconset_list
from aquila.features.packages.marti import endpoints
from aquila.features.packages.marti_iconsets import endpoints as iconset_rows
from aquila.features.packages.queries import package, packages
from aquila.features.packages.sending import send_row
from aquila.features.packages.view import Packages

feature = Feature(
    name="packages",
    views=(Packages, Iconsets),
    queries=(packages, package, iconset_list),
    commands=(rename_row, label_row, send_row, withdraw_row, drop_iconset_row),
    endpoints=(*endpoints, *iconset_rows),
)

__all__ = ["Packages", "feature"]
