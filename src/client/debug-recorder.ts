import type { LiveWaiting } from './status.js';
import type { TopicMessage } from './topic-messages.js';

/** A topic in a report. */
export interface DebugTopic {
  /** Subscriptions of this client. */
  readonly subscriptions: number;
  /** The position reached, as `epoch:offset`. */
  readonly position: string | undefined;
  /** Publications received. */
  readonly events: number;
  /** `lost` messages received. */
  readonly losses: number;
  /** Why the last subscription ended, or why one has to wait. */
  readonly problem: string | undefined;
}

/** A message in a report. */
export interface DebugMessage {
  /** Time of day. */
  readonly at: string;
  /** `start`, `event`, `lost`, `end`, `publish` or a request's own. */
  readonly type: string;
  /** The topic, if there is one. */
  readonly topic: string | undefined;
  /** Offset of the message, or the outcome of what was sent. */
  readonly offset: number | string | undefined;
  /** The key of the publication. */
  readonly key: string | undefined;
  /** The beginning of its JSON, without what looks like a secret. */
  readonly data: string | undefined;
}

const maxText = 200;
const secretName = /token|secret|password|passwd|credential|authorization|cookie|api-?_?key/i;
const secretText = /^(Bearer .+|[\w-]{8,}\.[\w-]{8,}\.[\w-]*)$/;

/** The beginning of the JSON, without values that look like a secret by their name or form. */
function textOf(data: unknown): string | undefined {
  if (data === undefined) return undefined;
  const text = JSON.stringify(data, (name, value: unknown) =>
    secretName.test(name) || (typeof value === 'string' && secretText.test(value)) ? '(hidden)' : value,
  );
  return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
}

type Changing<T> = { -readonly [Name in keyof T]: T[Name] };

/** Records what a client does. */
export class Recorder {
  readonly topics = new Map<string, Changing<DebugTopic>>();
  readonly messages: DebugMessage[] = [];

  constructor(private readonly maxMessages: number) {}

  topic(name: string): Changing<DebugTopic> {
    let topic = this.topics.get(name);
    if (topic === undefined) {
      topic = { subscriptions: 0, position: undefined, events: 0, losses: 0, problem: undefined };
      this.topics.set(name, topic);
    }
    return topic;
  }

  message(message: TopicMessage): void {
    const { type, position } = message;
    const topic = this.topic(message.topic);
    topic.position = `${position.epoch}:${String(position.offset)}`;
    topic.problem = undefined;
    if (type === 'event') topic.events += 1;
    if (type === 'lost') topic.losses += 1;
    const data = type === 'event' ? message.data : message.snapshot;
    this.note(type, message.topic, position.offset, type === 'event' ? message.key : undefined, data);
  }

  ended(name: string, error: Error | undefined): void {
    this.topic(name).problem = error?.message;
    this.note('end', name, undefined, undefined, error?.message);
  }

  waiting({ topic, code, delayMs }: LiveWaiting): void {
    this.topic(topic).problem = `${code}, next try after ${String(Math.round(delayMs))} ms`;
  }

  note(type: string, topic?: string, offset?: number | string, key?: string, data?: unknown): void {
    this.messages.push({ at: now(), type, topic, offset, key, data: textOf(data) });
    if (this.messages.length > this.maxMessages) this.messages.shift();
  }
}

export const now = (): string => new Date().toISOString().slice(11, 23);
