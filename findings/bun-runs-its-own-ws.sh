#!/usr/bin/env bash
# Bun does not run the `ws` package that is installed.
#
# Surprise: `import 'ws'` in Bun gives a reimplementation that is built into the runtime, whatever
#   node_modules holds. Below, the installed package throws when it is loaded: Node fails, Bun does
#   not notice.
# Matters to: applications that pin, patch or override `ws`, or read its package.json to decide
#   whether a feature is there. On Bun the version says nothing about the code that runs, and
#   options that the reimplementation does not know are ignored.
# Do: test what you need instead of a version; `import.meta.resolve('ws')` is the bare name `ws` on
#   Bun.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund ws@8.23.0 @oven/bun-linux-x64@1.4.5
for file in index.js wrapper.mjs; do echo "throw new Error('the installed ws')" >"node_modules/ws/$file"; done

cat >load.mjs <<'JS'
const name = globalThis.Bun ? `Bun ${Bun.version}` : 'Node';
const outcome = await import('ws').then(
  ({ WebSocketServer }) => `has ${WebSocketServer.name}`,
  ({ message }) => `throws "${message}"`,
);
const { pathname, href } = new URL(import.meta.resolve('ws'), 'bare:/');
const file = href.startsWith('bare:') ? 'a bare name' : pathname.split('/').at(-1);
console.log(`${name}: ws resolves to ${file}, and ${outcome}`);
JS
seen=$(node load.mjs && node_modules/@oven/bun-linux-x64/bin/bun load.mjs)
printf 'ws 8.23.0, installed and broken on purpose\n%s\n' "$seen"

expected='Node: ws resolves to wrapper.mjs, and throws "the installed ws"
Bun 1.4.5: ws resolves to a bare name, and has WebSocketServer'
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: Bun loads ws in another way now.'
  exit 1
fi
