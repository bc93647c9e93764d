import { randomUUID } from 'node:crypto';
import type { Broker } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import {
  type ClusterCount,
  type Command,
  type Ask,
  type Changes,
  type Signal,
  type SignalBody,
  signalText,
  type State,
} from './signal.js';
import { type CarryOut, Commands } from './commands.js';
import { type Instance, Instances } from './instances.js';
import { readSignal } from './read-signal.js';

export interface ClusterParts {
  readonly instanceId: string;
  /** Milliseconds after which an instance that was not heard of is gone. */
  readonly timeoutMs: number;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly carryOut: CarryOut;
}

/** What this instance and others say to each other, since the start and now. */
export interface ClusterStats {
  /** Other instances on the same broker that are heard of. */
  readonly peerInstances: number;
  /** Commands that were given here. */
  readonly commandsTotal: number;
  /** Answers of other instances to them. */
  readonly commandAnswersTotal: number;
  /** Answers that had not come when the caller was told. */
  readonly commandAnswersMissingTotal: number;
  /** Signals that were none: another version, forged, too large. */
  readonly signalsRejectedTotal: number;
  /** Members of presence in signals of others that no instance takes: an id or fields that are too long or too deep. */
  readonly presenceMembersRejectedTotal: number;
  /** Signals that could not be sent. */
  readonly signalsUnsentTotal: number;
}

/** Who hears what instances say to each other about presence. */
export interface PresenceListener {
  /** The changes that this instance has told. */
  readonly seq: number;
  changes(from: Instance, body: Changes): void;
  ask(from: Instance): void;
  state(from: Instance, body: State): void;
}

/** What this instance and the others on the same engine say to each other. */
export class Cluster {
  readonly self: Instance;
  readonly instances: Instances;
  readonly commands: Commands;
  /** Signals that were none, or could not be sent, and members in others, since the start. */
  readonly totals = { rejected: 0, rejectedMembers: 0, unsent: 0 };
  private presence: PresenceListener | undefined;
  private closed = false;

  constructor(private readonly parts: ClusterParts) {
    const { instanceId, timeoutMs, clock, observer, carryOut } = parts;
    this.self = { key: randomUUID(), id: instanceId };
    this.instances = new Instances({
      instanceId,
      timeoutMs,
      clock,
      seq: () => this.presence?.seq ?? 0,
      send: this.send,
    });
    const { self, instances, send } = this;
    this.commands = new Commands({ self, instances, clock, observer, carryOut, send });
  }

  listen(presence: PresenceListener): void {
    this.presence = presence;
  }

  /** An engine that nobody else can be on costs no timer and no signal. */
  start(): void {
    const { solitary, available } = this.parts.broker;
    if (solitary === true) return;
    this.instances.start();
    this.instances.setDeaf(!available);
  }

  stats(): ClusterStats {
    const { given, answered, missing } = this.commands.totals;
    return {
      peerInstances: this.instances.size,
      commandsTotal: given,
      commandAnswersTotal: answered,
      commandAnswersMissingTotal: missing,
      signalsRejectedTotal: this.totals.rejected,
      presenceMembersRejectedTotal: this.totals.rejectedMembers,
      signalsUnsentTotal: this.totals.unsent,
    };
  }

  give(command: Command): Promise<ClusterCount> {
    return this.commands.give(command);
  }

  /** The broker's word that the engine is there, or is not. */
  availability(available: boolean): void {
    this.instances.setDeaf(!available);
    if (available) this.commands.tellAll();
  }

  /** A text that came from the engine; anybody there may have written it. */
  received(text: string): void {
    const signal = readSignal(text, this.rejectMember);
    if (signal === undefined) this.totals.rejected += 1;
    else if (signal.from !== this.self.key && !this.closed) this.take(signal);
  }

  /** Says good-bye. Never rejects. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.instances.stop();
    this.commands.stop();
    await this.sent({ type: 'bye' });
  }

  readonly send = (body: SignalBody): void => {
    if (!this.closed) void this.sent(body);
  };

  private readonly rejectMember = (): void => {
    this.totals.rejectedMembers += 1;
  };

  private async sent(body: SignalBody): Promise<void> {
    const { broker } = this.parts;
    if (broker.solitary === true) return;
    try {
      // An engine that is away would be asked for each; what was not heard is told again when it is back.
      if (!broker.available) throw new Error('The engine is away');
      await broker.signal(signalText(this.self.key, body));
    } catch {
      this.totals.unsent += 1;
    }
  }

  private take(signal: Signal): void {
    const { from } = signal;
    this.instances.heard(from);
    switch (signal.type) {
      case 'hello':
        this.instances.greeted(from, signal);
        break;
      case 'bye':
        this.instances.left(from);
        break;
      case 'do':
        // Never rejects.
        void this.commands.receive(from, signal);
        break;
      case 'done':
        if (signal.to === this.self.key) this.commands.answered(from, signal);
        break;
      default:
        this.tellPresence(signal);
    }
  }

  private tellPresence(body: (Changes | Ask | State) & { readonly from: string }): void {
    const from = this.instances.get(body.from);
    const { presence } = this;
    // Who has not said hello is not known to be there: it will, and then all that it has is asked for.
    if (from === undefined || presence === undefined) return;
    if (body.type === 'changes') presence.changes(from, body);
    else if (body.type === 'state') presence.state(from, body);
    else if (body.to === this.self.key) presence.ask(from);
  }
}
