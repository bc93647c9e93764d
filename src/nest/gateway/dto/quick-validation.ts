import { type ArgumentMetadata, type PipeTransform, type Type, ValidationPipe } from '@nestjs/common';
import { PrimitiveRules, type TransformerStorage } from './primitive-rules.js';

/** Types for which a `ValidationPipe` does nothing. */
const unchecked: readonly unknown[] = [undefined, null, String, Boolean, Number, Array, Object, Buffer, Date];

/** Options that only change what happens to a wrong value, or are handled here. */
const harmless: ReadonlySet<string> = new Set([
  'forbidUnknownValues',
  'whitelist',
  'forbidNonWhitelisted',
  'stopAtFirstError',
  'dismissDefaultMessages',
  'validationError',
]);

/** Nest's own methods, before a test or a monitoring agent can have replaced them. */
const methods = Object.entries(Object.getOwnPropertyDescriptors(ValidationPipe.prototype));

/** The fields of a `ValidationPipe`, the same in Nest 11 and 12. */
interface Settings {
  readonly isTransformEnabled: boolean;
  readonly transformOptions: unknown;
  readonly validatorOptions: Readonly<Record<string, unknown>>;
  readonly expectedType: unknown;
  readonly validateCustomDecorators: boolean;
}

/**
 * Returns the decorators of `class-transformer`, or `undefined` if it keeps them elsewhere: a
 * bundle has a copy of the package, and later versions may have other files.
 */
export async function transformerStorage(
  file: string = 'class-transformer/cjs/storage.js',
): Promise<TransformerStorage | undefined> {
  try {
    const { Exclude } = await import('class-transformer');
    const { defaultMetadataStorage: storage } = (await import(file)) as Found;
    class Probe {}
    Exclude()(Probe);
    const excluded = storage?.['_excludeMetadatas'];
    return excluded instanceof Map && excluded.has(Probe) ? storage : undefined;
  } catch {
    return undefined;
  }
}

interface Found {
  readonly defaultMetadataStorage?: TransformerStorage;
}

/**
 * The pipes of a parameter, with the same results at less cost: Nest's own `ValidationPipe` runs
 * only for values that the decorators of the DTO do not plainly accept.
 */
export function quickPipes(
  pipes: readonly PipeTransform[],
  metadata: ArgumentMetadata,
  transformers: TransformerStorage | undefined,
): PipeTransform[] {
  return pipes.flatMap((pipe) => (isPlain(pipe) ? quickened(pipe, metadata, transformers) : [pipe]));
}

/** Whether it is Nest's own pipe, and not a subclass or one with replaced methods. */
export function isPlain(pipe: PipeTransform): pipe is ValidationPipe {
  const { prototype } = ValidationPipe;
  return (
    Object.getPrototypeOf(pipe) === prototype &&
    methods.every(([name, { value }]) => Reflect.get(pipe, name) === value)
  );
}

function quickened(
  pipe: ValidationPipe,
  { type, metatype }: ArgumentMetadata,
  transformers: TransformerStorage | undefined,
): PipeTransform[] {
  const { validateCustomDecorators, expectedType, transformOptions, ...settings } =
    pipe as unknown as Settings;
  if (validateCustomDecorators || expectedType !== undefined) return [pipe];
  // Often the connection. The pipe would only return a promise of it.
  if (type === 'custom' || metatype === undefined || unchecked.includes(metatype)) return [];
  if (transformers === undefined || transformOptions !== undefined) return [pipe];
  const { isTransformEnabled, validatorOptions } = settings;
  const names = Object.keys(validatorOptions);
  if (validatorOptions['forbidUnknownValues'] !== false || !names.every((name) => harmless.has(name)))
    return [pipe];
  // With further options the pipe returns a copy, unless it returns an instance of the class.
  if (!isTransformEnabled && names.length > 1) return [pipe];
  return [new QuickPipe(pipe, metatype, transformers, isTransformEnabled, validatorOptions)];
}

/** Returns at once what the pipe would resolve with, or lets the pipe run. */
class QuickPipe implements PipeTransform {
  /** Found with the first value. */
  private rules: PrimitiveRules | undefined | null = null;

  constructor(
    private readonly pipe: ValidationPipe,
    private readonly dto: Type,
    private readonly transformers: TransformerStorage,
    private readonly makesInstance: boolean,
    private readonly options: { readonly whitelist?: unknown; readonly forbidNonWhitelisted?: unknown },
  ) {}

  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    if (this.rules === null) this.rules = PrimitiveRules.of(this.dto, this.transformers);
    if (this.rules?.accepts(value) !== true) return this.pipe.transform(value, metadata);
    if (!this.makesInstance) return value;
    return this.instanceOf(value, this.rules) ?? this.pipe.transform(value, metadata);
  }

  /** Returns `undefined` if the pipe would refuse a field that no decorator names. */
  private instanceOf(value: Readonly<Record<string, unknown>>, rules: PrimitiveRules): unknown {
    const { whitelist, forbidNonWhitelisted } = this.options;
    const instance = new this.dto() as Record<string, unknown>;
    for (const name of Object.keys(value)) instance[name] = value[name];
    if (!whitelist) return instance;
    for (const name of Object.keys(instance)) {
      if (rules.has(name)) continue;
      if (forbidNonWhitelisted) return undefined;
      delete instance[name];
    }
    return instance;
  }
}
