#!/usr/bin/env bash
# A Python client that the AsyncAPI generator makes has no models, or models that cannot be imported.
#
# Surprise: a valid document of AsyncAPI 3.1.0 gets no models, without an error: Modelina knows the
#   versions up to 3.0.0, and makes nothing of a document that it does not know. With 3.0.0, the
#   generator's own Python template writes models without their imports, so `import` fails; those
#   of Modelina's `PythonFileGenerator` have them. But a model reads `at_ms` where the message has
#   `atMs`, so each camel-case field is missing. A property with `const: true` becomes
#   `undefined`, which is a name of JavaScript. The client's class is named after the title, with
#   `&` in it.
# Matters to: those who generate Python from a document of AsyncAPI.
# Do: write `asyncapi: 3.0.0` into the copy that a generator reads, take the models from
#   `PythonFileGenerator` with a `NAMING_FORMATTER` that keeps the names, write `enum: [true]` in place of `const: true`, and name the class with
#   `customClientName`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm i --loglevel=error --no-audit --no-fund --ignore-scripts \
  @asyncapi/generator@3.4.1 @asyncapi/modelina@5.10.1 @asyncapi/parser@3.6.6 >/dev/null

cat >generate.mjs <<'JS'
import { readdirSync } from 'node:fs';
import Generator from '@asyncapi/generator';
import { PythonFileGenerator } from '@asyncapi/modelina';
import { Parser } from '@asyncapi/parser';

const documentOf = (asyncapi, title) => ({
  asyncapi,
  info: { title, version: '1.0.0' },
  servers: { live: { host: 'localhost', protocol: 'ws' } },
  channels: { c: { address: 'c', messages: { moved: { $ref: '#/components/messages/moved' } } } },
  operations: { hear: { action: 'receive', channel: { $ref: '#/channels/c' } } },
  components: {
    messages: {
      moved: {
        payload: {
          title: 'Moved',
          type: 'object',
          required: ['atMs'],
          properties: { atMs: { type: 'number' }, gone: { const: true } },
        },
      },
    },
  },
});
for (const version of ['3.1.0', '3.0.0']) {
  const document = documentOf(version, 'Fleet & friends');
  const { diagnostics } = await new Parser().parse(document);
  const errors = diagnostics.filter(({ severity }) => severity === 0).length;
  const models = await new PythonFileGenerator().generateToFiles(document, `models-${version}`, {});
  const out = `client-${version}`;
  const options = { forceWrite: true, templateParams: { server: 'live' } };
  await new Generator('core-template-client-websocket-python', out, options).generateFromString(
    JSON.stringify(document),
  );
  const files = readdirSync(out).filter((file) => file === 'Moved.py').length;
  console.log(`${version}: ${errors} errors, models of Modelina ${models.length}, of the template ${files}`);
}
JS
attempt() { python3 "$@" 2>&1 | tail -1 | cut -d. -f1 | cut -d: -f1,2; }
seen=$(
  node generate.mjs 2>/dev/null
  echo "the template's model: $(cd client-3.0.0 && attempt Moved.py)"
  mv models-3.0.0 asyncapimodels
  for field in atMs at_ms; do
    echo "Modelina's model, $field: $(attempt -c "from asyncapimodels.moved import Moved; Moved({'$field': 1})")"
  done
  echo "the client: $(cd client-3.0.0 && attempt client.py | cut -d: -f1) in $(grep '^class' client-3.0.0/client.py)"
)
printf '@asyncapi/generator 3.4.1, @asyncapi/modelina 5.10.1\n%s\n' "$seen"

expected="3.1.0: 0 errors, models of Modelina 0, of the template 0
3.0.0: 0 errors, models of Modelina 1, of the template 1
the template's model: NameError: name 'Dict' is not defined
Modelina's model, atMs: KeyError: 'at_ms'
Modelina's model, at_ms: NameError: name 'undefined' is not defined
the client: SyntaxError in class Fleet&friends:"
if ! diff <(echo "$expected") <(echo "$seen"); then
  echo 'CHANGED: the generators make something else now.'
  exit 1
fi
