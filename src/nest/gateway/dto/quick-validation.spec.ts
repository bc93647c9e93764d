import 'reflect-metadata';
import { HttpException, type Type, ValidationPipe, type ValidationPipeOptions } from '@nestjs/common';
import { Exclude, Transform, Type as TypeOf } from 'class-transformer';
import {
  Allow,
  IsBoolean,
  IsDefined,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TransformerStorage } from './primitive-rules.js';
import { quickPipes, transformerStorage } from './quick-validation.js';

class Plain {
  @IsInt() @Min(0) @Max(9) n!: number;
  @IsString() @Length(1, 3) @Matches(/^[ab]+$/g) text!: string;
  @IsOptional() @IsIn(['x', 'y']) choice?: string;
  @IsDefined() @IsNotEmpty() some!: unknown;
  @Allow() free?: unknown;
  @IsBoolean({ groups: ['admin'] }) @IsOptional() flag?: boolean;
}
class Derived extends Plain {
  @IsInt({ each: true, message: 'more must be whole' }) more!: number;
  @IsString({ always: false }) override text = undefined as unknown as string;
}
class Defaulted {
  @IsInt() n = 1;
  @IsString() text: unknown = 7;
  extra = 'kept';
}
class Converted {
  @IsInt() @TypeOf(() => Number) n!: number;
}
class Trimmed extends Plain {
  @Transform(({ value }) => (value === 'ab' ? 'c' : (value as unknown))) override text =
    undefined as unknown as string;
}
class Hidden {
  @IsOptional() @IsInt() n?: number;
  @Exclude() text?: string;
}
class Conditional {
  @ValidateIf(({ text }: Conditional) => text !== 'ab') @IsInt() n!: number;
  text?: string;
}
class Nested {
  @ValidateNested() @TypeOf(() => Plain) some!: Plain;
}
class WithMethod {
  @IsInt() n!: number;
  text(): string {
    return 'a method';
  }
  get choice(): string {
    return 'a getter';
  }
}
class WithSetter {
  #n = 0;
  @IsInt()
  get n(): number {
    return this.#n;
  }
  set n(value: number) {
    this.#n = value + 1;
  }
}
class Frozen {
  @IsInt() n!: number;
  constructor() {
    Object.freeze(this);
  }
}
class Asynchronous {
  @ValidateBy({ name: 'isIn', validator: { validate: (value) => Promise.resolve(value === 1) } }) n!: number;
}
class Undecorated {
  n!: number;
}
class SameAs {
  @ValidateBy({ name: 'sameAs', validator: { validate: (_, args) => args?.object instanceof SameAs } })
  n!: number;
}

class OptionalDefault {
  @IsOptional() @IsInt() n: unknown = 'wrong';
}
class OptionalGetter {
  @IsOptional()
  @IsInt()
  get n(): unknown {
    return 'wrong';
  }
}
class OwnAccessor {
  @IsOptional() @IsString() text?: string;
  constructor() {
    Object.defineProperty(this, 'n', {
      set: (value: string) => {
        this.text = value;
      },
      enumerable: true,
    });
  }
}
class ValidatedIf {
  @IsString({ validateIf: ({ text }: ValidatedIf) => text === 'c' }) n!: unknown;
  text?: string;
}
class RefusesInstances {
  @ValidateBy({ name: 'plain', validator: { validate: (_, args) => args?.object.constructor === Object } })
  n!: number;
}

// prettier-ignore
const classes: readonly Type[] = [
  Plain, Derived, Defaulted, Converted, Trimmed, Hidden, Conditional, Nested, WithMethod, WithSetter, Frozen,
  Asynchronous, Undecorated, SameAs, OptionalDefault, OptionalGetter, OwnAccessor, ValidatedIf, RefusesInstances,
];

const options: readonly ValidationPipeOptions[] = [
  {},
  { transform: true },
  { whitelist: true },
  { transform: true, whitelist: true },
  { transform: true, whitelist: true, forbidNonWhitelisted: true, stopAtFirstError: true },
  { transform: true, transformOptions: { enableImplicitConversion: true } },
  { skipMissingProperties: true },
  { groups: ['admin'] },
  { forbidUnknownValues: true },
  { expectedType: Plain },
];

let transformers: TransformerStorage | undefined;
beforeAll(async () => {
  transformers = await transformerStorage();
});

const quickened = (pipe: ValidationPipe, metatype: Type | undefined, type: 'body' | 'custom' = 'body') =>
  quickPipes([pipe], { type, metatype }, transformers);

interface Outcome {
  readonly result?: unknown;
  readonly prototype?: unknown;
  readonly error?: unknown;
}
async function outcomeOf(run: () => unknown): Promise<Outcome> {
  try {
    const result = await run();
    return {
      result,
      prototype: typeof result === 'object' ? Object.getPrototypeOf(result ?? {}) : undefined,
    };
  } catch (error) {
    return { error: error instanceof HttpException ? error.getResponse() : String(error) };
  }
}

