import { randomBytes } from 'node:crypto';
import { JetStreamApiError, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import type { NatsStreamOptions } from './nats-broker.options.js';
import type { NatsSubjects } from './nats-subjects.js';

/** "stream name already in use": another instance was faster. */
const nameInUse = 10_058;
const notFound = 10_059;

const nanosPerMs = 1_000_000;
const dedupeWindowMs = 300_000;

/**
 * Finds the stream, or makes it.
 *
 * A stream that is made again counts its messages from 1 again, so that a publisher that remembers a number of the lost one
 * could append to the new one by chance. So each one gets subjects with a random part: what is meant for the lost stream
 * reaches nobody.
 *
 * @returns the random part of the stream that is there
 * @throws Error where there is a stream that is none of ours
 */
export async function ensureStream(
  jsm: JetStreamManager,
  subjects: NatsSubjects,
  options: Required<NatsStreamOptions>,
): Promise<string> {
  const there = await infoOf(jsm, options.name);
  if (there !== undefined) return adopt(jsm, subjects, options, there);
  const incarnation = randomBytes(6).toString('hex');
  try {
    await jsm.streams.add({
      ...configOf(subjects, options, incarnation),
      name: options.name,
      storage: options.storage,
    });
    return incarnation;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== nameInUse) throw error;
    const made = await infoOf(jsm, options.name);
    if (made === undefined) throw error;
    return incarnationOf(subjects, options, made);
  }
}

/** The random part of the stream's subjects; `undefined` where there is no stream. */
export async function currentIncarnation(
  jsm: JetStreamManager,
  subjects: NatsSubjects,
  options: Required<NatsStreamOptions>,
): Promise<string | undefined> {
  const there = await infoOf(jsm, options.name);
  return there && incarnationOf(subjects, options, there);
}

export function isStreamNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === notFound;
}

/** Brings what can be changed to what the options say. */
async function adopt(
  jsm: JetStreamManager,
  subjects: NatsSubjects,
  options: Required<NatsStreamOptions>,
  there: StreamConfig,
): Promise<string> {
  const incarnation = incarnationOf(subjects, options, there);
  const wanted = configOf(subjects, options, incarnation);
  const differs = Object.entries(wanted).some(
    ([name, value]) => JSON.stringify(there[name as keyof StreamConfig]) !== JSON.stringify(value),
  );
  if (differs) await jsm.streams.update(options.name, wanted);
  return incarnation;
}

async function infoOf(jsm: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await jsm.streams.info(name)).config;
  } catch (error) {
    if (isStreamNotFound(error)) return undefined;
    throw error;
  }
}

function incarnationOf(
  subjects: NatsSubjects,
  { name }: Required<NatsStreamOptions>,
  config: StreamConfig,
): string {
  const incarnation = subjects.incarnationOf(config.subjects);
  if (incarnation !== undefined) return incarnation;
  throw new Error(
    `The stream "${name}" is there, but none of ours: give "stream.name" or "stream.prefix" another one.`,
  );
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
