import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { IsIn, validateSync } from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveMessagePipe } from './live-message.pipe.js';
import type { LiveMessageDto } from './live-message.dto.js';
import { PublishDto } from './publish.dto.js';
import { SubscribeDto } from './subscribe.dto.js';

const pipe = new LiveMessagePipe();
const through = (metatype: Type<LiveMessageDto>, message: object): unknown =>
  pipe.transform(message as Record<string, unknown>, { type: 'body', metatype });

const verdictOf = (run: () => unknown): 'right' | 'wrong' => {
  try {
    run();
    return 'right';
  } catch {
    return 'wrong';
  }
};

/** Valid, invalid, at a limit, or absent. */
const values = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, '', 'a', 'fleet/7', '$own', '/', 'x'.repeat(129), '\uFE0F', '😀'),
  fc.constantFrom<unknown>(0, -1, 0.01, 1_000, 1_000.1, NaN, Infinity, true, [], {}, 'y'.repeat(64)),
  fc.record({
    epoch: fc.constantFrom<unknown>('e', '', 1),
    offset: fc.constantFrom<unknown>(0, 1.5, -1, '1'),
  }),
  fc.string({ unit: 'binary' }),
);

describe('LiveMessagePipe', () => {
  it.each([
    ['publish', PublishDto],
    ['subscribe', SubscribeDto],
  ] as const)('[L-2.6] the pipe accepts a %s exactly if the decorators of its DTO do', (_type, dto) => {
    let right = 0;
    const message = fc.record({
      type: fc.oneof(fc.constant('publish'), values),
      id: fc.oneof(fc.constant(1), values),
      topic: fc.oneof(fc.constant('fleet/7'), values),
      data: values,
      key: values,
      since: fc.oneof(fc.constant({ epoch: 'e', offset: 7 }), values),
      maxRate: fc.oneof(fc.constant(2), values),
    });
    fc.assert(
      fc.property(message, (said) => {
        const plain = Object.assign(Object.create(dto.prototype as object) as object, said);
        const decorators = validateSync(plain).length === 0 ? 'right' : 'wrong';
        expect(verdictOf(() => through(dto, said))).toBe(decorators);
        if (decorators === 'right') right += 1;
      }),
      { numRuns: 5_000 },
    );
    expect(right).toBeGreaterThan(100);
  });

  it('the pipe also checks the decorators of a subclass', () => {
    class Picky extends PublishDto {
      @IsIn(['allowed'])
      declare readonly key: string;
    }
    const publish = { type: 'publish', topic: 'a', data: 1 };
    expect(through(PublishDto, { ...publish, key: 'other' })).toBeInstanceOf(PublishDto);
    expect(() => through(Picky, { ...publish, key: 'other' })).toThrow('key must be one of');
    expect(through(Picky, { ...publish, key: 'allowed' })).toBeInstanceOf(Picky);
  });
});
