import { idempotencyMs, type Published, type BrokerPublishOptions } from '../../core/ports/broker.js';
import { maxKeyVersions } from '../../core/stream/key-versions.js';
import { latestLimits } from '../../core/stream/latest.js';
import type { Position } from '../../protocol/position.js';
import { storedText } from '../stored-publication.js';
import type { TopicKeys } from './redis-keys.js';
import { positionOf } from './redis-script.js';

/** Where a publication goes besides its topic's keys. */
export interface PublishPlace {
  readonly channel: string;
  readonly command: 'PUBLISH' | 'SPUBLISH';
  /** The furthest position that this instance has seen of the topic. */
  readonly seen: Position | undefined;
}

/** The keys that a publication uses besides the life record, in the script's order. */
export function publishKeys(
  { meta, history, latest, order, versions }: TopicKeys,
  options: BrokerPublishOptions,
  result: string | undefined,
): string[] {
  const keys = [meta];
  if (keepsHistory(options)) keys.push(history);
  if (options.latest === 'last') keys.push(latest);
  else if (options.latest !== undefined && (options.key ?? '') !== '') keys.push(latest, order);
  if (options.version !== undefined && (options.key ?? '') !== '') keys.push(...versions);
  if (result !== undefined) keys.push(result);
  return keys;
}

/** The arguments of the publish script after the three that all scripts share, in its order. */
export function publishArguments(data: string, options: BrokerPublishOptions, place: PublishPlace): string[] {
  const { key = '', history, latest = '', version } = options;
  return [
    place.channel,
    place.command,
    storedText(data, options),
    key,
    version === undefined ? '' : String(version),
    ...(history !== undefined && keepsHistory(options)
      ? [String(history.size), String(history.ttlMs), String(history.maxBytes)]
      : ['', '', '']),
    latest,
    String(latestLimits.keys),
    String(latestLimits.bytes),
    String(idempotencyMs),
    place.seen?.epoch ?? '',
    String(place.seen?.offset ?? 0),
    String(maxKeyVersions),
  ];
}

function keepsHistory({ history }: BrokerPublishOptions): boolean {
  return history !== undefined && history.size > 0;
}

/** @throws Error for an answer that the script never gives */
export function published(answer: unknown): Published {
  const [epoch, offset, suppressed] = Array.isArray(answer) ? (answer as unknown[]) : [];
  const position = positionOf(epoch, offset);
  if (suppressed !== 'duplicate' && suppressed !== 'stale') return position;
  return { ...position, suppressed };
}

/** The life in which the store is behind what was seen of it; `undefined` for any other answer. */
export function behind(answer: unknown): number | undefined {
  const [word, life] = Array.isArray(answer) ? (answer as unknown[]) : [];
  return word === 'BEHIND' && typeof life === 'number' ? life : undefined;
}
