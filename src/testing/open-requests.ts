import { readEnvelope } from '../core/inbound/envelope.js';
import { LiveError } from '../protocol/live.error.js';
import { isClientTopic } from '../protocol/topic-name.js';

interface OpenRequest {
  readonly id: unknown;
  readonly type: string;
  readonly topic: string | undefined;
  /** One of several topics in a message; an answer without a topic is about all of them. */
  readonly isPart: boolean;
  /** The error text for an invalid message, by which alone its answer can be recognized. */
  readonly refusal?: string;
}

/** The answer to each type of message, unless it is refused. */
export const answerTypes: Readonly<Record<string, string>> = {
  subscribe: 'subscribed',
  unsubscribe: 'unsubscribed',
  publish: 'published',
  auth: 'authenticated',
  ping: 'pong',
};

type Fields = Readonly<Record<string, unknown>>;

/** The requests of one client that are not answered yet. A pong says nothing about them. */
export class OpenRequests {
  /** Whether a message for the application was sent, which may not answer it. */
  sentToApplication = false;
  private open: OpenRequest[] = [];

  get count(): number {
    return this.open.length;
  }

  sent(text: string): void {
    const message = readEnvelope(text);
    if (message instanceof LiveError) {
      this.open.push({ id: undefined, type: '', topic: undefined, isPart: false, refusal: message.message });
      return;
    }
    const { id, type, topic, topics } = message;
    if (!Object.hasOwn(answerTypes, type)) this.sentToApplication = true;
    else if (!Array.isArray(topics)) this.open.push({ id, type, topic: nameOf(topic), isPart: false });
    else for (const each of topics) this.open.push({ id, type, topic: nameOf(each), isPart: true });
  }

  /** Removes the request that a message answers; pushed messages answer none. */
  received(message: Fields): void {
    const isOfAll = message['topic'] === undefined && message['type'] === 'error';
    let place = this.open.findIndex(({ refusal }) => refusal !== undefined && refusal === message['message']);
    if (place < 0) place = this.open.findIndex((request) => answers(message, request));
    const [request] = place < 0 ? [] : this.open.splice(place, 1);
    if (request?.isPart === true && isOfAll) this.open = this.open.filter((each) => !answers(message, each));
  }
}

function nameOf(topic: unknown): string | undefined {
  const name: unknown = typeof topic === 'object' && topic !== null ? (topic as Fields)['topic'] : topic;
  return isClientTopic(name) ? name : undefined;
}

function answers({ id, type, topic, code }: Fields, request: OpenRequest): boolean {
  if (id !== request.id || request.refusal !== undefined) return false;
  if (request.isPart && topic === undefined) return type === 'error';
  if (id !== undefined) return !request.isPart || topic === request.topic;
  // Without an id, type and topic identify the answer. A message with a code is the server's own.
  const isAnswer = type === answerTypes[request.type] && code === undefined;
  return (type === 'error' || isAnswer) && topic === request.topic;
}
