"""A client made of pytak (PyPI) as it is: sends one file of CoT, prints what it hears until a word was heard.

Runs as a program of its own: python pytak_peer.py URL FILE WORD [SETTING=VALUE ...]
In place of the URL, the path of a data package may stand: what it says is used.
"""

import asyncio
import sys
import warnings
from configparser import ConfigParser
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pytak warns of extras that nobody needs here
    import pytak

SAID = Path(sys.argv[2]).read_bytes()


class _Sender(pytak.QueueWorker):  # type: ignore[misc]
    async def handle_data(self, data: bytes) -> None:
        await self.put_queue(data)

    async def run(self, _: int = -1) -> None:
        await self.handle_data(SAID)


class _Listener(pytak.QueueWorker):  # type: ignore[misc]
    async def handle_data(self, data: bytes) -> None:
        sys.stdout.write(data.decode() + "\n")

    async def run(self, _: int = -1) -> None:
        while True:
            data = await self.queue.get()
            await self.handle_data(data)
            if sys.argv[3].encode() in data:
                return


async def main() -> None:
    """Send, and hear until the word was heard."""
    parser = ConfigParser()
    parser["peer"] = {"COT_URL": sys.argv[1], "PYTAK_NO_HELLO": "1"}
    if sys.argv[1].endswith(".zip"):
        said = pytak.read_pref_package(sys.argv[1])
        # It reads "ssl" out of the package and knows the same thing as "tls".
        parser["peer"].update(said | {"COT_URL": said["COT_URL"].replace("ssl://", "tls://")})
    parser["peer"].update(word.split("=", 1) for word in sys.argv[4:])
    tool = pytak.CLITool(parser["peer"])
    await tool.setup()
    tool.add_task(_Sender(tool.tx_queue, parser["peer"]))
    listener = _Listener(tool.rx_queue, parser["peer"])
    for task in tool.tasks:
        tool.run_task(task)
    await asyncio.wait_for(listener.run(), 60)
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
