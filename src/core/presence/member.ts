import { LiveError } from '../../protocol/live.error.js';
import type { LiveUser } from '../ports/identity.js';
import { areFields, maxFieldsLength } from '../cluster/read-signal.js';
import { maxJsonDepth } from '../inbound/envelope.js';
import type { PresenceRules } from '../ports/policy.js';

/** A user who is subscribed to a topic on some instance. */
export interface PresenceMember {
  readonly id: string;
  /** On all instances together; 0 while it is waited for, because its last connection has just gone. */
  readonly connections: number;
  /** What the topic shows of it. */
  readonly [field: string]: unknown;
}

/** What clients are told of a member; `fields` is JSON text of an object. [L-11.3] */
export function shownMember(id: string, fields: string): { readonly id: string } {
  const others = Object.entries(JSON.parse(fields) as object).filter(([name]) => name !== 'id');
  return { id, ...Object.fromEntries(others) };
}

/** What a topic shows of a user, as JSON text; throws where the application said nothing that can be shown. */
export function fieldsText(user: LiveUser, { fields }: PresenceRules): string {
  if (fields === undefined) return '{}';
  const shown: unknown = fields(user);
  const text = JSON.stringify(shown) as string | undefined;
  if (text === undefined || !text.startsWith('{'))
    throw new TypeError('The fields of a member are no object');
  if (!areFields(text)) {
    throw new RangeError(
      `The fields of a member have more than ${String(maxFieldsLength)} characters of JSON, or ${String(maxJsonDepth)} levels`,
    );
  }
  return text;
}

export function noPresence(topic: unknown): LiveError {
  return new LiveError('validation-failed', `No declared topic with presence matches "${String(topic)}"`);
}
