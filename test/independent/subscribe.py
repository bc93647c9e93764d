"""An independent client: subscribes to a topic with python3-websockets and prints what it receives, one line each."""

import asyncio
import json
import sys

import websockets

url, token, topic, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


async def main() -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with websockets.connect(url, subprotocols=["live.v1"], extra_headers=headers) as socket:
        print("subprotocol", socket.subprotocol, flush=True)
        print(json.loads(await socket.recv())["type"], flush=True)
        await socket.send(json.dumps({"type": "subscribe", "id": "py", "topic": topic}))
        for _ in range(count + 1):
            message = json.loads(await socket.recv())
            print(message["type"], message["offset"], json.dumps(message.get("data")), flush=True)


asyncio.run(asyncio.wait_for(main(), 20))
