"""Asking a node from the command line: over DATA/control.sock when one runs, else by opening the folder itself.

What the node is made of is loaded only in the second case: a command that asks a running node must answer at once.
"""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

from aquila.app.control_socket import ASK_TIMEOUT_S, LENGTH, socket_name
from aquila.core.errors import UsageError
from aquila.stores.sqlite.folder import holder_of

ANSWER_BYTES_MAX = 1 << 30

MAKES_NODE = frozenset({"import"})
"""Words that may begin a new data folder; all others would only hide a slip of the pen in --data."""


def ask(data: Path, word: str, request: dict[str, Any]) -> Any:
    """Have a word answered by the node that holds `data`, or by opening the folder when none does.

    Raises UsageError with the node's own sentence, and for a folder that holds no node: it makes none.
    """
    if word not in MAKES_NODE and not holds_node(data):
        raise UsageError(f"{data} holds no node: start one with `aquila serve --data {data}`, or name another --data")
    if holder_of(data) is not None:
        return _ask_socket(data, word, request)
    from aquila.app.control import ask_folder  # the whole node: see above

    return asyncio.run(ask_folder(data, word, request))


def holds_node(data: Path) -> bool:
    """Whether a node was ever started on this folder. Raises UsageError when this user may not look into it."""
    try:
        return (data / "journal.db").exists()
    except OSError as wrong:
        raise UsageError(f"{data} cannot be looked into ({wrong.strerror}): run this as the node's user") from wrong


def _ask_socket(data: Path, word: str, request: dict[str, Any]) -> Any:
    frame = json.dumps({"word": word, "request": request}).encode()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talk:
            talk.settimeout(ASK_TIMEOUT_S)
            with socket_name(data / "control.sock") as name:
                talk.connect(name)
            talk.sendall(LENGTH.pack(len(frame)) + frame)
            length = LENGTH.unpack(_exactly(talk, LENGTH.size))[0]
            answer = json.loads(_exactly(talk, min(length, ANSWER_BYTES_MAX)))
    except OSError as wrong:
        raise UsageError(
            f"the node that holds {data} does not answer on its control socket ({wrong.strerror or wrong}): is it"
            " starting or stopping? Try again, as the user that runs it"
        ) from wrong
    if "error" in answer:
        raise UsageError(answer["error"])
    return answer["answer"]


def _exactly(talk: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = talk.recv(min(1 << 20, count - len(parts)))
        if not part:
            raise ConnectionError("the node went away")
        parts += part
    return bytes(parts)
