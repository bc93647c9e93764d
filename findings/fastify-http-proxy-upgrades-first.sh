#!/usr/bin/env bash
# @fastify/http-proxy accepts a WebSocket before it asks the backend.
#
# Surprise: it is no tunnel. It answers 101 by itself and then connects to the backend as a client
#   of its own. A backend that refuses with 401 becomes a connection that opens and is closed with
#   1011. Of the client's handshake only the cookies and the *first* subprotocol go on;
#   Authorization, Origin and the other subprotocols do not.
# Matters to: servers behind it that refuse handshakes by status, read a bearer token, check Origin,
#   or find a token in the list of subprotocols. Clients see `open` for each refusal, so a back-off
#   that resets on `open` never grows.
# Do: route WebSockets through a proxy that forwards the upgrade itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund fastify@5.12.8 @fastify/http-proxy@11.6.3 ws@8.23.0

cat >client.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:http';
import proxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { WebSocket } from 'ws';
const forwarded = {};
const backend = createServer().on('upgrade', ({ headers }, socket) => {
  for (const name of ['cookie', 'sec-websocket-protocol', 'authorization', 'origin']) forwarded[name] = headers[name];
  socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
});
await once(backend.listen(0, '127.0.0.1'), 'listening');
const app = fastify();
await app.register(proxy, { upstream: `http://127.0.0.1:${backend.address().port}`, websocket: true });
const url = await app.listen({ port: 0, host: '127.0.0.1' });
const headers = { cookie: 'a=1', authorization: 'Bearer t', origin: 'https://app.example' };
const events = [];
const socket = new WebSocket(url.replace('http', 'ws'), ['first', 'second'], { headers });
socket.on('open', () => events.push('open'));
socket.on('error', ({ message }) => events.push(message));
const [code] = await once(socket, 'close');
console.log(`the client sees: ${[...events, `close ${code}`].join(', ')}`);
for (const [name, value = 'absent'] of Object.entries(forwarded)) console.log(`the backend gets ${name}: ${value}`);
process.exit();
JS
seen=$(timeout 30 node client.mjs)
printf '@fastify/http-proxy 11.6.3, fastify 5.12.8\n%s\n' "$seen"

expected='the client sees: open, close 1011
the backend gets cookie: a=1
the backend gets sec-websocket-protocol: first
the backend gets authorization: absent
the backend gets origin: absent'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: the proxy treats handshakes differently now.'
  exit 1
fi
