import { randomBytes } from 'node:crypto';
import { JetStreamApiError, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream';
import { idempotencyMs } from '../../core/ports/broker.js';
import type { Clock } from '../../core/ports/clock.js';
import { minMessagesPerTopic, streamDefaults, type WantedStream } from './nats-stream.options.js';
import type { NatsSubjects } from './nats-subjects.js';

/** "stream name already in use": another instance was faster. */
const nameInUse = 10_058;
const notFound = 10_059;

/** Milliseconds that a server may need to remove the files of a deleted stream. */
const removalMs = 1_000;

const nanosPerMs = 1_000_000;

/** An existing stream. */
export interface StreamThere {
  /** The random part of its subjects. */
  readonly incarnation: string;
  readonly info: StreamInfo;
}

/**
 * Finds or creates the stream.
 *
 * A recreated stream numbers its messages from 1 again, so a publisher that remembers a sequence of
 * the lost stream could append to the new one by accident. Each stream therefore has subjects with
 * a random part, and messages for the lost stream reach no one.
 *
 * @throws Error if a foreign stream has the name
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
      duplicate_window: Math.min(idempotencyMs, all.retentionMs) * nanosPerMs,
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
 * @returns `undefined` if there is no stream
 * @throws Error if a foreign stream has the name
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
    `The stream "${name}" exists but does not belong to nestjs-live: choose another "stream.name" or "stream.prefix".`,
  );
}

/**
 * Wait for this before recreating a stream that existed a moment ago. nats-server reports it gone
 * before its files are, and would remove the files of a new stream of that name with them.
 */
export async function waitForRemoval(
  jsm: JetStreamManager,
  subjects: NatsSubjects,
  options: WantedStream,
  clock: Clock,
): Promise<void> {
  // Another instance has already created one.
  if ((await findStream(jsm, subjects, options)) !== undefined) return;
  await new Promise<void>((resolve) => {
    clock.after(removalMs, resolve);
  });
}

export function isStreamNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === notFound;
}

/** Applies the given options and leaves all other settings to the operator. */
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
  // The server accepts no window longer than the retention.
  const windowNanos = (options.retentionMs ?? Number.POSITIVE_INFINITY) * nanosPerMs;
  if (info.config.duplicate_window > windowNanos) wanted.push(['duplicate_window', windowNanos]);
  if (wanted.length === 0) return checked(there);
  const changed = await jsm.streams.update(options.name, Object.fromEntries(wanted));
  const changes = wanted.map(([name, value]) => `${name} ${wordOf(config[name])} -> ${wordOf(value)}`);
  onNotice(`The stream "${options.name}" was changed according to the options: ${changes.join(', ')}.`);
  return checked({ incarnation, info: changed });
}

/** @throws Error if the stream keeps too few messages */
function checked(there: StreamThere): StreamThere {
  const { name, max_msgs_per_subject: kept } = there.info.config;
  if (kept <= 0 || kept >= minMessagesPerTopic) return there;
  throw new Error(
    `The stream "${name}" keeps ${String(kept)} messages per subject, but at least ${String(minMessagesPerTopic)} are required.`,
  );
}

const wordOf = (value: unknown): string => JSON.stringify(value) ?? 'none';

/** The configuration for the given options, without those left out. */
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
