import { randomBytes } from 'node:crypto';
import { JetStreamApiError, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream';
import type { Clock } from '../../core/ports/clock.js';
import { minMessagesPerTopic, streamDefaults, type WantedStream } from './nats-broker.options.js';
import type { NatsSubjects } from './nats-subjects.js';

/** "stream name already in use": another instance was faster. */
const nameInUse = 10_058;
const notFound = 10_059;

/** Milliseconds that a server may take to remove the files of a stream that was deleted. */
const removalMs = 1_000;

const nanosPerMs = 1_000_000;
const dedupeWindowMs = 300_000;

/** The stream as it is there. */
export interface StreamThere {
  /** The random part of its subjects. */
  readonly incarnation: string;
  readonly info: StreamInfo;
}

/**
 * Finds the stream, or makes it.
 *
 * A stream that is made again counts its messages from 1 again, so that a publisher that remembers a number of the lost one
 * could append to the new one by chance. So each one gets subjects with a random part: what is meant for the lost stream
 * reaches nobody.
 *
 * @throws Error where there is a stream that is none of ours
 */
export async function ensureStream(
  jsm: JetStreamManager,
  subjects: NatsSubjects,
  options: WantedStream,
  onNotice: (message: string) => void,
): Promise<StreamThere> {
  const there = await findStream(jsm, subjects, options);
  if (there !== undefined) return adopt(jsm, subjects, options, onNotice, there);
  const incarnation = randomBytes(6).toString('hex');
  const all = { ...streamDefaults, ...options };
  try {
    const info = await jsm.streams.add({
      ...configOf(subjects, all, incarnation),
      name: all.name,
      storage: all.storage,
      duplicate_window: Math.min(dedupeWindowMs, all.retentionMs) * nanosPerMs,
      discard: 'old',
      allow_direct: true,
    });
    return { incarnation, info };
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== nameInUse) throw error;
    const made = await findStream(jsm, subjects, options);
    if (made === undefined) throw error;
    return made;
  }
}

/**
 * @returns `undefined` where there is no stream
 * @throws Error where there is a stream that is none of ours
 */
export async function findStream(
  jsm: JetStreamManager,
  subjects: NatsSubjects,
  { name }: WantedStream,
): Promise<StreamThere | undefined> {
  try {
    const info = await jsm.streams.info(name);
    const incarnation = subjects.incarnationOf(info.config.subjects);
    if (incarnation !== undefined) return { incarnation, info };
  } catch (error) {
    if (isStreamNotFound(error)) return undefined;
    throw error;
  }
  throw new Error(
    `The stream "${name}" is there, but none of ours: give "stream.name" or "stream.prefix" another one.`,
  );
}

/**
 * To be awaited before a stream that was there a moment ago is made again. nats-server says that it is gone before its
 * files are, and removes those of a new stream of that name with them.
 */
export async function waitForRemoval(
  jsm: JetStreamManager,
  subjects: NatsSubjects,
  options: WantedStream,
  clock: Clock,
): Promise<void> {
  // Somebody has made another one.
  if ((await findStream(jsm, subjects, options)) !== undefined) return;
  await new Promise<void>((resolve) => {
    clock.after(removalMs, resolve);
  });
}

export function isStreamNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === notFound;
}

/** Brings what was asked for to what the options say, and leaves everything else as its operator wants it. */
async function adopt(
  jsm: JetStreamManager,
  subjects: NatsSubjects,
  options: WantedStream,
  onNotice: (message: string) => void,
  there: StreamThere,
): Promise<StreamThere> {
  const { incarnation, info } = there;
  const config: Readonly<Record<string, unknown>> = { ...info.config };
  const wanted = Object.entries(configOf(subjects, options, incarnation)).filter(
    ([name, value]) => JSON.stringify(config[name]) !== JSON.stringify(value),
  );
  const { storage } = options;
  if (storage !== undefined && storage !== info.config.storage)
    throw new Error(
      `The stream "${options.name}" is in ${info.config.storage} storage, which cannot be changed.`,
    );
  // The server takes no longer window than it keeps messages.
  const windowNanos = (options.retentionMs ?? Number.POSITIVE_INFINITY) * nanosPerMs;
  if (info.config.duplicate_window > windowNanos) wanted.push(['duplicate_window', windowNanos]);
  if (wanted.length === 0) return checked(there);
  const changed = await jsm.streams.update(options.name, Object.fromEntries(wanted));
  const changes = wanted.map(([name, value]) => `${name} ${wordOf(config[name])} -> ${wordOf(value)}`);
  onNotice(`The stream "${options.name}" was changed, as the options say: ${changes.join(', ')}.`);
  return checked({ incarnation, info: changed });
}

/** @throws Error where the stream keeps too little to be used */
function checked(there: StreamThere): StreamThere {
  const { name, max_msgs_per_subject: most } = there.info.config;
  if (most <= 0 || most >= minMessagesPerTopic) return there;
  throw new Error(
    `The stream "${name}" keeps ${String(most)} messages of a subject, and needs at least ${String(minMessagesPerTopic)}.`,
  );
}

const wordOf = (value: unknown): string => JSON.stringify(value) ?? 'none';

/** What is asked for of a stream; nothing for what was not. */
function configOf(subjects: NatsSubjects, options: WantedStream, incarnation: string) {
  const { replicas, retentionMs, messagesPerTopic, maxBytes } = options;
  return {
    subjects: subjects.stored(incarnation),
    republish: subjects.republished(incarnation),
    ...(replicas !== undefined && { num_replicas: replicas }),
    ...(retentionMs !== undefined && { max_age: retentionMs * nanosPerMs }),
    ...(messagesPerTopic !== undefined && { max_msgs_per_subject: messagesPerTopic }),
    ...(maxBytes !== undefined && { max_bytes: maxBytes }),
  };
}
