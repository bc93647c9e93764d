import { applyDecorators } from '@nestjs/common';
import { IsOptional } from 'class-validator';

/**
 * The values that a variable may have, how its text becomes one, and how a message describes them.
 */
export interface Rule {
  /** Ends the sentence "must be …". */
  readonly allowed: string;
  /** Converts the text. Returns an invalid text unchanged, and the checks reject it. */
  readonly parse: (text: string) => unknown;
  /** The class-validator checks of the value. */
  readonly checks: readonly PropertyDecorator[];
  /** A secret value is never shown. */
  readonly secret?: boolean;
}

/** An environment variable of the server. */
export interface Variable extends Rule {
  readonly name: string;
  readonly about: string;
  /** Text for the default, if it is not the value of the property. */
  readonly fallback?: string;
}

const known = new Map<object, Variable[]>();

/** Declares that a property of a settings class is the environment variable of the same name. */
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
