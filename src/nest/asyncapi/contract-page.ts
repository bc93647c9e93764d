import type { AsyncApiDocument } from './asyncapi-document.js';
import { type Field, fieldsOf } from './contract-fields.js';
import { connectionId } from './document-ids.js';
import type { JsonSchema } from './json-schema.js';
import type { Channel } from './topic-channel.js';

interface Operation {
  readonly action: 'send' | 'receive';
  readonly summary?: string;
  readonly channel: { readonly $ref: string };
}

interface Components {
  readonly schemas?: Readonly<Record<string, JsonSchema>>;
  readonly messages: Readonly<Record<string, { readonly name: string; readonly payload: JsonSchema }>>;
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8884; padding: 0.5rem 0; }
code, pre { font: 0.85rem/1.4 ui-monospace, monospace; }
h2 code { font-size: 1.25rem; }
table { border-collapse: collapse; margin: 0.5rem 0 1rem; display: block; overflow-x: auto; }
td, th { border-bottom: 1px solid #8884; padding: 0.2rem 1.5rem 0.2rem 0; text-align: left; vertical-align: top; }
pre { overflow-x: auto; padding: 0.75rem; background: #8881; border-radius: 0.4rem; }
`;

/** Shows a document as one HTML text, without a script and without another file. */
export function contractPage({ info, ...document }: AsyncApiDocument): string {
  const { servers, channels, operations, components } = document as unknown as {
    readonly servers: {
      readonly live: { readonly protocol: string; readonly host: string; readonly pathname: string };
    };
    readonly channels: Readonly<Record<string, Channel>>;
    readonly operations: Readonly<Record<string, Operation>>;
    readonly components: Components;
  };
  const { protocol, host, pathname } = servers.live;
  const { [connectionId]: connection, ...topics } = channels;
  const sections = Object.entries({ ...topics, ...(connection && { [connectionId]: connection }) }).map(
    ([id, channel]) => section(id, channel, operations, components),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(info.title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escaped(info.title)} ${escaped(info.version)}</h1>
${info.description === undefined ? '' : `<p>${escaped(info.description)}</p>`}
<p>Connect to <code>${escaped(`${protocol}://${host}${pathname}`)}</code> with the subprotocol <code>live.v1</code>.</p>
${sections.join('\n')}
</body>
</html>
`;
}

function section(
  id: string,
  { title, messages }: Channel,
  operations: Readonly<Record<string, Operation>>,
  { messages: all, schemas = {} }: Components,
): string {
  const uses = Object.values(operations).filter(({ channel }) => channel.$ref === `#/channels/${id}`);
  const summaries = uses.map(({ summary }) => summary).filter((summary) => summary !== undefined);
  const shown = Object.entries(messages as Record<string, { readonly $ref: string }>).map(
    ([name, { $ref }]) => {
      const { payload = {} } = all[$ref.slice('#/components/messages/'.length)] ?? {};
      // A topic's own messages are what a reader looks for; the others are the same for all topics.
      const isOwn = id !== connectionId && $ref.startsWith(`#/components/messages/${id}.`);
      return `<details${isOwn ? ' open' : ''}><summary><code>${escaped(name)}</code></summary>
${table(fieldsOf(payload, schemas))}
<details><summary>JSON Schema</summary><pre>${escaped(JSON.stringify(payload, undefined, 2))}</pre></details>
</details>`;
    },
  );
  return `<section>
<h2><code>${escaped(String(title))}</code></h2>
${summaries.length === 0 ? '' : `<ul>${summaries.map((summary) => `<li>${escaped(summary)}</li>`).join('')}</ul>`}
${shown.join('\n')}
</section>`;
}

function table(fields: readonly Field[]): string {
  const rows = fields.map(
    ({ path, type, description }) =>
      `<tr><td><code>${escaped(path)}</code></td><td><code>${escaped(type)}</code></td><td>${escaped(description)}</td></tr>`,
  );
  return `<table><thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
