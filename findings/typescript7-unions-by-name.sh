#!/usr/bin/env bash
# TypeScript 7 does more or less work for the same code, depending on the names of its interfaces.
#
# Surprise: TypeScript 7 orders the members of a union by their names, and compares in that order
#   until one fits; TypeScript 6 orders them as it met them. If a cheap and a costly test would both
#   fit, the name of the interface decides which one is made. Every one of its checkers does it.
# Matters to: libraries that accept several kinds of something, such as schemas: `~standard` of zod
#   costs the compiler much, zod's own `_zod` little.
# Do: give the interface that is cheap to compare a name that comes first, and count.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "type": "module" }' >package.json
npm i --loglevel=error --no-audit --no-fund typescript6@npm:typescript@6.0.3 typescript@7.0.2 zod@4.6.7

cat >make.mjs <<'JS'
import { mkdirSync, writeFileSync } from 'node:fs';
for (const name of ['Cheap', 'TooLate']) {
  mkdirSync(name);
  writeFileSync(
    `${name}/take.ts`,
    `export interface ${name} { readonly _zod: object }
export interface Standard { readonly '~standard': { readonly version: 1; readonly vendor: string } }
export declare function take<S extends ${name} | Standard>(schema: S): S;
`,
  );
  for (let i = 0; i < 100; i++)
    writeFileSync(
      `${name}/use${i}.ts`,
      `import { z } from 'zod';
import { take } from './take.js';
export const taken = take(z.object({ id: z.string(), n${i}: z.number() }));
`,
    );
}
JS
node make.mjs
instantiations() {
  node "node_modules/$1/bin/tsc" --noEmit --strict --skipLibCheck --module nodenext \
    --extendedDiagnostics ${3:-} ${4:-} "$2"/*.ts | sed -n 's/^Instantiations: *//p'
}
cheap6=$(instantiations typescript6 Cheap)
late6=$(instantiations typescript6 TooLate)
cheap7=$(instantiations typescript Cheap --checkers 1)
late7=$(instantiations typescript TooLate --checkers 1)
echo "100 schemas of zod 4.6.7 are taken by 'Cheap | Standard' and by 'TooLate | Standard':"
echo "typescript 6.0.3: $cheap6 and $late6 instantiations; typescript 7.0.2: $cheap7 and $late7"

if ((late6 != cheap6)); then
  echo 'CHANGED: the name of an interface counts in TypeScript 6.'
  exit 1
fi
if ((late7 < 2 * cheap7)); then
  echo 'CHANGED: the name of an interface costs TypeScript 7 no longer much.'
  exit 1
fi
