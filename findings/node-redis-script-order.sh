#!/usr/bin/env bash
# node-redis may run scripts in another order than they were called in.
#
# Surprise: commands of one connection run in the order of the calls, but a `defineScript` command
#   is two: EVALSHA, and EVAL when the server answers NOSCRIPT. A call whose EVALSHA finds the
#   script there overtakes an earlier one that has to send EVAL. The calls 1, 2, 3 below run as 1,
#   3, 2, on one connection and without an error.
# Matters to: programs that start script calls without awaiting each (append to a list, set a state)
#   and rely on their order. It can happen after each start of Redis, SCRIPT FLUSH or fail-over, which
#   a test with a warm server never shows.
# Do: await `SCRIPT LOAD` after each connect, or hold back further calls while one has to send EVAL.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund @redis/client@6.3.1

# The server runs commands at once, in the order in which they come, and keeps its answers back until
# asked, as a slow network does.
cat >client.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createClient, defineScript } from '@redis/client';
const ran = [];
const answers = [];
let loaded = false;
const command = /^\*\d+\r\n(?:\$\d+\r\n[^\r]*\r\n)+?(?=\*|$)/;
const server = createServer((socket) => {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
    for (let whole; (whole = command.exec(text)); text = text.slice(whole[0].length)) {
      const [name, ...rest] = [...whole[0].matchAll(/\$\d+\r\n(.*)\r\n/g)].map(([, word]) => word);
      if (!name.startsWith('EVAL')) {
        socket.write(name === 'HELLO' ? '%0\r\n' : '+OK\r\n');
        continue;
      }
      loaded ||= name === 'EVAL';
      if (loaded) ran.push(rest.at(-1));
      const answer = loaded ? '+OK\r\n' : '-NOSCRIPT No matching script.\r\n';
      answers.push(() => socket.write(answer));
      server.emit(`${name} ${rest.at(-1)}`);
    }
  });
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const append = defineScript({
  SCRIPT: 'return 1',
  NUMBER_OF_KEYS: 0,
  parseCommand: (parser, value) => parser.push(value),
  transformReply: undefined,
});
const client = createClient({ socket: { port: server.address().port }, scripts: { append } });
await client.connect();
const calls = [];
const step = async (received, action) => {
  const there = once(server, received);
  action();
  await there;
};
await step('EVALSHA 1', () => calls.push(client.append('1')));
await step('EVALSHA 2', () => calls.push(client.append('2')));
await step('EVAL 1', () => answers.shift()()); // NOSCRIPT for call 1 arrives
await step('EVALSHA 3', () => calls.push(client.append('3')));
await step('EVAL 2', () => answers.shift()()); // NOSCRIPT for call 2 arrives
for (const answer of answers) answer();
await Promise.all(calls);
console.log(`called 1, 2, 3; ran ${ran.join(', ')}`);
process.exit();
JS
seen=$(timeout 30 node client.mjs)
printf '@redis/client 6.3.1\n%s\n' "$seen"

expected='called 1, 2, 3; ran 1, 3, 2'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: the calls run in another order now.'
  exit 1
fi
