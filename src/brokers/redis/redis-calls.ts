import type { Position } from '../../protocol/position.js';
import type { Seen } from '../seen.js';
import { behind, type PublishPlace } from './publish-call.js';
import { publishScript } from './publish-script.js';
import { lifeOf, topsReading, topsScript } from './read-scripts.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import type { GoneBack } from './redis-node.js';
import { positionOf, type RedisScript, strangeAnswer, withoutJunk } from './redis-script.js';

/** Maximum rollbacks of the store that one call survives. */
const maxNewLives = 3;

/**
 * Runs topic scripts and compares their answers with the positions this instance has seen. No
 * answer uses an epoch that ends in the store before a position already seen.
 */
export class RedisCalls {
  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: RedisKeys,
    private readonly seen: Seen,
  ) {}

  /** Runs the publish script, which itself compares with the position seen. */
  async publish(
    topic: string,
    bytes: number,
    keys: readonly string[],
    args: (command: PublishPlace['command'], seen: Position | undefined) => readonly string[],
  ): Promise<unknown> {
    for (let tries = 0; tries < maxNewLives; tries++) {
      const seen = this.seenNow(topic);
      const raw = await this.connection.call(bytes, (engine) =>
        engine.run(publishScript, keys, args(engine.publishCommand, seen)),
      );
      const given = this.answer(raw);
      const life = behind(given);
      if (life === undefined) return given;
      await this.renew({ life, topics: this.gone(topic, seen) });
    }
    throw againAndAgain();
  }

  /** The answer of a script that reads one topic: epoch, offset, life, and more. */
  readOf(
    topic: string,
    script: RedisScript,
    keys: readonly string[],
    args: readonly string[] = [],
  ): Promise<unknown> {
    return this.unlessBehind(async () => {
      const seen = this.seenNow(topic);
      const given = await this.run(script, keys, args);
      const [epoch, offset] = given as [unknown, unknown];
      const isBehind = this.isBehind(topic, positionOf(epoch, offset), seen);
      return {
        given,
        gone: isBehind ? { life: lifeOf(given, 2), topics: this.gone(topic, seen) } : undefined,
      };
    });
  }

  async topsOf(topics: readonly string[], found: Map<string, Position>): Promise<void> {
    const keys = topics.map((topic) => this.keys.of(topic).meta);
    await this.unlessBehind(async () => {
      const before = topics.map((topic) => this.seenNow(topic));
      const given = await this.run(topsScript, keys, []);
      const ends = topsReading(given);
      const gone: GoneBack['topics'][number][] = [];
      for (const [i, topic] of topics.entries()) {
        const top = ends[i];
        if (top === undefined) throw strangeAnswer();
        found.set(topic, top);
        if (this.isBehind(topic, top, before[i])) gone.push(...this.gone(topic, before[i]));
      }
      return { given, gone: gone.length > 0 ? { life: lifeOf(given, 1), topics: gone } : undefined };
    });
  }

  /** The topic to end after its rollback behind the position seen. */
  gone(topic: string, seen: Position | undefined): GoneBack['topics'] {
    return [{ meta: this.keys.of(topic).meta, epoch: seen?.epoch ?? '' }];
  }

  /** Returns a copy, because the position advances during the call. */
  seenNow(topic: string): Position | undefined {
    const seen = this.seen.get(topic);
    return seen && { epoch: seen.epoch, offset: seen.offset };
  }

  /**
   * Whether the store ends before the position seen before the call; if not, records its end as
   * seen.
   */
  private isBehind(topic: string, top: Position, before: Position | undefined): boolean {
    if (before?.epoch === top.epoch && before.offset > top.offset) return true;
    this.seen.add(topic, top.epoch, top.offset);
    return false;
  }

  /** If the store was rolled back unnoticed, ends its life and repeats the call. */
  private async unlessBehind(
    call: () => Promise<{ given: unknown; gone: GoneBack | undefined }>,
  ): Promise<unknown> {
    for (let tries = 0; tries < maxNewLives; tries++) {
      const { given, gone } = await call();
      if (gone === undefined) return given;
      await this.renew(gone);
    }
    throw againAndAgain();
  }

  private async run(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.answer(await this.connection.call(0, (engine) => engine.run(script, keys, args)));
  }

  private renew(gone: GoneBack): Promise<void> {
    return this.connection.call(0, (engine) => engine.renew(gone));
  }

  private answer(raw: unknown): unknown {
    const [answer, junk] = withoutJunk(raw);
    this.connection.inbound.junkTotal += junk;
    return answer;
  }
}

function againAndAgain(): Error {
  return new Error('Redis repeatedly lost data that it had acknowledged.');
}
