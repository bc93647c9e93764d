import { parseJson } from '../inbound/envelope.js';
import { maxSignalBytes } from '../ports/broker.js';
import { isClientTopic, isTopicName } from '../../protocol/topic-name.js';
import {
  type Command,
  type Attendance,
  everybody,
  type PostResult,
  postResults,
  type Signal,
  type SignalBody,
  signalVersion,
} from './signal.js';

type Fields = Readonly<Record<string, unknown>>;

/** More than any cluster has, but still cheap. */
const maxAddressees = 1_024;

/**
 * Parses a signal and picks its known fields, or returns `undefined` if it is invalid. Anyone who
 * can write to the engine can send anything, so nothing here throws and nothing invalid is kept. An
 * invalid presence member is dropped alone; dropping the whole signal would lose every member of
 * its instance.
 *
 * @param onWrongMember - called for each member that was dropped
 */
export function readSignal(text: string, onWrongMember: () => void = () => {}): Signal | undefined {
  if (text.length > maxSignalBytes) return undefined;
  const fields = parseJson(text);
  if (!isFields(fields) || fields['v'] !== signalVersion || !isText(fields['from'], 64)) return undefined;
  const type = fields['type'];
  const read = typeof type === 'string' && Object.hasOwn(readers, type) ? readers[type] : undefined;
  const body = read?.(fields, onWrongMember);
  return body && { ...body, from: fields['from'] };
}

const readers: Readonly<
  Record<string, (fields: Fields, onWrongMember: () => void) => SignalBody | undefined>
> = {
  hello({ instanceId, seq }) {
    return isInstanceId(instanceId) && isCount(seq) ? { type: 'hello', instanceId, seq } : undefined;
  },
  bye() {
    return { type: 'bye' };
  },
  do({ id, ageMs, to, command }) {
    if (!isCount(id) || !isCount(ageMs)) return undefined;
    const known = isFields(command) ? readCommand(command) : undefined;
    if (known === undefined) return undefined;
    if (to === undefined) return { type: 'do', id, ageMs, command: known };
    return isListOf(to, maxAddressees, isKey) ? { type: 'do', id, ageMs, to, command: known } : undefined;
  },
  done({ to, id, instanceId, count }) {
    return isKey(to) && isCount(id) && isInstanceId(instanceId) && isCount(count)
      ? { type: 'done', to, id, instanceId, count }
      : undefined;
  },
  changes({ seq, changes }, onWrongMember) {
    const known = attendancesOf(changes, onWrongMember);
    return isCount(seq) && known !== undefined ? { type: 'changes', seq, changes: known } : undefined;
  },
  ask({ to }) {
    return isKey(to) ? { type: 'ask', to } : undefined;
  },
  state({ seq, part, parts, members }, onWrongMember) {
    if (!isCount(seq) || !isCount(part) || !isCount(parts) || part >= parts) return undefined;
    const known = attendancesOf(members, onWrongMember);
    return known && { type: 'state', seq, part, parts, members: known };
  },
  post({ to, id, posted }) {
    if (!isKey(to) || !isCount(id) || !isFields(posted)) return undefined;
    const { session, sealed } = posted;
    return isKey(session) && isText(sealed, maxSignalBytes)
      ? { type: 'post', to, id, posted: { session, sealed } }
      : undefined;
  },
  'post-answer'({ to, id, result }) {
    if (!isKey(to) || !isCount(id) || !isText(result, 64) || !Object.hasOwn(postResults, result))
      return undefined;
    return { type: 'post-answer', to, id, result: result as PostResult };
  },
};

function readCommand({ verb, user, topic, code, reason }: Fields): Command | undefined {
  switch (verb) {
    case 'disconnect-user':
      return isUser(user) && isCloseCode(code) && isText(reason, maxReasonLength)
        ? { verb, user, code, reason }
        : undefined;
    case 'unsubscribe-user':
      return isUser(user) && isClientTopic(topic) && isText(reason, maxReasonLength)
        ? { verb, user, topic, reason }
        : undefined;
    case 'reauthorize':
      if (user === undefined && topic === undefined) return undefined;
      if ((user !== undefined && !isUser(user)) || (topic !== undefined && !isClientTopic(topic)))
        return undefined;
      return { verb, ...(user !== undefined && { user }), ...(topic !== undefined && { topic }) };
    case 'count':
      return isClientTopic(topic) ? { verb, topic } : undefined;
    default:
      return undefined;
  }
}

/** Maximum length of a reason in commands, in characters. */
export const maxReasonLength = 123;

/** Maximum length of a user id in commands and presence. */
export const maxUserIdLength = 1_024;

export function isUser(value: unknown): value is string {
  return isText(value, maxUserIdLength) && value.length > 0;
}

/** Close codes that the application may use. [L-10.3] */
export function isCloseCode(value: unknown): value is number {
  return isCount(value) && value >= 4_000 && value <= 4_999;
}

/** Maximum length of the JSON text of a member's exposed fields. */
export const maxFieldsLength = 1_024;

/** Whether this is the JSON text of an object within the limits of length and depth. */
export function areFields(text: string): boolean {
  return text.length <= maxFieldsLength && isFields(parseJson(text));
}

function attendancesOf(list: unknown, onWrongMember: () => void): readonly Attendance[] | undefined {
  if (!Array.isArray(list)) return undefined;
  return (list as readonly unknown[]).filter((each): each is Attendance => {
    if (isAttendance(each)) return true;
    onWrongMember();
    return false;
  });
}

function isAttendance(value: unknown): value is Attendance {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [topic, user, connections, fields] = value as unknown[];
  if (!isTopicName(topic) || !(user === everybody || isUser(user)) || typeof fields !== 'string')
    return false;
  return (connections === -1 || isCount(connections)) && areFields(fields);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most;
}

const isInstanceId = (value: unknown): value is string => isText(value, 128);

const isKey = (value: unknown): value is string => isText(value, 64);

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isListOf<T>(value: unknown, most: number, is: (each: unknown) => each is T): value is readonly T[] {
  return Array.isArray(value) && value.length <= most && value.every(is);
}
