"""Aquila, an open C4I node: one command, one picture, one journal."""

__version__ = "0.1.0"
