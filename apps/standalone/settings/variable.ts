import { applyDecorators } from '@nestjs/common';
import { IsOptional } from 'class-validator';

/** What values a variable may have, how its text becomes one, and how the rule reads in a message. */
export interface Rule {
  /** Ends the sentence "must be …". */
  readonly allowed: string;
  /** Makes the value; gives a text that cannot be one back as it is, for the checks to find. */
  readonly parse: (text: string) => unknown;
  /** class-validator's checks of the value. */
  readonly checks: readonly PropertyDecorator[];
  /** The value of a secret is shown nowhere. */
  readonly secret?: boolean;
}

/** An environment variable of the server. */
export interface Variable extends Rule {
  readonly name: string;
  readonly about: string;
  /** How the default reads where it is not simply the property's value. */
  readonly fallback?: string;
}

const known = new Map<object, Variable[]>();

/** Declares a property of a settings class to be the environment variable of the same name. */
export function Env(about: string, rule: Rule, fallback?: string): PropertyDecorator {
  return (target, property) => {
    const variable = { ...rule, name: String(property), about, ...(fallback !== undefined && { fallback }) };
    known.set(target, [...(known.get(target) ?? []), variable]);
    applyDecorators(IsOptional(), ...rule.checks)(target, property);
  };
}

/** The variables that a settings class declares, in order. */
export function variablesOf(settings: new () => object): readonly Variable[] {
  return known.get(settings.prototype as object) ?? [];
}
