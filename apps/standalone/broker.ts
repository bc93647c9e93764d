import { Logger } from '@nestjs/common';
import type { NatsStreamOptions } from 'nestjs-live/nats';
import type { Broker } from 'nestjs-live';
import type { ServerSettings } from './settings.js';
import { brokerAddresses, schemeOf } from './settings/broker-address.js';

/** Receives connection errors, repeatedly while they last. */
type Complain = (doing: string, error: unknown) => void;

interface BrokerKind {
  /** The optional peers that it needs. */
  readonly peer: string;
  /** Creates the broker. Loads the peer only when it is called. */
  readonly make: (urls: readonly string[], complain: Complain, settings: ServerSettings) => Promise<Broker>;
}

const redis: BrokerKind = {
  peer: '@redis/client',
  async make(url, onError) {
    const { RedisBroker } = await import('nestjs-live/redis');
    return new RedisBroker({ url, onError });
  },
};

const nats: BrokerKind = {
  peer: '@nats-io/transport-node @nats-io/jetstream',
  async make(url, onError, settings) {
    const { NatsBroker } = await import('nestjs-live/nats');
    const logger = new Logger('Broker');
    const onNotice = (message: string): void => logger.log(message);
    return new NatsBroker({ url, onError, onNotice, stream: natsStreamOf(settings) });
  },
};

/** Only the options that are set. All others keep the current values of the stream. */
function natsStreamOf(settings: ServerSettings): NatsStreamOptions {
  const { LIVE_NATS_STREAM: name, LIVE_NATS_DOMAIN: domain, LIVE_NATS_STORAGE: storage } = settings;
  const { LIVE_NATS_REPLICAS: replicas, LIVE_NATS_MAX_BYTES: maxBytes } = settings;
  return {
    ...(name !== undefined && { name }),
    ...(domain !== undefined && { domain }),
    ...(storage !== undefined && { storage }),
    ...(replicas !== undefined && { replicas }),
    ...(maxBytes !== undefined && { maxBytes }),
  };
}

/** By the scheme of `LIVE_BROKER_URL`. `broker-address.ts` lists the accepted ones. */
export const brokerKinds: Readonly<Record<string, BrokerKind>> = {
  'redis:': redis,
  'rediss:': redis,
  'redis+sentinel:': redis,
  'rediss+sentinel:': redis,
  'nats:': nats,
  'tls:': nats,
};

/** The server cannot start. The message is the whole explanation. */
export class MissingPeer extends Error {}

/**
 * The broker that the settings name, or `undefined` for the memory of this process. The broker need
 * not be reachable: the server starts, is not ready, and keeps trying.
 *
 * @throws MissingPeer if its client is not installed
 */
export async function brokerOf(
  settings: ServerSettings,
  kinds: Readonly<Record<string, BrokerKind>> = brokerKinds,
): Promise<Broker | undefined> {
  const { LIVE_BROKER_URL } = settings;
  if (LIVE_BROKER_URL === undefined) return undefined;
  const urls = brokerAddresses(LIVE_BROKER_URL);
  const kind = kinds[schemeOf(urls[0] ?? '')];
  if (kind === undefined) throw new Error('LIVE_BROKER_URL has a scheme that no broker supports.');
  try {
    return await kind.make(urls, complaints(), settings);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new MissingPeer(
      `LIVE_BROKER_URL needs ${kind.peer}, which is not installed: npm install ${kind.peer}`,
      { cause: error },
    );
  }
}

/** Milliseconds until the same complaint is logged again. */
const againMs = 60_000;

/**
 * Logs each complaint once a minute, by its message only: the other fields of an error may hold
 * secrets.
 */
export function complaints(context = 'Broker'): Complain {
  const logger = new Logger(context);
  const saidMs = new Map<string, number>();
  return (doing, error) => {
    const words = `failed: ${doing}`;
    const why = wordsOf(error);
    const now = performance.now();
    if (now - (saidMs.get(words + why) ?? -againMs) < againMs) return;
    // A server sends few different messages, but we do not control them.
    if (saidMs.size > 100) saidMs.clear();
    saidMs.set(words + why, now);
    logger.warn({ msg: words, why });
  };
}

/** An error for several addresses of one name has a code but no message. */
function wordsOf(error: unknown): string {
  const { message, code } = error as Partial<NodeJS.ErrnoException>;
  return message === undefined || message === '' ? (code ?? 'unknown') : message;
}
