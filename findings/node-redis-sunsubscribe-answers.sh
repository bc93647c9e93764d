#!/usr/bin/env bash
# node-redis takes the notice that a slot has moved for the answer to a command in flight.
#
# Surprise: Redis ends a sharded subscription with an unasked SUNSUBSCRIBE when its slot moves. If
#   the connection has a command in flight, node-redis resolves that command instead of emitting
#   `sharded-channel-moved`. Below, a subscribe resolves that the server then refuses. The refusal
#   finds no command, and ends in an `error` event with a TypeError.
# Matters to: programs with sharded channels on a cluster that is resharded while they subscribe.
#   One that goes on after the `error` event has lost both subscriptions without notice.
# Do: replace the client at any `error`, subscribe to everything again, and fetch what was missed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund @redis/client@6.3.1

cat >client.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createClient } from '@redis/client';
const push = (kind, channel, count) =>
  `>3\r\n$${kind.length}\r\n${kind}\r\n$${channel.length}\r\n${channel}\r\n:${count}\r\n`;
const server = createServer((socket) => {
  socket.on('data', (chunk) => {
    for (const [, name] of String(chunk).matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
      if (name === 'HELLO') socket.write('%1\r\n$5\r\nproto\r\n:3\r\n');
      else if (name.toLowerCase() !== 'ssubscribe') socket.write('+OK\r\n');
      else if (String(chunk).includes('{a}')) socket.write(push('ssubscribe', '{a}', 1));
      // The slot of {a} moves just before this subscribe is read, and {b} is on another node.
      else socket.write(push('sunsubscribe', '{a}', 0) + '-MOVED 3300 127.0.0.1:7001\r\n');
    }
  });
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const client = createClient({ socket: { port: server.address().port, reconnectStrategy: false } });
let moved = 0;
client.on('sharded-channel-moved', () => (moved += 1));
const failed = once(client, 'error');
failed.catch(() => {});
await client.connect();
await client.sSubscribe('{a}', () => {});
const how = await client.sSubscribe('{b}', () => {}).then(
  () => 'resolved',
  (error) => `rejected with ${error.message}`,
);
const [error] = await failed;
console.log(`the refused subscribe ${how}; notices of the move: ${moved}; ${error.message}`);
process.exit();
JS
seen=$(timeout 30 node client.mjs)
printf '@redis/client 6.3.1\n%s\n' "$seen"

expected="the refused subscribe resolved; notices of the move: 0; Cannot read properties of undefined (reading 'reject')"
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: the notice of a moved slot answers no command now.'
  exit 1
fi
