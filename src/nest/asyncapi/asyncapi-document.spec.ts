import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AsyncApiDocument, asyncApiDocument } from './asyncapi-document.js';
import type { DescribedHandler } from './described-handlers.js';
import type { DescribedTopic } from './described.js';

type Named = Readonly<Record<string, unknown>>;

interface Sections {
  readonly channels: Named;
  readonly operations: Named;
  readonly components: { readonly messages: Readonly<Record<string, Named>>; readonly schemas?: Named };
}

/** A schema that refers to a part of itself, so the document has to name the part. */
const withPart = (part: string) => ({ $ref: `#/$defs/${part}`, $defs: { [part]: { title: part } } });

const topicOf = (pattern: string, part = 'data'): DescribedTopic => ({
  name: 'Any',
  pattern,
  params: undefined,
  data: withPart(part),
  snapshot: withPart(part),
  publish: {},
});

const handlerOf = (type: string): DescribedHandler => ({
  type,
  payload: undefined,
  data: withPart('data'),
  answer: withPart('data'),
});

const documentOf = (
  topics: readonly DescribedTopic[],
  handlers: readonly DescribedHandler[],
): AsyncApiDocument & Sections =>
  asyncApiDocument({
    info: { title: 'x', version: '1' },
    host: 'x',
    path: '/',
    protocol: 'ws',
    security: {},
    topics,
    handlers,
  }) as AsyncApiDocument & Sections;

const idsOf = ({ channels, operations, components }: Sections): string[] =>
  [channels, operations, components.messages, components.schemas ?? {}].flatMap((named) =>
    Object.keys(named),
  );

const empty = documentOf([], []);

/** What topics and handlers add to the document. */
const addedBy = (document: Sections): number => idsOf(document).length - idsOf(empty).length;

/** Few letters and all special characters, so that similar names are drawn often. */
const letters = (text: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...text), minLength: 1, maxLength });
const segment = fc.oneof(
  letters('ab_.~-d', 4).filter((text) => !/^\.{1,2}$/.test(text)),
  letters('ab_', 2).map((name) => `:${name}`),
  fc.constantFrom(
    '*',
    'any',
    'rest',
    'own',
    'answer',
    'connection',
    'event',
    'data',
    ':any',
    ':rest',
    '-any',
    '--any',
    '_a',
  ),
);
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([segments, isOpen]) => [...segments, ...(isOpen ? ['**'] : [])].join('/'));
const type = fc.oneof(letters('ab._-/: é', 5), fc.constantFrom('', 'event', 'a.event', '.', 'a..b', '-x2e-'));
const declared = fc.record({
  patterns: fc.uniqueArray(pattern, { maxLength: 6 }),
  types: fc.uniqueArray(type, { maxLength: 6 }),
});

describe('The identifiers of the AsyncAPI document', () => {
  it('each topic and each handler has identifiers of its own', () => {
    const perTopic = addedBy(documentOf([topicOf('a')], []));
    const perHandler = addedBy(documentOf([], [handlerOf('a')]));
    fc.assert(
      fc.property(declared, ({ patterns, types }) => {
        const document = documentOf(
          patterns.map((each) => topicOf(each)),
          types.map((each) => handlerOf(each)),
        );
        expect(addedBy(document)).toBe(patterns.length * perTopic + types.length * perHandler);
      }),
    );
  });

  it('identifiers consist of the characters that AsyncAPI allows', () => {
    fc.assert(
      fc.property(declared, fc.string(), ({ patterns, types }, part) => {
        const document = documentOf(
          patterns.map((each) => topicOf(each, part)),
          types.map((each) => handlerOf(each)),
        );
        for (const id of idsOf(document)) expect(id).toMatch(/^[\w.-]+$/);
      }),
    );
  });

  it('another topic or handler changes no identifier', () => {
    fc.assert(
      fc.property(declared, pattern, type, ({ patterns, types }, onePattern, oneType) => {
        const alone = documentOf([topicOf(onePattern)], [handlerOf(oneType)]);
        const beside = documentOf(
          [topicOf(onePattern), ...patterns.map((each) => topicOf(each))],
          [handlerOf(oneType), ...types.map((each) => handlerOf(each))],
        );
        expect(idsOf(beside)).toEqual(expect.arrayContaining(idsOf(alone)));
      }),
    );
  });

  it('the parts of the schemas of one topic are not those of another', () => {
    const { components } = documentOf([topicOf('a'), topicOf('a/data')], [handlerOf('a')]);
    expect(components.schemas).toMatchObject({
      'a.data-data': { title: 'data' },
      'a.data.data-data': { title: 'data' },
    });
  });

  it('names that need no other spelling are kept', () => {
    const { channels, operations } = documentOf(
      ['fleet/:fleetId', 'user-events', 'jobs/*', 'logs/**', 'v1.2/x', 'connection', 'own'].map((each) =>
        topicOf(each),
      ),
      ['trip.book', 'a b'].map((each) => handlerOf(each)),
    );
    expect(Object.keys(channels)).toEqual([
      'connection',
      'fleet._fleetId',
      'user-events',
      'jobs.-any',
      'logs.-rest',
      '--v1-d2.x',
      '--connection',
      '--own',
    ]);
    expect(Object.keys(operations)).toEqual(expect.arrayContaining(['own.trip.book', 'own.--a-x20-b']));
  });

  it('the address has one parameter for each variable segment', () => {
    const { channels } = documentOf([topicOf(':segment2/*')], []);
    expect(channels['_segment2.-any']).toMatchObject({
      address: '{segment2}/{segment2_}',
      parameters: { segment2: {}, segment2_: {} },
    });
  });

  it('titles have no special characters, unless two would be the same', () => {
    const { components } = documentOf([topicOf('fleet/:id'), topicOf('a-b'), topicOf('a/b')], []);
    const titles = Object.values(components.messages).map(({ payload }) => (payload as Named)['title']);
    expect(titles).toEqual(expect.arrayContaining(['FleetIdEvent', 'ABEvent', 'a.b.event', 'Welcome']));
    expect(new Set(titles).size).toBe(titles.length);
  });
});
