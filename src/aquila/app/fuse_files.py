"""Fuses a file of plots into a file of tracks; `aquila fuse` says what it is told to."""

import os
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from aquila.core.errors import UsageError
from aquila.fusion.pipeline import Fusion
from aquila.fusion.plots import PlotFile, into_scans, read_plots
from aquila.fusion.sensor_file import read_sensors
from aquila.fusion.settings import Kind, Settings
from aquila.fusion.timeline import Taken

ROWS_NAMED = 20


def fuse_files(plots: Path, sensors: Path, out: Path) -> None:
    """Read both files, run the tracker, write the tracks; say on the terminal what was left out and what was learned.

    Raises:
        UsageError: A file cannot be read, written or understood.
    """
    screen = Console(stderr=True, emoji=False)
    known = read_sensors(_text(sensors))
    try:
        with plots.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            found = read_plots(lines, known)
    except OSError as wrong:
        raise UsageError(f"{plots} cannot be read: {wrong.strerror}") from None
    _tell(
        screen,
        f"{len(found.t_s)} plots of {len(found.sensors)} sensors, {len(found.bad)} of {found.rows} rows left out",
    )
    for row in found.bad[:ROWS_NAMED]:
        _tell(screen, f"line {row.line} left out: {row.why}")
    if len(found.bad) > ROWS_NAMED:
        _tell(screen, f"and {len(found.bad) - ROWS_NAMED} more lines")
    for name in known.unknown:
        _tell(screen, f"not understood and not used: {name}")
    try:
        _write(found, known.kind, out, screen)
    except OSError as wrong:
        raise UsageError(f"{out} cannot be written: {wrong.strerror}") from None


def _tell(screen: Console, sentence: str) -> None:
    screen.print(escape(sentence), highlight=False, soft_wrap=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as wrong:
        raise UsageError(f"{path} cannot be read: {wrong.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no UTF-8 text") from None


def _write(found: PlotFile, kind: Kind, out: Path, screen: Console) -> None:
    """Writes beside the file and renames: a run that is broken off leaves no half file behind."""
    scans = into_scans(found)
    sigmas = [
        float(np.sqrt(np.median(found.noise[found.sensor == k, :2]))) if (found.sensor == k).any() else np.inf
        for k in range(len(found.sensors))
    ]
    fusion = Fusion(found.sensors, sigmas, Settings(kind=kind), late=found.arrival_s is not None)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            place = ",lat,lon" if found.plane is not None else ""
            stream.write(f"time,track_id,x,y,vx,vy{place}\n")
            columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
            with Progress(*columns, console=screen, transient=True) as progress:
                for scan in progress.track(scans, description="scans"):
                    taken = fusion.take(scan)
                    if scan.ends_turn and taken in (Taken.IN_ORDER, Taken.REPLAYED):
                        stream.writelines(_rows(fusion, found))
        Path(name).chmod(0o644)
        Path(name).replace(out)
    finally:
        Path(name).unlink(missing_ok=True)
    if fusion.timeline is not None:
        counted = ", ".join(f"{count} {taken}" for taken, count in fusion.timeline.counts.items())
        _tell(screen, f"scans: {counted}")
    for learned, bias in zip(fusion.tracker.learned, fusion.biases, strict=True):
        unit = "m and rad" if bias.polar else "m and m"
        _tell(
            screen,
            f"{learned.sensor.name}: pd {learned.pd:.2f}, clutter {learned.clutter_density:.2g} per m^2 and scan,"
            f" bias {bias.bias.first:.1f} and {bias.bias.second:.4g} ({unit})",
        )
    _tell(screen, f"wrote {out}")


def _rows(fusion: Fusion, found: PlotFile) -> list[str]:
    numbers, picture = fusion.picture()
    at = f"{picture.t_s:.6f}".rstrip("0").rstrip(".")
    places = [""] * len(numbers)
    if found.plane is not None:
        places = [f",{lat:.7f},{lon:.7f}" for lat, lon in found.plane.to_lat_lon(picture.x[:, :2])]
    return [
        f"{at},{number},{x:.2f},{y:.2f},{vx:.3f},{vy:.3f}{place}\n"
        for number, (x, y, vx, vy), place in zip(numbers, picture.x.tolist(), places, strict=True)
    ]
