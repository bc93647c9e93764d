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
import { Forwards } from './forwards.js';
import { type Instance, Instances } from './instances.js';
import { readSignal } from './read-signal.js';

export interface ClusterParts {
  readonly instanceId: string;
  /** Milliseconds of silence after which an instance counts as gone. */
  readonly timeoutMs: number;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly carryOut: CarryOut;
  /** Receives the attendance on other instances. */
  readonly attendance: () => AttendanceListener;
}

/** Statistics of the signals between instances. */
export interface ClusterStats {
  /** Other known instances on the same broker. */
  readonly peerInstances: number;
  /** Commands given on this instance. */
  readonly commandsTotal: number;
  /** Answers to them by other instances. */
  readonly commandAnswersTotal: number;
  /** Answers still missing when the caller got its result. */
  readonly commandAnswersMissingTotal: number;
  /** Invalid signals: another version, forged, or too large. */
  readonly signalsRejectedTotal: number;
  /**
   * Presence members in signals that were rejected: an id or fields that are too long or too deep.
   */
  readonly presenceMembersRejectedTotal: number;
  /** Signals that could not be sent. */
  readonly signalsUnsentTotal: number;
}

/** Receives what other instances announce about their subscribers. */
export interface AttendanceListener {
  /** Number of changes that this instance has sent. */
  readonly seq: number;
  changes(from: Instance, body: Changes): void;
  ask(from: Instance, body: Ask): void;
  state(from: Instance, body: State): void;
}

/** Exchanges signals with the other instances on the same engine. */
export class Cluster {
  readonly self: Instance;
  readonly instances: Instances;
  readonly commands: Commands;
  readonly forwards: Forwards;
  /** Rejected signals, rejected members and unsent signals since the start. */
  readonly totals = { rejected: 0, rejectedMembers: 0, unsent: 0 };
  private closed = false;

  constructor(private readonly parts: ClusterParts) {
    const { instanceId, timeoutMs, clock, observer, carryOut } = parts;
    this.self = { key: randomUUID(), id: instanceId };
    this.instances = new Instances({
      instanceId,
      timeoutMs,
      clock,
      seq: () => parts.attendance().seq,
      send: this.send,
    });
    const { self, instances, send } = this;
    this.commands = new Commands({ self, instances, clock, observer, carryOut, send });
    this.forwards = new Forwards({ self, instances, clock, send });
  }

  /** An engine that no other instance can use costs no timer and no signal. */
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

  /** The broker became available or unavailable. */
  availability(available: boolean): void {
    this.instances.setDeaf(!available);
    if (available) this.commands.tellAll();
  }

  /** Handles a text from the engine. Anyone with access to it may have written the text. */
  received(text: string): void {
    const signal = readSignal(text, this.rejectMember);
    if (signal === undefined) this.totals.rejected += 1;
    else if (signal.from !== this.self.key && !this.closed) this.take(signal);
  }

  /** Announces the departure of this instance. Never rejects. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.instances.stop();
    this.commands.stop();
    this.forwards.stop();
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
      // Sending would fail each time. Unanswered commands are sent again when the engine is back.
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
      case 'post':
        if (signal.to === this.self.key) this.forwards.received(from, signal);
        break;
      case 'post-answer':
        if (signal.to === this.self.key) this.forwards.answered(from, signal);
        break;
      default:
        this.tellAttendance(signal);
    }
  }

  private tellAttendance(body: (Changes | Ask | State) & { readonly from: string }): void {
    const from = this.instances.get(body.from);
    // A sender without a hello is unknown. Its state is requested after its hello.
    if (from === undefined) return;
    const attendance = this.parts.attendance();
    if (body.type === 'changes') attendance.changes(from, body);
    else if (body.type === 'state') attendance.state(from, body);
    else if (body.to === this.self.key) attendance.ask(from, body);
  }
}
