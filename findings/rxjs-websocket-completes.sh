#!/usr/bin/env bash
# `retry()` does not reconnect an rxjs `webSocket` after a deploy.
#
# Surprise: `webSocket()` *completes* when the server sends a close frame, with 1001 (going away),
#   1011 (server error) or 4000 alike; only a connection that ends without a frame is an error.
#   `retry()` hears errors alone, so a client that survives every pulled cable stays away for good
#   after the first clean restart of its server.
# Matters to: clients that reconnect by `webSocket(url).pipe(retry())`.
# Do: add `repeat()`, and end the stream yourself after the codes that mean "stay away"
#   (`closeObserver` has the code).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund rxjs@7.8.2 ws@8.23.0

cat >client.mjs <<'JS'
import { repeat, retry } from 'rxjs';
import { webSocket } from 'rxjs/webSocket';
import { WebSocket, WebSocketServer } from 'ws';
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', (socket, { url }) => {
  if (url === '/cut') socket.terminate();
  else socket.close(Number(url.slice(1)));
});
await new Promise((listening) => server.on('listening', listening));

async function connections(path, ...operators) {
  let count = 0;
  const openObserver = { next: () => (count += 1) };
  const url = `ws://127.0.0.1:${server.address().port}/${path}`;
  const stream = webSocket({ url, WebSocketCtor: WebSocket, openObserver }).pipe(...operators);
  const end = await new Promise((ended) =>
    stream.subscribe({ complete: () => ended('complete'), error: () => ended('error') }),
  );
  return `${count} connections, then ${end}`;
}
for (const path of ['cut', '1001', '1011', '4000']) {
  console.log(`retry({ count: 2 }), ${path}: ${await connections(path, retry({ count: 2, delay: 10 }))}`);
}
console.log(`repeat({ count: 3 }), 1001: ${await connections('1001', repeat({ count: 3, delay: 10 }))}`);
process.exit();
JS
seen=$(node client.mjs)
printf 'rxjs 7.8.2, ws 8.23.0\n%s\n' "$seen"

expected='retry({ count: 2 }), cut: 3 connections, then error
retry({ count: 2 }), 1001: 1 connections, then complete
retry({ count: 2 }), 1011: 1 connections, then complete
retry({ count: 2 }), 4000: 1 connections, then complete
repeat({ count: 3 }), 1001: 3 connections, then complete'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: webSocket() ends differently now.'
  exit 1
fi
