import { describe, expect, it } from 'vitest';
import { plainSchema } from './plain-schema.js';

const { validate, jsonSchema } = plainSchema({
  type: 'object',
  properties: {
    id: { type: 'string', enum: ['A', 'B'] },
    at: { type: 'integer', description: 'When' },
    stops: { type: 'array', items: { type: 'object', properties: { lat: { type: 'number' } } } },
  },
})['~standard'] as unknown as {
  readonly validate: (value: unknown) => { readonly issues?: readonly { readonly path: unknown[] }[] };
  readonly jsonSchema: { readonly output: () => object };
};

const right = { id: 'A', at: 1, stops: [{ lat: 0.5 }], more: true };

describe('plainSchema', () => {
  it('a right value is accepted as it is', () => {
    expect(validate(right)).toEqual({ value: right });
  });

  it.each([
    [[], []],
    [null, []],
    [{ ...right, id: 'C' }, ['id']],
    [{ ...right, id: 1 }, ['id']],
    [{ ...right, at: 0.5 }, ['at']],
    [{ ...right, stops: {} }, ['stops']],
    [{ ...right, stops: [{ lat: 1 }, { lat: NaN }] }, ['stops', 1, 'lat']],
    [{ id: 'A', at: 1 }, ['stops']],
  ])('a wrong value is refused with its path: %j', (value, path) => {
    expect(validate(value).issues?.map((issue) => issue.path)).toEqual([path]);
  });

  it('the JSON Schema has the same rules', () => {
    expect(jsonSchema.output()).toEqual({
      type: 'object',
      properties: {
        id: { type: 'string', enum: ['A', 'B'] },
        at: { type: 'integer', description: 'When' },
        stops: {
          type: 'array',
          items: { type: 'object', properties: { lat: { type: 'number' } }, required: ['lat'] },
        },
      },
      required: ['id', 'at', 'stops'],
    });
  });
});
