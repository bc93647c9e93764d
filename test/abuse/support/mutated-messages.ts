import type { Random } from './random.js';

/** Text that an error must not repeat. No topic name and no id may contain it. */
export const canary = 'KANARIE!';

/** A serialized object, key by key, so that keys may repeat or be `__proto__`. */
type Fields = (readonly [key: string, json: string])[];

const write = (fields: Fields): string =>
  `{${fields.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;

const topics = [
  'open/a',
  'open/b',
  'open/c',
  'slow/a',
  'slow/b',
  'admin/a',
  'nobody/a',
  '$sys/a',
  'open',
  '',
  'a//b',
  `open/${canary}`,
];

function command(random: Random): Fields {
  const id: Fields = random.chance(0.7) ? [['id', String(random.below(1_000))]] : [];
  const topic: Fields[number] = ['topic', JSON.stringify(random.pick(topics))];
  const since: Fields = random.chance(0.4) ? [['since', position(random)]] : [];
  const key: Fields = random.chance(0.3) ? [['key', '"k"']] : [];
  const type = random.pick(['subscribe', 'subscribe', 'unsubscribe', 'publish', 'ping', 'auth']);
  const head: Fields = [['type', JSON.stringify(type)], ...id];
  if (type === 'subscribe') return [...head, topic, ...since];
  if (type === 'unsubscribe') return [...head, topic];
  if (type === 'publish') return [...head, topic, ['data', value(random)], ...key];
  return type === 'auth' ? [...head, ['token', `"${canary}"`]] : head;
}

const offsets = [
  '0',
  '1',
  '-1',
  '1.5',
  '1e999',
  '9007199254740993',
  '1e308',
  '-0',
  '"1"',
  'null',
  '[1]',
  '{"valueOf":1}',
];
const epochs = ['""', '"x"', `"${'e'.repeat(65)}"`, '1', 'null', '{"length":3}', '"\\ud800"', '["x"]'];

function position(random: Random): string {
  const fields: Fields = [
    ['epoch', random.pick(epochs)],
    ['offset', random.pick(offsets)],
  ];
  if (random.chance(0.2)) fields.push(['__proto__', '{"epoch":"x","offset":1}']);
  if (random.chance(0.1)) fields.shift();
  return random.chance(0.1) ? value(random) : write(fields);
}

const scalars = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1e308',
  '-1e308',
  '1e999',
  '12345678901234567890',
  '5e-324',
  '""',
  `"${canary}"`,
  '"\\ud800"',
  '"\\udfff\\ud800"',
  '"\\u0000"',
  '"__proto__"',
  '[]',
  '{}',
  '[[]]',
  '{"toJSON":1}',
  '{"then":1}',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"hasOwnProperty":1,"toString":2}',
];

function value(random: Random): string {
  if (random.chance(0.003)) return random.pick(large)(random);
  return random.pick(scalars);
}

const nested = (depth: number, open: string, close: string): string =>
  open.repeat(depth) + '1' + close.repeat(depth);

/** Used rarely, because each is up to 64 KiB. */
const large: readonly ((random: Random) => string)[] = [
  () => nested(32_000, '[', ']'),
  () => '['.repeat(64_000),
  () => `"${'x'.repeat(60_000)}"`,
  () => write(Array.from({ length: 6_000 }, (_, i) => [i.toString(36), '1'] as const)),
  // Keys that look like indexes.
  () => write(Array.from({ length: 3_500 }, (_, i) => [String(i * 65_536), '1'] as const)),
  () => `[${'1,'.repeat(30_000)}1]`,
];

type Mutate = (fields: Fields, random: Random) => Fields;

const evilFields: Fields = [
  ['__proto__', '{"admin":true,"type":"subscribe","topic":"admin/a"}'],
  ['constructor', '{"prototype":{"admin":true}}'],
  ['prototype', '{"admin":true}'],
  ['user', '{"admin":true}'],
  ['then', '1'],
  ['toJSON', '{}'],
  ['length', '1e9'],
  [canary, `"${canary}"`],
];

const mutations: readonly Mutate[] = [
  // Replaces a field by a value of another type.
  (fields, random) => {
    const at = random.below(fields.length);
    return fields.map(([key, json], i) => [key, i === at ? value(random) : json] as const);
  },
  (fields, random) => fields.toSpliced(random.below(fields.length + 1), 0, random.pick(evilFields)),
  (fields, random) => fields.toSpliced(random.below(fields.length), 1),
  // Repeats a key. The last one counts.
  (fields, random) => [...fields, [random.pick(fields)[0], value(random)]],
  (fields, random) => {
    const depth = random.pick([14, 15, 16, 17, 33, 200]);
    const [open, close] = random.pick([
      ['[', ']'],
      ['{"a":', '}'],
      ['{"__proto__":', '}'],
    ] as const);
    return [...fields, [random.pick(['data', 'since', 'topic', 'id', 'x']), nested(depth, open, close)]];
  },
  (fields, random) => [
    ...fields,
    ['id', random.pick(['null', '{}', '[]', 'true', '1e999', `"${'i'.repeat(65)}${canary}"`, '"\\ud800"'])],
  ],
  (fields, random) => [
    [
      'type',
      random.pick([
        '""',
        `"${canary}"`,
        '"constructor"',
        '"__proto__"',
        '"toString"',
        '"welcome"',
        '1',
        'null',
        '["ping"]',
      ]),
    ],
    ...fields.slice(1),
  ],
  (fields, random) => [
    ...fields,
    ['key', random.pick(['""', `"${'k'.repeat(129)}"`, '1', '{}', `"${canary}"`])],
  ],
];

/** Mutations of the text itself. */
const textMutations: readonly ((text: string, random: Random) => string)[] = [
  (text, random) => text.slice(0, random.below(text.length)),
  (text, random) => text.slice(random.below(text.length)),
  (text, random) => {
    const at = random.below(text.length);
    return text.slice(0, at) + String.fromCharCode(random.below(128)) + text.slice(at + 1);
  },
  (text) => `\ufeff${text}`,
  (text) => `[${text}]`,
  (text) => `${text}${text}`,
  (text) => text.replaceAll('"', "'"),
  (text) => text.replaceAll(':', ':/**/'),
  (text) => text.replaceAll(',', ',,'),
  (text) => `${' '.repeat(500)}${text}\n\t`,
];

/** One command of a client with up to three mutations, sometimes none. */
export function mutatedMessage(random: Random): string {
  let fields = command(random);
  for (let i = random.below(4); i > 0 && fields.length > 0; i--)
    fields = random.pick(mutations)(fields, random);
  const text = write(fields);
  if (random.chance(0.002)) return random.pick(large)(random).slice(0, 65_000);
  const whole = random.chance(0.2) ? random.pick(textMutations)(text, random) : text;
  // Longer ones would be closed with 1009, which other tests cover.
  return whole.slice(0, 65_000);
}
