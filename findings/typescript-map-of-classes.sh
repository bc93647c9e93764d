#!/usr/bin/env bash
# A map of types that is made from classes costs the compiler its whole size at each use.
#
# Surprise: `type Map = MapOf<typeof A | typeof B | …>` is instantiated again at each call of a
#   generic method that names it: the compiler looks at every class of the union, although no type
#   variable is in it. Work grows with the square of the number of entries. `interface Map extends
#   MapOf<…> {}` has the same members, and is not looked at again.
# Matters to: libraries that derive maps of events, routes or topics from classes, and their users.
# Do: declare such a map as an empty interface that extends it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "type": "module" }' >package.json
npm i --loglevel=error --no-audit --no-fund typescript@6.0.3

cat >make.mjs <<'JS'
import { mkdirSync, writeFileSync } from 'node:fs';
for (const count of [50, 200])
  for (const kind of ['alias', 'interface']) {
    const folder = `${kind}-${count}`;
    mkdirSync(folder);
    const names = Array.from({ length: count }, (_, i) => `C${i}`);
    const classes = names.map((name, i) => `export class ${name} { static readonly at: 'kind${i}'; static data: { n${i}: number } }`);
    const of = `MapOf<${names.map((name) => `typeof ${name}`).join(' | ')}>`;
    writeFileSync(
      `${folder}/map.ts`,
      `${classes.join('\n')}
interface Class { readonly at: string; data: object }
type MapOf<C extends Class> = { [One in C as One['at']]: One['data'] };
export ${kind === 'alias' ? `type Map = ${of};` : `interface Map extends ${of} {}`}
export interface Bus<M extends object> { send<K extends keyof M>(name: K, data: M[K]): void }
export declare const bus: Bus<Map>;
`,
    );
    writeFileSync(
      `${folder}/use.ts`,
      `import { bus } from './map.js';\n${names.map((_, i) => `bus.send('kind${i}', { n${i}: 1 });`).join('\n')}\n`,
    );
  }
JS
node make.mjs
instantiations() {
  npx tsc --noEmit --strict --skipLibCheck --strictPropertyInitialization false --module nodenext \
    --extendedDiagnostics "$1/use.ts" | sed -n 's/^Instantiations: *//p'
}
small_alias=$(instantiations alias-50)
large_alias=$(instantiations alias-200)
small_interface=$(instantiations interface-50)
large_interface=$(instantiations interface-200)
echo "typescript 6.0.3: 4 times the classes and calls: alias $small_alias to $large_alias instantiations, interface $small_interface to $large_interface"

if ((large_alias < 8 * small_alias || large_interface > 5 * small_interface)); then
  echo 'CHANGED: an alias costs no more than an interface now, or both grow alike.'
  exit 1
fi
