import { resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../..');
const folder = resolve(import.meta.dirname, 'many');

/** How the files of a project name types: by a topic map of the classes, or not at all. */
export type Kind = 'typed' | 'untyped';

/** A topic with schemas of zod. */
function topicFile(kind: Kind, i: number): string {
  const schemas = `{
  data: z.object({
    id: z.string(), lat: z.number(), lon: z.number(), at: z.string(), state: z.enum(['moving', 'parked']),
    driver: z.object({ name: z.string() }).nullable(), n${String(i)}: z.number(),
  }),
  snapshot: z.object({ items: z.array(z.object({ id: z.string() })) }),
  params: z.object({ id: z.coerce.number<string>() }),
}`;
  const name = `Topic${String(i)}`;
  const pattern = `'kind${String(i)}/:id'`;
  return `import { defineTopic, LiveTopic, type LiveUser, type ParamsOf } from 'nestjs-live';
import { z } from 'zod';
${kind === 'typed' ? '@LiveTopic()' : `@LiveTopic(${pattern}, ${schemas})`}
export class ${name} {
${kind === 'typed' ? `  static readonly topic = defineTopic(${pattern}, ${schemas});` : ''}
  canSubscribe(_user: LiveUser | null, { id }: ${kind === 'typed' ? `ParamsOf<typeof ${name}>` : '{ id: number }'}) {
    return id > 0;
  }
  snapshot() {
    return { items: [{ id: 'a' }] };
  }
}`;
}

/** A publication to the topic and a subscription of it. */
function useFile(kind: Kind, i: number): string {
  const topic = `'kind${String(i)}/7'`;
  const map = kind === 'typed' ? '<AppTopics>' : '';
  const data = kind === 'typed' ? 'message.data' : `(message.data as { lat: number; n${String(i)}: number })`;
  return `import type { LiveService } from 'nestjs-live';
import type { LiveClient } from 'nestjs-live/client';
import type { AppTopics } from './map.js';
export function use(live: LiveService${map}, client: LiveClient${map}) {
  const publication = live.publish(
    ${topic},
    { id: 'a', lat: 1, lon: 2, at: '', state: 'moving', driver: null, n${String(i)}: 1 },
    { key: 'a' },
  );
  client.subscribe(${topic}, (message) => {
    if (message.type === 'event' && !message.removed) console.log(${data}.lat, ${data}.n${String(i)});
  });
  return publication;
}`;
}

function mapFile(kind: Kind, topics: number): string {
  const names = Array.from({ length: topics }, (_, i) => `Topic${String(i)}`);
  const imports = names.map((name) => `import type { ${name} } from './${name}.js';`).join('\n');
  const classes = names.map((name) => `typeof ${name}`).join(' | ');
  return kind === 'typed'
    ? `import type { TopicsOf } from 'nestjs-live';\n${imports}\nexport interface AppTopics extends TopicsOf<${classes}> {}`
    : `${imports}\nexport type AppTopics = ${classes};`;
}

/** Files of a project with many topics, by name. */
export function projectOf(kind: Kind, topics: number): Map<string, string> {
  const files = new Map([['map.ts', mapFile(kind, topics)]]);
  for (let i = 0; i < topics; i++) {
    files.set(`Topic${String(i)}.ts`, topicFile(kind, i));
    files.set(`use${String(i)}.ts`, useFile(kind, i));
  }
  return files;
}

/** What the compiler does for a project: errors, and how many types it instantiates. */
export interface Effort {
  readonly errors: readonly string[];
  readonly instantiations: number;
}

/** Libraries are parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Checks a project, with the library's own sources. Counts do not vary with the machine's load. */
export function effortOf(files: ReadonlyMap<string, string>): Effort {
  const config = ts.readConfigFile(resolve(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const settings: ts.CompilerOptions = {
    ...options,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    noEmit: true,
    noUnusedLocals: false,
  };
  const host = ts.createCompilerHost(settings);
  const paths = new Map([...files].map(([name, text]) => [resolve(folder, name), text]));
  const original = { exists: host.fileExists.bind(host), source: host.getSourceFile.bind(host) };
  host.fileExists = (name) => paths.has(name) || original.exists(name);
  host.directoryExists = (name) => name === folder || ts.sys.directoryExists(name);
  host.getSourceFile = (name, target, ...rest) => {
    const text = paths.get(name);
    if (text !== undefined) return ts.createSourceFile(name, text, target);
    if (!parsed.has(name)) parsed.set(name, original.source(name, target, ...rest));
    return parsed.get(name);
  };
  const program = ts.createProgram([...paths.keys()], settings, host);
  const found = [...paths.keys()].flatMap((name) =>
    program.getSemanticDiagnostics(program.getSourceFile(name)),
  );
  return {
    errors: found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    instantiations: program.getInstantiationCount(),
  };
}
