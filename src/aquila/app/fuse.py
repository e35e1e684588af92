"""The command `aquila fuse`: the tracker over a file of plots, fed in time order as if live."""

from pathlib import Path
from typing import Annotated

import typer


def fuse(
    plots: Annotated[Path, typer.Argument(help="CSV: time or utc, sensor, x,y or lat,lon, sigma or xx,yy,xy.")],
    sensors: Annotated[Path, typer.Option(help="JSON: per sensor pd, clutter_density, period_s, all optional.")],
    out: Annotated[Path, typer.Option(help="CSV of tracks to write: time,track_id,x,y,vx,vy.")],
) -> None:
    """Run the tracker over a file of plots; after every scan one row per confirmed live track.

    Example: aquila fuse PLOTS.csv --sensors SENSORS.json --out TRACKS.csv

    The formats stand in docs/formats/plots.md.
    """
    from aquila.app.fuse_files import fuse_files  # scipy takes a second: no other command waits for it

    fuse_files(plots, sensors, out)
