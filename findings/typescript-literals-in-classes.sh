#!/usr/bin/env bash
# An object literal within a class costs the compiler more than the same literal above the class.
#
# Surprise: to the compiler, the type of a literal in a static member depends on the `this` type of
#   the class, although no `this` is in it. So each look at the type as if type variables were
#   others (the compiler has three such looks) makes a new type, and resolves its members again.
#   For a schema of zod, whose type is computed from such a literal, this doubles the work.
# Matters to: classes with a schema, a configuration or a table of routes as a static member.
# Do: write the literal as a constant above the class, and name it in the class.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "type": "module" }' >package.json
npm i --loglevel=error --no-audit --no-fund typescript@6.0.3 zod@4.6.7

cat >make.mjs <<'JS'
import { mkdirSync, writeFileSync } from 'node:fs';
for (const kind of ['within', 'above']) {
  mkdirSync(kind);
  for (let i = 0; i < 100; i++) {
    const schema = `z.object({ id: z.string(), at: z.number(), by: z.object({ name: z.string() }).nullable(), n${i}: z.number() })`;
    writeFileSync(
      `${kind}/c${i}.ts`,
      `import { z } from 'zod';
${kind === 'above' ? `const schema = ${schema};` : ''}
export class C${i} {
  static readonly schema = ${kind === 'above' ? 'schema' : schema};
}
export function use(value: z.output<typeof C${i}.schema>): z.input<typeof C${i}.schema> {
  return { id: value.id, at: value.at, by: value.by, n${i}: value.n${i} };
}
`,
    );
  }
}
JS
node make.mjs
instantiations() {
  npx tsc --noEmit --strict --skipLibCheck --module nodenext --extendedDiagnostics "$1"/*.ts |
    sed -n 's/^Instantiations: *//p'
}
within=$(instantiations within)
above=$(instantiations above)
echo "typescript 6.0.3, zod 4.6.7: 100 classes: schema within the class $within instantiations, above it $above"

if ((within * 10 < above * 13)); then
  echo 'CHANGED: a schema within the class costs about as much as one above it now.'
  exit 1
fi
