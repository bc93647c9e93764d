import { type } from 'arktype';
import { IsNumber, IsString, registerDecorator, ValidateIf } from 'class-validator';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { SchemaCheck } from '../../core/ports/contract.js';
import type { LiveSchema } from '../options/live-contract.options.js';
import { contractOf, type DeclaredSchemas } from './topic-contract.js';

class Plain {
  n = 1;
}

class NumberDto {
  @IsNumber() n!: number;
}

/** A rule that answers later; `isSaid` says so when it is declared. */
const IsFree = (isSaid: boolean) => (target: object, propertyName: string) =>
  registerDecorator({
    name: 'isFree',
    target: target.constructor,
    propertyName,
    async: isSaid,
    validator: { validate: (value) => Promise.resolve(value !== 'taken') },
  });

class SaidDto {
  @IsFree(true) name!: string;
}

class UnsaidDto {
  @IsFree(false) name!: string;
}

class StrippedDto {
  @IsString() name!: string;
  @ValidateIf(() => false) @IsString() more?: unknown;
}

const schemas: readonly [string, LiveSchema][] = [
  ['zod', z.object({ n: z.number() })],
  ['valibot', v.object({ n: v.number() })],
  ['arktype', type({ n: 'number' })],
  ['class-validator', NumberDto],
];

const outcome = async (check: SchemaCheck | undefined, value: unknown): Promise<unknown> => {
  if (check === undefined) return 'unchecked';
  const result = await check(value);
  return result.issues === undefined
    ? result.value
    : result.issues.map(({ path = [] }) => [...path].map((key) => (typeof key === 'object' ? key.key : key)));
};

describe('contractOf', () => {
  it.each(schemas)(
    'a schema of %s accepts what matches, and says where something else is wrong',
    async (_, data) => {
      const contract = await contractOf({ data }, 'always', 'Topic');
      expect(await outcome(contract.data, { n: 1 })).toEqual({ n: 1 });
      expect(await outcome(contract.data, { n: 'one' })).toEqual([['n']]);
      expect(await outcome(contract.data, 'one')).toEqual([[]]);
    },
  );

  it.each(schemas.slice(0, 3))('a schema of %s answers without a promise', async (_, data) => {
    const contract = await contractOf({ data }, 'always', 'Topic');
    expect(contract.data?.({ n: 1 })).toMatchObject({ value: { n: 1 } });
  });

  it.each([
    ['text', 'a string of 4 characters'],
    [{}, 'a value of type object'],
    [null, 'null'],
    [[], 'an array'],
    [{ '~standard': { version: 1 } }, 'a value of type object'],
    [Plain, 'Plain, a class without rules'],
    [() => true, 'a function, a class without rules'],
  ])('something that is no schema is a start error: %o', async (data, kind) => {
    for (const mode of ['always', 'off'] as const)
      await expect(contractOf({ data: data as LiveSchema }, mode, 'FleetTopic')).rejects.toThrow(
        `LiveModule: "data of FleetTopic" is ${kind}. Write a Standard Schema`,
      );
  });

  it('[L-4.13] the output of clientPublish goes through data', async () => {
    const clientPublish = z.object({ text: z.string() }).transform(({ text }) => ({ n: text.length }));
    const contract = await contractOf(
      { clientPublish, data: z.object({ n: z.number().max(3) }) },
      'always',
      'Topic',
    );
    expect(await outcome(contract.clientData, { text: 'abc' })).toEqual({ n: 3 });
    expect(await outcome(contract.clientData, { text: 'abcd' })).toEqual([['n']]);
    expect(await outcome(contract.clientData, { n: 1 })).toEqual([['text']]);
    expect(await outcome(contract.data, { n: 1 })).toEqual({ n: 1 });
  });

  it('a schema that answers later, before or behind another one, is waited for', async () => {
    const later = v.pipeAsync(
      v.object({ n: v.number() }),
      v.checkAsync(async ({ n }) => n < 3),
    );
    const now = v.object({ n: v.number() });
    for (const [clientPublish, data] of [
      [later, now],
      [now, later],
      [later, later],
    ] as const) {
      const contract = await contractOf({ clientPublish, data }, 'always', 'Topic');
      expect(await outcome(contract.clientData, { n: 1 })).toEqual({ n: 1 });
      expect(await outcome(contract.clientData, { n: 3 })).toEqual([[]]);
    }
  });

  it.each([
    ['always', true, ['data', 'snapshot', 'clientData', 'params']],
    ['development', false, ['data', 'snapshot', 'clientData', 'params']],
    ['development', true, ['clientData', 'params']],
    ['off', false, []],
  ] as const)('validate: %o, with production %o, checks this: %o', async (mode, isProduction, checked) => {
    const schema = z.object({ n: z.string() });
    const declared: DeclaredSchemas = { data: schema, snapshot: schema, params: schema };
    const contract = await contractOf(declared, mode, 'Topic', isProduction);
    const found = Object.entries(contract).filter(([, check]) => check !== undefined);
    expect(found.map(([name]) => name).toSorted()).toEqual([...checked].toSorted());
  });

  it('[L-4.17] keys of the application and of clients are checked as their data is', async () => {
    const key = z.enum(['a', 'b']);
    const names = async (...[mode, isProduction]: ['always' | 'development' | 'off', boolean?]) =>
      Object.keys(await contractOf({ key }, mode, 'Topic', isProduction)).filter((name) => /key/i.test(name));
    expect(await names('always')).toEqual(['key', 'clientKey']);
    expect(await names('development', true)).toEqual(['clientKey']);
    expect(await names('off')).toEqual([]);
    const contract = await contractOf({ key }, 'always', 'Topic');
    expect(await outcome(contract.key, 'a')).toBe('a');
    expect(await outcome(contract.clientKey, 'c')).toEqual([[]]);
  });

  it.each([
    [NumberDto, 'the class NumberDto'],
    ['v1', 'a string of 2 characters'],
  ])('a schema of keys is no class and no value: %o', async (key, kind) => {
    await expect(contractOf({ key } as never, 'off', 'Topic')).rejects.toThrow(
      `LiveModule: "key of Topic" is ${kind}. Write a Standard Schema of strings`,
    );
  });

  it('an unknown mode is a start error', async () => {
    await expect(contractOf({}, 'sometimes' as 'off', 'Topic')).rejects.toThrow(
      '"validate of Topic" is "sometimes"',
    );
  });
});

