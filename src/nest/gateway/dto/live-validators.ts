import { registerDecorator } from 'class-validator';
import { type FieldName, fieldRules } from '../../../protocol/fields.js';

export type { FieldName };

/** Holds the property to the protocol's rule of this field. */
export function IsField(name: FieldName): PropertyDecorator {
  const [isRight, allowed] = fieldRules[name];
  return field(`is_${name}`, `$property must be ${allowed}`, isRight);
}

/** Any JSON value, `null` among them, but not nothing. [L-4.3] */
export function IsPresent(): PropertyDecorator {
  return field('isPresent', '$property must be there', (value) => value !== undefined);
}

function field(name: string, message: string, validate: (value: unknown) => boolean): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: String(property),
      options: { message },
      validator: { validate },
    });
  };
}
