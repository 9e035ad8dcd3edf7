"""A server on websockets that exchanges COUNT messages with one client, which sends each back,
then closes with 1000.  Prints its port, and at the end how many came back right."""
import asyncio
import sys

import websockets

COUNT = int(sys.argv[1])
WINDOW = 20


def message_of(i):
    """As messageOf in ../peers.mjs."""
    size = 65530 + i % 20 if i % 97 == 96 else i * 7919 % 3000
    return bytes((i + at * 7) & 255 for at in range(size))


async def say(socket, i):
    message = message_of(i)
    if i % 5 == 4:
        third = len(message) // 3  # in fragments
        await socket.send([message[:third], message[third : 2 * third], message[2 * third :]])
    else:
        await socket.send(message)
    if i % 50 == 49:
        await (await socket.ping(b"ping %d" % i))


async def exchange(socket):
    right = 0
    for first in range(0, COUNT, WINDOW):
        part = range(first, min(COUNT, first + WINDOW))
        for i in part:
            await say(socket, i)
        for i in part:
            right += await socket.recv() == message_of(i)
    await socket.close(1000)
    return right


async def main():
    over = asyncio.get_running_loop().create_future()

    async def handle(socket):
        over.set_result(await exchange(socket))

    options = {"compression": None, "max_size": 1 << 20, "ping_interval": None}
    async with websockets.serve(handle, "127.0.0.1", 0, **options) as server:
        print("port", server.sockets[0].getsockname()[1], flush=True)
        print(await over, "right", flush=True)


asyncio.run(main())
