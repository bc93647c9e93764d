import type { InboundMessage } from '../../protocol/client-messages.js';
import { LiveError } from '../../protocol/live.error.js';
import { isPosition } from '../../protocol/position.js';

/** A message on its way to its handler. */
export interface Task {
  readonly message: InboundMessage | LiveError;
  readonly kind: Kind;
  /** Tasks of one lane keep their order. */
  readonly lane: string;
  /** Number of waiting messages that it counts as. */
  readonly weight: number;
  /** Bytes that it adds to the waiting messages. */
  readonly byteLength: number;
  /** Raw text of a publish. It stays beside the message, so that a copy has none. [L-4.10] */
  readonly text: string | undefined;
  begun: boolean;
  /** Whether it counts as a message whose handler may be asking the application. */
  holdsPlace: boolean;
  /** Whether a later unsubscribe cancels it. [L-3.7] */
  takenBack: boolean;
  /** An earlier `auth` message whose outcome decides about it. [L-7.3] */
  credential: Task | undefined;
  done: boolean;
}

type Kind = 'subscribe' | 'unsubscribe' | 'publish' | 'other';

/** The lane of all messages of the application's own types. */
const applicationLane = '';
/** No topic has this name. */
export const authLane = '$auth';
/** The lane of pings and invalid messages: they keep their order and wait for no other lane. */
export const linkLane = '$link';

export function taskOf(
  message: InboundMessage | LiveError,
  byteLength: number,
  weight = 1,
  text?: string,
): Task {
  if (message instanceof LiveError) return newTask(message, byteLength, weight, 'other', linkLane);
  const { type, topic } = message;
  if (type === 'subscribe' || type === 'unsubscribe' || type === 'publish') {
    const lane = typeof topic === 'string' ? topic : applicationLane;
    return newTask(message, byteLength, weight, type, lane, type === 'publish' ? text : undefined);
  }
  const lane = type === 'ping' ? linkLane : type === 'auth' ? authLane : applicationLane;
  return newTask(message, byteLength, weight, 'other', lane);
}

/** All tasks have one shape, because a peer can send thousands in one read. */
function newTask(
  message: Task['message'],
  byteLength: number,
  weight: number,
  kind: Kind,
  lane: string,
  text?: string,
): Task {
  return {
    message,
    kind,
    lane,
    weight,
    byteLength,
    text,
    begun: false,
    holdsPlace: false,
    takenBack: false,
    credential: undefined,
    done: false,
  };
}

/** Whether the task's handler may ask the application. */
export function asks({ kind, takenBack }: Task): boolean {
  return kind === 'publish' || (kind === 'subscribe' && !takenBack);
}

/**
 * An unsubscribe, and a subscribe that it cancels, do not wait for a publish. A subscribe with the
 * same fields as an earlier one joins it.
 */
export function mustWaitFor(earlier: Task, later: Task): boolean {
  if (later.kind === 'unsubscribe' || (later.kind === 'subscribe' && later.takenBack))
    return earlier.kind !== 'publish';
  return !(later.kind === 'subscribe' && earlier.kind === 'subscribe' && joins(earlier, later));
}

function joins({ begun, takenBack, message }: Task, later: Task): boolean {
  if (!begun || takenBack || message instanceof LiveError || later.message instanceof LiveError) return false;
  const other = later.message;
  return (
    wishes.every((wish) => message[wish] === other[wish]) && isSamePosition(message['since'], other['since'])
  );
}

/** Fields that say how a subscriber wants its topic. */
export const wishes = ['maxRate', 'maxMessageBytes', 'pages', 'entries'] as const;

function isSamePosition(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  return isPosition(one) && isPosition(other) && one.epoch === other.epoch && one.offset === other.offset;
}
