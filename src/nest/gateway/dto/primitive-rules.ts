// hot path
import type { Type } from '@nestjs/common';
import * as classValidator from 'class-validator';

/** One decorator of a field. The arguments are reused, because no built-in validator keeps them. */
interface Rule {
  readonly validator: classValidator.ValidatorConstraintInterface;
  readonly args: { -readonly [Name in keyof classValidator.ValidationArguments]: unknown };
}

interface Field {
  readonly name: string;
  optional: boolean;
  readonly rules: Rule[];
}

type Storage = ReturnType<typeof classValidator.getMetadataStorage>;
type Metadata = ReturnType<Storage['getTargetValidationMetadatas']>[number];

/** Names of the library's own decorators. Their validators are pure and synchronous. */
const builtIn: ReadonlySet<unknown> = new Set(
  Object.values(classValidator).filter((value: unknown) => typeof value === 'string'),
);

/** What `class-transformer` keeps about classes. */
export type TransformerStorage = Readonly<Record<string, unknown>>;

/** For own properties only; the instance gets no others. */
const isEnumerable = Object.prototype.propertyIsEnumerable;

const transformerMaps = ['_typeMetadatas', '_transformMetadatas', '_exposeMetadatas', '_excludeMetadatas'];

/**
 * The decorators of a DTO whose fields are validated independently of each other. For each value
 * `class-validator` searches the decorators of all classes, which takes far longer than its checks.
 */
export class PrimitiveRules {
  private readonly fields = new Map<string, Field>();

  private constructor(
    /** Has what each new instance has. */
    private readonly sample: Readonly<Record<string, unknown>>,
  ) {}

  /** Returns `undefined` for a class that needs more than independent checks of its fields. */
  static of(dto: Type, transformers: TransformerStorage): PrimitiveRules | undefined {
    const sample = sampleOf(dto);
    if (sample === undefined || isTransformed(dto, transformers)) return undefined;
    const storage = classValidator.getMetadataStorage();
    const found = storage.getTargetValidationMetadatas(dto, '', false, false);
    const rules = new PrimitiveRules(sample);
    return found.length > 0 && found.every((each) => rules.add(each, storage)) ? rules : undefined;
  }

  /** Whether a decorator names the field. */
  has(name: string): boolean {
    return this.fields.has(name);
  }

  /**
   * Whether all fields are primitive, and `class-validator` would find no fault. `false` only means
   * that it must run.
   */
  accepts(value: unknown): value is Readonly<Record<string, unknown>> {
    if (typeof value !== 'object' || value === null) return false;
    if (Object.getPrototypeOf(value) !== Object.prototype) return false;
    const message = value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(message)) {
      if (!isPrimitive(message[name]) || isInherited(this.sample, name)) return false;
      // Nest deletes it.
      if (name === 'prototype') return false;
    }
    for (const field of this.fields.values()) if (!this.isRight(field, message)) return false;
    return true;
  }

  private isRight({ name, optional, rules }: Field, message: Readonly<Record<string, unknown>>): boolean {
    const value = isEnumerable.call(message, name) ? message[name] : undefined;
    // The instance would have the default of the class.
    if (value === undefined && this.sample[name] !== undefined) return false;
    if (optional && (value === undefined || value === null)) return true;
    for (const { validator, args } of rules) {
      args.value = value;
      args.object = message;
      if (validator.validate(value, args as never) !== true) return false;
    }
    return true;
  }

  private add(metadata: Metadata, storage: Storage): boolean {
    const { propertyName: name, type, target, constraints, validateIf } = metadata;
    if (typeof target !== 'function' || validateIf !== undefined) return false;
    const field = this.fields.get(name) ?? { name, optional: false, rules: [] };
    this.fields.set(name, field);
    if (type === 'whitelistValidation') return true;
    if (!builtIn.has(metadata.name)) return false;
    if (type === 'conditionalValidation') return (field.optional = metadata.name === 'isOptional');
    if (type !== 'customValidation' && type !== 'isDefined') return false;
    const args = {
      targetName: target.name,
      property: name,
      constraints,
      value: undefined,
      object: undefined,
    };
    for (const { instance } of storage.getTargetValidatorConstraints(metadata.constraintCls))
      field.rules.push({ validator: instance, args });
    return true;
  }
}

function isPrimitive(value: unknown): boolean {
  return (
    value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  );
}

/** Whether the class has a member of this name, such as a method, in the place of a field. */
function isInherited(sample: object, name: string): boolean {
  return name in sample && !Object.hasOwn(sample, name);
}

/** An instance, unless making one fails or gives it fields that cannot be written. */
function sampleOf(dto: Type): Record<string, unknown> | undefined {
  try {
    const sample = new dto() as Record<string, unknown>;
    const fields = Object.values(Object.getOwnPropertyDescriptors(sample));
    return Object.isExtensible(sample) && fields.every(({ writable }) => writable === true)
      ? sample
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether `class-transformer` may change a value on its way into the class. */
function isTransformed(dto: Type, transformers: TransformerStorage): boolean {
  const maps = transformerMaps.map((name) => transformers[name]);
  for (let each: unknown = dto; typeof each === 'function'; each = Object.getPrototypeOf(each))
    if (maps.some((map) => !(map instanceof Map) || map.has(each))) return true;
  return false;
}
