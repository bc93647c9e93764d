// hot path
import type { Publication } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';
import type { WelcomeMessage } from '../../protocol/messages.js';
import type { RequestId } from '../../protocol/client-messages.js';

/**
 * The `event` message of a publication, with its data inserted unchanged. [L-4.1] A removal has no
 * data. [L-4.11]
 *
 * @param from - first offset that it covers, if that is not its own [L-4.7]
 */
export function eventText(topic: string, publication: Publication, from?: number): string {
  const { offset } = publication;
  const body = publication.removed === true ? '"removed":true' : `"data":${publication.data}`;
  const range = from === undefined ? '' : `,"from":${String(from)}`;
  const head = `{"type":"event","topic":"${topic}","offset":${String(offset)}${range},${body}`;
  return publication.key === undefined ? `${head}}` : `${head},"key":${JSON.stringify(publication.key)}}`;
}

/** Fields of a `welcome` message that differ per connection. */
export interface WelcomeAnswer {
  readonly connectionId: string;
  readonly userId: string | undefined;
  readonly expiresAt: number | undefined;
  readonly expiresInMs: number | undefined;
  readonly reconnectSpreadMs: number;
}

/** Creates `welcome` messages from text that is shared by all connections of a server. [L-1.11] */
export function welcomeTexts(
  instanceId: string,
  limits: WelcomeMessage['limits'],
): (answer: WelcomeAnswer) => string {
  const place = `,"instanceId":${JSON.stringify(instanceId)},"user":`;
  const end = `,"limits":${JSON.stringify(limits)}}`;
  return ({ connectionId, userId, expiresAt, expiresInMs, reconnectSpreadMs }) => {
    const user = userId === undefined ? 'null' : `{"id":${JSON.stringify(userId)}}`;
    const expiry =
      expiresAt === undefined
        ? ''
        : `,"expiresAt":${JSON.stringify(expiresAt)},"expiresInMs":${String(expiresInMs)}`;
    const spread = `,"reconnectSpreadMs":${String(reconnectSpreadMs)}`;
    return `{"type":"welcome","connectionId":${JSON.stringify(connectionId)}${place}${user}${expiry}${spread}${end}`;
  };
}

/** Fields of a `subscribed` message. */
export interface SubscribedAnswer {
  readonly id: RequestId | undefined;
  readonly topic: string;
  readonly position: Position;
  readonly recovered: boolean;
  /** JSON text, shared by all subscribers answered from the same snapshot. */
  readonly snapshot: string | undefined;
  /** Whether the snapshot follows in pages. [L-6.10] */
  readonly paged?: boolean;
  /** JSON text of the limits of its keys, if it is a list of entries. [L-6.11] */
  readonly entryLimits?: string | undefined;
}

/** The `subscribed` message. [L-3.2] */
export function subscribedText(answer: SubscribedAnswer): string {
  const { id, topic, position, recovered, snapshot, paged, entryLimits } = answer;
  const start = `{"type":"subscribed"${id === undefined ? '' : `,"id":${JSON.stringify(id)}`},"topic":"${topic}"`;
  const place = `,"epoch":${JSON.stringify(position.epoch)},"offset":${String(position.offset)}`;
  const list = entryLimits === undefined ? '' : `,"entries":${entryLimits}`;
  const state = snapshot === undefined ? '' : `,"snapshot":${snapshot}`;
  const pages = paged === true ? ',"pages":true' : '';
  return `${start}${place},"recovered":${String(recovered)}${list}${state}${pages}}`;
}

/** The `page` message: some fields or elements of a snapshot. [L-6.10] */
export function pageText(topic: string, page: string, isLast: boolean): string {
  return `{"type":"page","topic":"${topic}",${isLast ? '"last":true,' : ''}"snapshot":${page}}`;
}

/** The `lost` message: the publications with these offsets will not arrive. [L-5.8] */
export function lostText(topic: string, from: number, to: number): string {
  return `{"type":"lost","topic":"${topic}","from":${String(from)},"to":${String(to)},"count":${String(to - from + 1)}}`;
}
