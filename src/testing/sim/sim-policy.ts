import type { ConnectionIdentity, LiveUser } from '../../core/ports/identity.js';
import type { Policy, TopicRules } from '../../core/ports/policy.js';
import { LiveError } from '../../protocol/live.error.js';
import type { SimTopic } from './sim-topic.js';
import type { Timeline } from './timeline.js';
import { identityOf } from './token.js';

/** How the application answers: synchronously, as a promise, late, with an error, or never. */
export interface Manner {
  readonly how: 'now' | 'soon' | 'late' | 'throw' | 'reject' | 'hang';
  readonly ms: number;
}

export const atOnce: Manner = { how: 'now', ms: 0 };

type Right = 'canSubscribe' | 'canPublish';

/** Called for each answer that allows a user to read a topic, at that moment. */
export type OnAllowed = (token: string, topic: string) => void;

/** The application: its rights, snapshots and credentials, in the manner the world demands. */
export class SimPolicy implements Policy {
  readonly rights = new Map<string, Manner>();
  readonly snapshots = new Map<string, Manner>();
  verifying = atOnce;
  private readonly hanging: ((error: Error) => void)[] = [];
  /** Answers in flight, except those that never come. */
  pendingCount = 0;
  private readonly byName = new Map<string, TopicRules>();

  constructor(
    readonly topics: readonly SimTopic[],
    private readonly timeline: Timeline,
    private readonly onAllowed: OnAllowed,
  ) {
    for (const topic of topics) this.byName.set(topic.name, this.rulesOf(topic));
  }

  rulesFor(name: string): TopicRules | undefined {
    return this.byName.get(name);
  }

  /** Whether the queue of a slow reader may be dropped and reported as lost. [L-9.8] */
  mayDrop(name: string): boolean {
    const { slow } = this.rulesFor(name)?.delivery ?? {};
    return slow === 'skip' || slow === 'conflate';
  }

  /**
   * Whether the credential's rights and the topic's rules allow this; `undefined` if the rules are
   * asynchronous.
   */
  allows(right: Right, name: string, user: LiveUser | null): boolean | undefined {
    const answer = this.ask(right, name, user);
    return answer instanceof Promise ? undefined : answer;
  }

  /** Verifies a credential. */
  async verify(text: string): Promise<ConnectionIdentity> {
    // The server must give up a check of a credential by itself, so it hangs until the end.
    if (this.verifying.how === 'hang') return new Promise(() => {});
    return this.answer(this.verifying, () => {
      const identity = identityOf(text);
      if (identity === undefined) throw new LiveError('forbidden', 'This credential is not valid here');
      return identity;
    });
  }

  private rulesOf(topic: SimTopic): TopicRules {
    const { name, snapshot, history, latest, maxKeyAgeMs, delivery } = topic;
    const ask = (right: Right, user: LiveUser | null): boolean | Promise<boolean> =>
      this.answer(this.rights.get(name) ?? atOnce, () => {
        const answer = this.ask(right, name, user);
        const told = (allowed: boolean): boolean => {
          if (allowed && right === 'canSubscribe') this.onAllowed(String(user?.['token']), name);
          return allowed;
        };
        return answer instanceof Promise ? answer.then(told) : told(answer);
      });
    return {
      canSubscribe: (user) => ask('canSubscribe', user),
      canPublish: (user) => ask('canPublish', user),
      ...(snapshot && { snapshot: () => this.answer(this.snapshots.get(name) ?? atOnce, () => snapshot()) }),
      ...(latest !== undefined && { latest }),
      ...(maxKeyAgeMs !== undefined && { maxKeyAgeMs }),
      ...(history !== undefined && { history }),
      ...(delivery !== undefined && { delivery }),
    };
  }

  private ask(right: Right, name: string, user: LiveUser | null): boolean | Promise<boolean> {
    const place = this.topics.findIndex((topic) => topic.name === name);
    if (place < 0 || user === null || (Number(user['rights']) & (2 ** place)) === 0) return false;
    const answer = this.topics[place]?.[right]?.(user) ?? true;
    return answer instanceof Promise ? answer.then((allowed) => allowed === true) : answer === true;
  }

  /** A late answer is computed half-way, so both halves overlap with other events. */
  private answer<T>({ how, ms }: Manner, find: () => T | Promise<T>): T | Promise<T> {
    if (how === 'now') return find();
    if (how === 'soon') return Promise.resolve().then(find);
    if (how === 'throw') throw new Error('The application failed');
    if (how === 'hang') return new Promise((_, reject) => void this.hanging.push(reject));
    return this.late(ms, find, how === 'reject');
  }

  /**
   * Works again. Hanging calls for rights and snapshots fail, because they hold places of their
   * connections. [L-9.15]
   */
  comeBack(): void {
    this.rights.clear();
    this.snapshots.clear();
    this.verifying = atOnce;
    for (const reject of this.hanging.splice(0)) reject(new Error('The application failed'));
  }

  private async late<T>(ms: number, find: () => T | Promise<T>, fails: boolean): Promise<T> {
    await this.passed(ms);
    if (fails) throw new Error('The application failed in the end');
    const found = await find();
    await this.passed(ms);
    return found;
  }

  private passed(ms: number): Promise<void> {
    this.pendingCount += 1;
    return new Promise((resolve) => {
      this.timeline.in(ms, () => {
        this.pendingCount -= 1;
        resolve();
      });
    });
  }
}
