"""Label classes: every distinct (context, label) once, so that a track point carries a number."""

import sqlite3

import msgspec

from aquila.core.model import Context, Label

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Label)


class LabelClass(msgspec.Struct, frozen=True):
    """A context and a marking that stored samples share."""

    context: Context
    label: Label


def class_id(connection: sqlite3.Connection, context: Context, label: Label) -> int:
    """The number of this class; made when it is new, in the caller's transaction."""
    key = (context, _encoder.encode(label))
    found = connection.execute("SELECT id FROM label_class WHERE context=? AND label=?", key).fetchone()
    if found is None:
        found = connection.execute("INSERT INTO label_class(context, label) VALUES(?,?) RETURNING id", key).fetchone()
    return int(found[0])


def classes(connection: sqlite3.Connection) -> dict[int, LabelClass]:
    """All classes by number. Release is decided on these, once, before any track is read."""
    rows = connection.execute("SELECT id, context, label FROM label_class")
    return {number: LabelClass(context, _decoder.decode(label)) for number, context, label in rows}
