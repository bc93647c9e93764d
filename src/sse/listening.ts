import type { IncomingMessage } from 'node:http';
import type { TopicRequest } from '../protocol/client-messages.js';
import { isPosition, type Position } from '../protocol/position.js';
import { isClientTopic } from '../protocol/topic-name.js';

/**
 * The subscribes of a stream that names its topics in the query, `?topics=fleet/7,votes/9`, from
 * where `Last-Event-ID` says. `undefined` if it names none. [L-12.12]
 *
 * @throws Error that says what is wrong with the query
 */
export function listeningOf(request: IncomingMessage, maxTopics: number): TopicRequest[] | undefined {
  const query = /\?([^#]*)/.exec(request.url ?? '')?.[1];
  const list = new URLSearchParams(query).get('topics');
  if (list === null) return undefined;
  const topics = list.split(',');
  if (topics.length > maxTopics) throw new Error(`"topics" may name at most ${String(maxTopics)} topics`);
  if (!topics.every(isClientTopic) || new Set(topics).size < topics.length)
    throw new Error('"topics" must be different topics, separated by commas');
  const positions = positionsOf(request.headers['last-event-id'], topics.length);
  return topics.map((topic, i) => {
    const since = positions[i];
    return { topic, ...(since !== undefined && { since }) };
  });
}

/** The id of an event: the position of each topic, in the order of the query. */
export function eventIdOf(topics: readonly string[], positions: ReadonlyMap<string, Position>): string {
  return topics
    .map((topic) => {
      const at = positions.get(topic);
      return at === undefined ? '' : `${encodeURIComponent(at.epoch)}:${String(at.offset)}`;
    })
    .join(',');
}

/** What cannot be read, or belongs to another query, is no position: the topic starts now. */
function positionsOf(id: string | readonly string[] | undefined, count: number): (Position | undefined)[] {
  const parts = typeof id === 'string' ? id.split(',') : [];
  return parts.length === count ? parts.map(positionOf) : [];
}

function positionOf(text: string): Position | undefined {
  const [, epoch = '', offset = ''] = /^([\w.~!*'()%-]+):(\d{1,16})$/.exec(text) ?? [];
  try {
    const position = { epoch: decodeURIComponent(epoch), offset: Number(offset) };
    return isPosition(position) ? position : undefined;
  } catch {
    return undefined;
  }
}
