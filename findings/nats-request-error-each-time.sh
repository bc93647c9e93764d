#!/usr/bin/env bash
# The NATS client builds an error, with its stack, for each request that was answered well.
#
# Surprise: when an answer is there, the request is cleared up by the same method that cancels one, and
#   that method makes `new RequestError("cancelled")` for a promise that is settled already. Nobody
#   ever sees the error. `noAsyncTraces: true`, which exists to spare the stacks of requests, does not
#   prevent it.
# Matters to: programs that make thousands of requests or JetStream publications a second. The stack
#   alone was 9 % of the CPU time of a publisher in a profile, and it grows with the depth of the
#   caller's stack.
# Do: nothing to set; look for `RequestError` in the profile before looking for a fault of one's own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund @nats-io/nats-core@3.4.0 @nats-io/transport-node@3.4.0

cat >client.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:net';
import { errors } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';

// As much of the NATS protocol as a request needs: the answer to each is "ok".
const server = createServer((socket) => {
  socket.write('INFO {"server_id":"x","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}\r\n');
  let inbox = '';
  socket.on('data', (chunk) => {
    for (const line of chunk.toString().split('\r\n')) {
      const [verb, subject, reply, sid] = line.split(' ');
      if (verb === 'PING') socket.write('PONG\r\n');
      if (verb === 'SUB') inbox = sid ?? reply;
      if (verb === 'PUB') socket.write(`MSG ${reply} ${inbox} 2\r\nok\r\n`);
    }
  });
});
await once(server.listen(0, '127.0.0.1'), 'listening');

// The constructor assigns `name`: a setter above it counts.
let made = 0;
Object.defineProperty(errors.RequestError.prototype, 'name', { set: () => (made += 1) });
const { port } = server.address();
const connection = await connect({ servers: `127.0.0.1:${port}`, noAsyncTraces: true });
made = 0;
let answered = 0;
for (let i = 0; i < 100; i++) if ((await connection.request('question', 'x')).string() === 'ok') answered += 1;
console.log(`${answered} requests were answered; ${made} RequestErrors were made.`);
process.exit(answered === 100 && made === 100 ? 0 : 1);
JS
echo "Node $(node --version), @nats-io/nats-core 3.4.0"
node client.mjs || {
  echo 'CHANGED: a request that is answered makes no error any more, or another number of them.'
  exit 1
}