/** Right for most of the classes. */
const right = { n: 1, text: 'ab', choice: 'x', some: 1, flag: true, more: 2 };

/** JSON of the right message, of messages that differ from it in one field, and of other values. */
const texts = [
  right,
  ...Object.keys(right).flatMap((name) =>
    [undefined, null, 'wrong', 10, { n: 1 }].map((value) => ({
      ...right,
      [name]: value,
    })),
  ),
  ...['type', 'toString', 'constructor', 'prototype', 'proto'].map((name) => ({ ...right, [name]: 'c' })),
  { ...right, proto: { a: 1 } },
  { text: 'ab' },
  {},
  null,
  1,
  'a',
  [],
  [right],
].map((value) => JSON.stringify(value).replace('"proto"', '"__proto__"'));

describe('quickPipes', () => {
  it('the shortcut of a ValidationPipe has the same results and errors as the pipe itself', async () => {
    const shorter = new Set<string>();
    for (const option of options) {
      for (const dto of options.indexOf(option) < 5 ? classes : [Plain]) {
        const pipe = new ValidationPipe(option);
        const [quick] = quickened(pipe, dto);
        const metadata = { type: 'body', metatype: dto } as const;
        const seen: unknown[] = [];
        const expected: unknown[] = [];
        for (const text of texts) {
          // The pipe also changes the value that it is given.
          const [given, other] = [JSON.parse(text) as unknown, JSON.parse(text) as unknown];
          let answer: unknown;
          const outcome = await outcomeOf(() => (answer = quick?.transform(given, metadata)));
          seen.push([text, given, outcome]);
          expected.push([text, other, await outcomeOf(() => pipe.transform(other, metadata))]);
          if (outcome.error === undefined && !(answer instanceof Promise))
            shorter.add(`${dto.name} ${String(options.indexOf(option))}`);
        }
        expect(seen, dto.name).toStrictEqual(expected);
      }
    }
    const classesWithShortcut = [Defaulted, Derived, OptionalDefault, Plain].map(({ name }) => name);
    expect(new Set([...shorter].map((each) => each.split(' ')[0]))).toEqual(new Set(classesWithShortcut));
    expect(new Set([...shorter].map((each) => each.split(' ')[1]))).toEqual(new Set(['0', '1', '3', '4']));
  });

  it('a field that cannot be enumerated, which the instance would not get, is as missing as for the pipe', async () => {
    class One {
      @IsInt() n!: number;
    }
    const pipe = new ValidationPipe({ transform: true });
    const [quick] = quickened(pipe, One);
    for (const run of [quick, pipe]) {
      const hidden = Object.defineProperty({}, 'n', { value: 1 });
      const { error } = await outcomeOf(() => run?.transform(hidden, { type: 'body', metatype: One }));
      expect(error).toMatchObject({ message: ['n must be an integer number'] });
    }
  });

  it('the shortcut is not taken for a subclass of the pipe, or a pipe with a replaced method', () => {
    class Own extends ValidationPipe {}
    const replaced = Object.assign(new ValidationPipe(), { transform: (value: unknown) => value });
    for (const pipe of [new Own(), replaced as ValidationPipe]) {
      expect(quickened(pipe, Plain)).toEqual([pipe]);
      expect(quickened(pipe, Plain, 'custom')).toEqual([pipe]);
    }
  });

  it('a ValidationPipe is left out for a parameter that it would return unchanged', async () => {
    for (const metatype of [undefined, Object, String, Number]) {
      for (const option of options.slice(0, 9)) {
        const pipe = new ValidationPipe(option);
        expect(quickened(pipe, metatype)).toEqual([]);
        expect(await pipe.transform('7', { type: 'body', metatype })).toBe('7');
      }
    }
    const connection = { id: 'a connection' };
    const pipe = new ValidationPipe();
    expect(quickened(pipe, Plain, 'custom')).toEqual([]);
    expect(await pipe.transform(connection, { type: 'custom', metatype: Plain })).toBe(connection);
    const checking = new ValidationPipe({ validateCustomDecorators: true });
    expect(quickened(checking, Plain, 'custom')).toEqual([checking]);
  });

  it('the decorators of another copy of class-transformer, as in a bundle, are not found', async () => {
    expect(transformers).toBeDefined();
    const copy = 'export const defaultMetadataStorage = { _excludeMetadatas: new Map() };';
    expect(await transformerStorage(`data:text/javascript,${copy}`)).toBeUndefined();
    expect(await transformerStorage('class-transformer/cjs/no-such-file.js')).toBeUndefined();
  });

  it('the shortcut is not taken if the decorators of class-transformer cannot be found', () => {
    const pipe = new ValidationPipe();
    expect(quickPipes([pipe], { type: 'body', metatype: Plain }, undefined)).toEqual([pipe]);
    const [quick] = quickPipes([pipe], { type: 'body', metatype: Plain }, {});
    expect(quick?.transform({ n: 1, text: 'ab', some: 1 }, { type: 'body', metatype: Plain })).toBeInstanceOf(
      Promise,
    );
  });
});
