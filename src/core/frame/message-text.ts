// hot path
import type { Publication } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';
import type { RequestId, WelcomeMessage } from '../../protocol/messages.js';

/**
 * The `event` message of a publication; its data, JSON text already, is not touched again. [L-4.1] A removal has none. [L-4.11]
 *
 * @param from the first offset that it stands for, where that is not its own [L-4.7]
 */
export function eventText(topic: string, publication: Publication, from?: number): string {
  const { offset } = publication;
  const body = publication.removed === true ? '"removed":true' : `"data":${publication.data}`;
  const range = from === undefined ? '' : `,"from":${String(from)}`;
  const head = `{"type":"event","topic":"${topic}","offset":${String(offset)}${range},${body}`;
  return publication.key === undefined ? `${head}}` : `${head},"key":${JSON.stringify(publication.key)}}`;
}

/** What a `welcome` message says that is not the same for all. */
export interface WelcomeAnswer {
  readonly connectionId: string;
  readonly userId: string | undefined;
  readonly expiresAt: number | undefined;
  readonly expiresInMs: number | undefined;
  readonly reconnectSpreadMs: number;
}

/** Makes `welcome` messages; what is the same for all of a server is text already. [L-1.11] */
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

/** What a `subscribed` message says. */
export interface SubscribedAnswer {
  readonly id: RequestId | undefined;
  readonly topic: string;
  readonly position: Position;
  readonly recovered: boolean;
  /** JSON text; shared by all who were answered from the same snapshot. */
  readonly snapshot: string | undefined;
}

/** The `subscribed` message. [L-3.2] */
export function subscribedText({ id, topic, position, recovered, snapshot }: SubscribedAnswer): string {
  const start = `{"type":"subscribed"${id === undefined ? '' : `,"id":${JSON.stringify(id)}`},"topic":"${topic}"`;
  const place = `,"epoch":${JSON.stringify(position.epoch)},"offset":${String(position.offset)}`;
  const state = snapshot === undefined ? '' : `,"snapshot":${snapshot}`;
  return `${start}${place},"recovered":${String(recovered)}${state}}`;
}

/** The `lost` message: the publications with these offsets will not come. [L-5.8] */
export function lostText(topic: string, from: number, to: number): string {
  return `{"type":"lost","topic":"${topic}","from":${String(from)},"to":${String(to)},"count":${String(to - from + 1)}}`;
}