describe('A class with rules', () => {
  it.each([SaidDto, UnsaidDto])('rules that answer later are applied: %o', async (data) => {
    const contract = await contractOf({ data }, 'always', 'Topic');
    expect(await outcome(contract.data, { name: 'free' })).toEqual({ name: 'free' });
    expect(await outcome(contract.data, { name: 'taken' })).toEqual([['name']]);
  });

  it('a class that says that a rule answers later cannot be the schema of params', async () => {
    await expect(contractOf({ params: SaidDto }, 'always', 'Topic')).rejects.toThrow(
      '"params of Topic" has a rule that answers later',
    );
    const contract = await contractOf({ params: NumberDto }, 'always', 'Topic');
    expect(contract.params?.({ n: 1 })).toEqual({ value: { n: 1 } });
  });

  it('properties without rules are dropped, and the published object stays as it is', async () => {
    const contract = await contractOf({ data: StrippedDto }, 'always', 'Topic');
    const published = { name: 'a', secret: 1, more: { constructor: 'x', deep: [{ constructor: 1, a: 1 }] } };
    expect(await outcome(contract.data, published)).toEqual({ name: 'a', more: { deep: [{ a: 1 }] } });
    expect(published).toHaveProperty('secret');
  });

  it.each(['{"constructor":{},"n":"x"}', '{"__proto__":{"n":1}}', '[{"n":1}]', 'null', '1'])(
    'the rules of a class cannot be escaped by %s',
    async (text) => {
      const contract = await contractOf({ data: NumberDto }, 'always', 'Topic');
      expect(await outcome(contract.data, JSON.parse(text))).toEqual([text.startsWith('{') ? ['n'] : []]);
    },
  );
});
