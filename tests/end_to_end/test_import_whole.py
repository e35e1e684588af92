"""An import of an order of battle is written whole or not at all, also when the node is killed in the middle of it."""

import random
import threading
import time
from urllib.error import URLError

import pytest

from aquila.client import Node
from aquila.testing.served import Serve

UNITS = 1_000


def table(name: str) -> str:
    """One headquarters and all others below it."""
    return "name,parent\n" + f"{name} HQ,\n" + "".join(f"{name} {n},{name} HQ\n" for n in range(UNITS - 1))


class Importing(threading.Thread):
    """One import. was_answered: did the node say that it is written?"""

    def __init__(self, api: Node, name: str) -> None:
        super().__init__(daemon=True)
        self.was_answered = False
        self._api, self._name = api, name

    def run(self) -> None:
        """Until it is answered or the node is gone."""
        try:
            said = self._api.import_orbat(format="csv", content=table(self._name))
        except (URLError, OSError, ValueError, EOFError):
            return
        self.was_answered = said["made"] == UNITS


def kill_rounds(serve: Serve, rounds: int) -> None:
    """Import, kill at any moment of it, start again and count."""
    node, dice = serve(), random.Random(1)
    began = time.monotonic()
    node.api.import_orbat(format="csv", content=table("first"))
    takes_s = time.monotonic() - began
    for number in range(rounds):
        name = f"r{number}"
        importing = Importing(node.api, name)
        importing.start()
        importing.join(dice.uniform(0.3, 1.1) * takes_s)
        node.kill()
        importing.join(20)
        node.start()
        kept = sum(row["unit"]["name"].startswith(f"{name} ") for row in node.api.orbat())
        assert kept in (0, UNITS), f"round {number}: {kept} of {UNITS} units are there"
        assert kept == UNITS or not importing.was_answered, f"round {number}: an import that was answered is lost"


def test_an_import_is_there_whole_or_not_at_all_after_kill_9(serve: Serve) -> None:
    kill_rounds(serve, 3)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_an_import_is_there_whole_or_not_at_all_after_twenty_kills(serve: Serve) -> None:
    kill_rounds(serve, 20)
