import { Injectable } from '@nestjs/common';
import type { LiveUser } from 'nestjs-live';
import { TopicPattern } from 'nestjs-live/parts';

/** A right to topics, as named in the field `live` of a user. */
export type Right = 'subscribe' | 'publish';

type Rights = Readonly<Record<Right, readonly TopicPattern[]>>;

/** Any further patterns of a user are ignored. */
const maxPatterns = 100;
const maxPatternLength = 256;
/** Compiled patterns that users share. Emptied when it is full. */
const rememberedPatterns = 1_000;

/**
 * The rights in a credential: `"live": {"subscribe": ["fleet/*"], "publish": ["chat/**"]}` in the
 * claims of a token or the user of a session. The default is no rights, and an invalid pattern
 * gives none.
 */
@Injectable()
export class TopicRights {
  /** By user object. Each connection has its own, so the entry disappears with the connection. */
  private readonly byUser = new WeakMap<LiveUser, Rights>();
  private readonly patterns = new Map<string, TopicPattern | undefined>();

  /** Whether one of the user's patterns matches the topic. Never throws. */
  allows(user: LiveUser | null, right: Right, topic: string): boolean {
    if (user === null) return false;
    let rights = this.byUser.get(user);
    if (rights === undefined) {
      rights = this.rightsOf(user['live']);
      this.byUser.set(user, rights);
    }
    return rights[right].some((pattern) => pattern.match(topic) !== undefined);
  }

  private rightsOf(live: unknown): Rights {
    const { subscribe, publish } = (typeof live === 'object' && live !== null ? live : {}) as Partial<
      Record<Right, unknown>
    >;
    return { subscribe: this.compiled(subscribe), publish: this.compiled(publish) };
  }

  private compiled(list: unknown): TopicPattern[] {
    if (!Array.isArray(list)) return [];
    return (list as readonly unknown[])
      .slice(0, maxPatterns)
      .flatMap((text) => (typeof text === 'string' ? (this.patternOf(text) ?? []) : []));
  }

  private patternOf(text: string): TopicPattern | undefined {
    if (text.length > maxPatternLength) return undefined;
    if (this.patterns.has(text)) return this.patterns.get(text);
    if (this.patterns.size >= rememberedPatterns) this.patterns.clear();
    const pattern = compile(text);
    this.patterns.set(text, pattern);
    return pattern;
  }
}

function compile(text: string): TopicPattern | undefined {
  try {
    return new TopicPattern(text);
  } catch {
    return undefined;
  }
}
