#!/usr/bin/env bash
# Deno's WebSocket reports close code 0 when the connection ends without a close frame.
#
# Surprise: browsers, Node and Bun report 1006 there, as the WebSocket standard says. In Deno the
#   event's code is 0, after a cut and after a refused handshake.
# Matters to: clients that decide by the code whether to reconnect. A list of codes, or `code >=
#   1000`, gives up on Deno at the first network fault.
# Do: treat every code below 1000 as 1006.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund @deno/linux-x64-glibc@2.9.6

cat >server.cjs <<'JS'
const { createHash } = require('node:crypto');
const { spawn } = require('node:child_process');
const server = require('node:http').createServer();
server.on('upgrade', ({ url, headers }, socket) => {
  socket.on('error', () => {});
  if (url === '/refused') return socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
  const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash('sha1').update(key).digest('base64');
  const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`;
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`);
  const closeFrame = Buffer.from([0x88, 2, 0x03, 0xe9]); // 1001
  setTimeout(() => socket.end(url === '/frame' ? closeFrame : undefined), 100);
});
server.listen(0, '127.0.0.1', () => {
  const [command, ...args] = process.argv.slice(2);
  const url = `ws://127.0.0.1:${server.address().port}`;
  spawn(command, [...args, url], { stdio: 'inherit' }).on('exit', () => server.close());
});
JS
cat >client.mjs <<'JS'
const url = globalThis.Deno ? Deno.args[0] : process.argv[2];
for (const path of ['/refused', '/cut', '/frame']) {
  const socket = new WebSocket(url + path);
  socket.onerror = (event) => event.preventDefault();
  const { code } = await new Promise((closed) => (socket.onclose = closed));
  console.log(`${path}: close code ${code}`);
}
JS
seen=$(node server.cjs node_modules/@deno/linux-x64-glibc/deno run --quiet --allow-net client.mjs)
printf 'Deno 2.9.6\n%s\n' "$seen"

expected='/refused: close code 0
/cut: close code 0
/frame: close code 1001'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: Deno no longer reports code 0 as above.'
  exit 1
fi
