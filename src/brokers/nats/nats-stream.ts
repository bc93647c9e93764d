import { randomBytes } from 'node:crypto';
import {
  JetStreamApiError,
  type JetStreamManager,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsStreamOptions } from './nats-broker.options.js';
import type { NatsSubjects } from './nats-subjects.js';

/** "stream name already in use": another instance was faster. */
const nameInUse = 10_058;
const notFound = 10_059;

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
  options: Required<NatsStreamOptions>,
): Promise<StreamThere> {
  const there = await findStream(jsm, subjects, options);
  if (there !== undefined) return adopt(jsm, subjects, options, there);
  const incarnation = randomBytes(6).toString('hex');
  try {
    const info = await jsm.streams.add({
      ...configOf(subjects, options, incarnation),
      name: options.name,
      storage: options.storage,
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
  { name }: Required<NatsStreamOptions>,
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

export function isStreamNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === notFound;
}

/** Brings what can be changed to what the options say. */
async function adopt(
  jsm: JetStreamManager,
  subjects: NatsSubjects,
  options: Required<NatsStreamOptions>,
  there: StreamThere,
): Promise<StreamThere> {
  const { incarnation, info } = there;
  const wanted = configOf(subjects, options, incarnation);
  const differs = Object.entries(wanted).some(
    ([name, value]) => JSON.stringify(info.config[name as keyof StreamConfig]) !== JSON.stringify(value),
  );
  return differs ? { incarnation, info: await jsm.streams.update(options.name, wanted) } : there;
}

function configOf(subjects: NatsSubjects, options: Required<NatsStreamOptions>, incarnation: string) {
  return {
    subjects: subjects.stored(incarnation),
    republish: subjects.republished(incarnation),
    num_replicas: options.replicas,
    max_age: options.retentionMs * nanosPerMs,
    max_msgs_per_subject: options.messagesPerTopic,
    max_bytes: options.maxBytes,
    duplicate_window: Math.min(dedupeWindowMs, options.retentionMs) * nanosPerMs,
    discard: 'old',
    allow_direct: true,
  } as const;
}
