/**
 * Identifiers of the document. AsyncAPI allows them letters, digits, `_`, `-` and `.`, fewer than
 * names of topics and messages have. Different names have different identifiers, whatever else is
 * declared, so that a new topic changes no identifier of another.
 */

/** Identifier of the channel that stands for the connection itself. */
export const connectionId = 'connection';

/** They begin the identifiers of the application's own messages, and of the answers to them. */
const prefixes = { request: 'own', answer: 'answer' } as const;

/** A word that is kept. All other identifiers of a segment begin with another character. */
const plain = /^[A-Za-z0-9][\w-]*$/;

/** `fleet/:fleetId` is `fleet._fleetId`, `jobs/*` is `jobs.-any`, `v1.2` is `--v1-d2`. */
export function topicId(pattern: string): string {
  const [first = '', ...others] = pattern.split('/');
  const isReserved =
    Object.values<string>(prefixes).includes(first) || (first === connectionId && others.length === 0);
  return [isReserved ? spelled(first) : segmentId(first), ...others.map(segmentId)].join('.');
}

function segmentId(segment: string): string {
  if (segment === '*') return '-any';
  if (segment === '**') return '-rest';
  return segment.startsWith(':') ? `_${segment.slice(1)}` : wordId(segment);
}

/** `trip.book` is `own.trip.book`, `trip book` is `own.--trip-x20-book`. */
export function handlerId(type: string, message: keyof typeof prefixes = 'request'): string {
  return `${prefixes[message]}.${type.split('.').every((word) => plain.test(word)) ? type : spelled(type)}`;
}

/** One word without a dot. */
export function wordId(text: string): string {
  return plain.test(text) ? text : spelled(text);
}

/** Writes each special character as a hyphen and something that no other one is written as. */
function spelled(text: string): string {
  const characters = text.replaceAll(/\W/g, (character) => {
    if (character === '-') return '--';
    if (character === '.') return '-d';
    return character === '~' ? '-t' : `-x${character.charCodeAt(0).toString(16)}-`;
  });
  return `--${characters}`;
}
