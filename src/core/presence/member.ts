import { LiveError } from '../../protocol/live.error.js';
import type { LiveUser } from '../ports/identity.js';
import { areFields, maxFieldsLength } from '../cluster/read-signal.js';
import { maxJsonDepth } from '../inbound/envelope.js';
import type { PresenceRules } from '../ports/policy.js';

/** A user who is subscribed to a topic on any instance. */
export interface PresenceMember {
  /** The user's id. */
  readonly id: string;
  /** Total on all instances. 0 during the grace period after the last connection closed. */
  readonly connections: number;
  /** The fields that the topic exposes. */
  readonly [field: string]: unknown;
}

/** Public form of a member. `fields` is JSON text of an object. [L-11.3] */
export function shownMember(id: string, fields: string): { readonly id: string } {
  const others = Object.entries(JSON.parse(fields) as object).filter(([name]) => name !== 'id');
  return { id, ...Object.fromEntries(others) };
}

/**
 * Returns the exposed fields of a user as JSON text. Throws if the application returned nothing
 * usable.
 */
export function fieldsText(user: LiveUser, { fields }: PresenceRules): string {
  if (fields === undefined) return '{}';
  const shown: unknown = fields(user);
  const text = JSON.stringify(shown) as string | undefined;
  if (text === undefined || !text.startsWith('{'))
    throw new TypeError('Presence `fields` must return an object');
  if (!areFields(text)) {
    throw new RangeError(
      `Presence fields must have at most ${String(maxFieldsLength)} characters of JSON, and ${String(maxJsonDepth)} levels`,
    );
  }
  return text;
}

export function noPresence(topic: unknown): LiveError {
  return new LiveError('validation-failed', `No declared topic with presence matches "${String(topic)}"`);
}
