"""Screens: N stream clients that read all they get, and one that asks for entities, tracks and entries without pause.

python bench/hub/screens.py HTTP_PORT TOKEN COUNT
"""

import asyncio
import sys
import time

import httpx
import websockets


async def watch(port: int, token: str, ready: asyncio.Semaphore) -> None:
    """One screen."""
    headers = {"Authorization": f"Bearer {token}"}
    async with websockets.connect(
        f"ws://127.0.0.1:{port}/api/v1/stream", additional_headers=headers, max_size=None
    ) as stream:
        await stream.send('{"t":"view","bbox":null,"interval_ms":1000}')
        await stream.recv()
        ready.release()
        async for _ in stream:
            pass


async def ask(port: int, token: str) -> None:
    """History queries, one after the other."""
    base = f"http://127.0.0.1:{port}/api/v1"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        while True:
            now_ms = time.time_ns() // 1_000_000
            for path in (
                "entities?limit=500",
                f"tracks?bbox=-180,-90,180,90&from_ms={now_ms - 600_000}&until_ms={now_ms}&limit=2000",
                "entries?limit=500",
            ):
                await client.get(f"{base}/{path}")
            await asyncio.sleep(0.1)


async def main(port: int, token: str, count: int) -> None:
    """Connect all, say so, go on."""
    ready = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(watch(port, token, ready)) for _ in range(count)]
    tasks.append(asyncio.create_task(ask(port, token)))
    for _ in range(count):
        await ready.acquire()
    print("ready", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
