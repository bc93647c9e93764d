#!/usr/bin/env bash
# reconnecting-websocket and partysocket report a refused handshake as close code 1000, "normal
# closure".
#
# Surprise: for a 401 the `ws` package says 1006. The wrappers fire a `close` with code 1000 and
#   wasClean true, *before* the `error`, as if the server had said goodbye. faye-websocket says
#   1002, "protocol error".
# Matters to: code that stops, signs out or stays quiet after 1000 ("the server is done with me"),
#   and to counts of close codes.
# Do: believe a close code only after an `open` event. Before it, no server has sent one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund ws@8.23.0 reconnecting-websocket@4.4.0 partysocket@1.3.0 faye-websocket@0.11.4

cat >client.mjs <<'JS'
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import faye from 'faye-websocket';
import { WebSocket as Party } from 'partysocket';
import reconnecting from 'reconnecting-websocket';
import { WebSocket } from 'ws';
const server = createServer().on('upgrade', (_request, socket) => {
  socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
});
server.listen(0, '127.0.0.1');
await new Promise((listening) => server.on('listening', listening));
const url = `ws://127.0.0.1:${server.address().port}`;
const options = { WebSocket, maxRetries: 0 };
const Reconnecting = reconnecting.default ?? reconnecting;
const clients = {
  ws: () => new WebSocket(url),
  'reconnecting-websocket': () => new Reconnecting(url, [], options),
  partysocket: () => new Party(url, [], options),
  'faye-websocket': () => new faye.Client(url),
};
for (const [name, start] of Object.entries(clients)) {
  const events = [];
  const socket = start();
  for (const type of ['open', 'error', 'close']) {
    socket.addEventListener(type, ({ code = '' }) => events.push(`${type} ${code}`.trim()));
  }
  await setTimeout(1_000);
  console.log(`${name}: ${events.join(', ')}`);
}
process.exit();
JS
seen=$(node client.mjs)
printf 'ws 8.23.0, reconnecting-websocket 4.4.0, partysocket 1.3.0, faye-websocket 0.11.4\n%s\n' "$seen"

expected='ws: error, close 1006
reconnecting-websocket: close 1000, error
partysocket: close 1000, error
faye-websocket: error, close 1002'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: a refused handshake is reported differently now.'
  exit 1
fi
