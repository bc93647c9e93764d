import type { DrainingMessage } from '../../protocol/messages.js';
import { Live } from '../../core/live.js';
import type { LiveLimits } from '../../core/ports/limits.js';
import { silentObserver } from '../../core/ports/observer.js';
import type { Session } from '../../core/inbound/session.js';
import { ConnectionChecker } from './connection-checker.js';
import type { Tell } from './faults.js';
import type { AnswerRules } from './request.js';
import type { SimBroker } from './sim-broker.js';
import type { ServerEnd, SimLink } from './sim-link.js';
import type { SimPolicy } from './sim-policy.js';
import type { Timeline } from './timeline.js';
import { identityOf } from './token.js';

/** Small, so that a short schedule reaches them. */
export const simLimits: LiveLimits = {
  maxMessageBytes: 65_536,
  maxTopicsPerConnection: 3,
  maxWaitingMessages: 6,
  backPressureThresholdBytes: 600,
  maxQueuedMessages: 20,
  maxQueueAgeMs: 3_000,
  maxQueuedBytesTotal: 1_500,
  pingIntervalMs: 2_000,
  pongTimeoutMs: 2_000,
  authorizationTimeoutMs: 300,
  snapshotTimeoutMs: 400,
  maxSnapshotBytes: 33_554_432,
  credentialGraceMs: 1_000,
  positionCheckIntervalMs: 1_500,
  // Rights do not change here, and there is a single instance.
  authorizationRecheckMs: 0,
  instanceTimeoutMs: 6_000,
  maxPageBytes: 20,
};

/**
 * Errors that the application, the broker or the world cause on purpose; any other error is a
 * fault.
 */
const onPurpose =
  /^(The application failed|The broker failed|can\w+ did not answer within|The credential was not checked within|The snapshot was not ready within|The publications after the position)/;

/** One connection from the server's point of view. */
export interface Visitor {
  readonly session: Session;
  readonly checker: ConnectionChecker;
  readonly link: SimLink;
}

export interface ServerParts {
  readonly timeline: Timeline;
  readonly broker: SimBroker;
  readonly policy: SimPolicy;
  readonly rules: AnswerRules;
  readonly tell: Tell;
  note(text: string): void;
}

/** The code under test and its connections. */
export class ServerSide {
  readonly live: Live;
  readonly visitors = new Set<Visitor>();

  constructor(private readonly parts: ServerParts) {
    const { broker, policy, timeline, tell } = parts;
    this.live = new Live(
      { instanceId: 'sim', limits: simLimits },
      {
        broker,
        policy,
        clock: timeline.clock,
        verify: (token) => policy.verify(token),
        observer: {
          ...silentObserver,
          failed: (doing, error) => {
            if (!(error instanceof Error && onPurpose.test(error.message)))
              tell('failure', `${doing}: ${String(error)}`);
          },
        },
      },
    );
  }

  /** The server's end of a new connection. */
  end(name: string, token: string): ServerEnd {
    const { tell, note, timeline } = this.parts;
    let visitor: Visitor | undefined;
    const said = (what: string): void => note(`${timeline.nowMs.toFixed(1).padStart(8)} ${name} ${what}`);
    return {
      arrived: (link) => (visitor = this.open(name, token, link)),
      received: (text) => {
        said(`> ${text}`);
        if (visitor) received(visitor, text);
      },
      heard: () => visitor?.session.heard(),
      finished: (code, reason) => {
        visitor?.session.finished(code, reason);
        const how = visitor?.session.connection.closedWith ?? { code, reason };
        said(`over ${String(how.code)} ${how.reason}`);
        if (how.reason === 'drain deadline') tell('leftover', `${name}: not closed after its slot`);
        if (visitor) this.visitors.delete(visitor);
      },
      wrote: (texts) => {
        for (const text of texts) {
          said(`< ${text}`);
          visitor?.checker.sent(text);
        }
        const { bufferedBytes = 0 } = visitor?.link ?? {};
        if (bufferedBytes > simLimits.backPressureThresholdBytes)
          tell('bounds', `${name}: written although ${String(bufferedBytes)} bytes wait`);
      },
      misused: (what) => tell('failure', `${name}: ${what}`),
    };
  }

  /** The application allowed this credential to read a topic. */
  allowed(token: string, topic: string): void {
    for (const { session, checker } of this.visitors)
      if (session.connection.user?.['token'] === token) checker.allow(topic);
  }

  /** Asks the peer of a connection to leave, as a draining instance does. */
  sendAway(link: SimLink | undefined, slot: Omit<DrainingMessage, 'type'>): void {
    for (const visitor of this.visitors)
      if (visitor.link === link) visitor.session.connection.send({ type: 'draining', ...slot });
  }

  private open(name: string, token: string, link: SimLink): Visitor | undefined {
    const identity = identityOf(token);
    const { rules, tell } = this.parts;
    // Refuses an expired credential, as a guard does.
    const hasEnded = (identity?.expiresAt ?? Infinity) <= rules.wallMs();
    if (identity === undefined || hasEnded || this.live.draining) {
      link.refuse();
      return undefined;
    }
    link.accept();
    const checker = new ConnectionChecker(name, identity, rules, tell);
    const session = this.live.accept(link, { id: name, identity, remoteAddr: '192.0.2.1' });
    const visitor = { session, checker, link };
    this.visitors.add(visitor);
    return visitor;
  }
}

function received({ session, checker, link }: Visitor, text: string): void {
  const { connection } = session;
  const unwritten = connection.outbox.queuedBytes > link.bufferedBytes;
  if (connection.open) checker.received(text, unwritten);
  session.received(text);
}
