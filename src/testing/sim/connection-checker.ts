import type { ConnectionIdentity } from '../../core/ports/identity.js';

import type { Received } from '../live-test-client.js';
import { answerTypes } from '../open-requests.js';
import { DeliveryChecker, isSaidBy } from './delivery-checker.js';
import type { Tell } from './faults.js';
import { type AnswerRules, type Request, requestsOf } from './request.js';
import { SubscribedChecker } from './subscribed-checker.js';
import { identityOf } from './token.js';

/** How long data may follow the end of a credential: the watch runs once a second. [L-7.4] */
const watchMs = 1_001;

/** Requests that may be in flight besides the waiting ones. [L-9.15] */
const underWay = 64;

/** Compares the messages to one connection with the messages from it, and with the truth. */
export class ConnectionChecker {
  readonly delivery: DeliveryChecker;
  /**
   * How often the application allowed this connection to read a topic without a subscription using
   * it yet.
   */
  private readonly allowed = new Map<string, number>();
  private readonly pending: Request[] = [];
  /** Subscribes that waited while an equal one was answered, and the position of that answer. */
  private readonly joined = new WeakMap<Request, string>();
  /** Topics whose last message reported a loss. */
  private readonly lossTold = new Set<string>();
  private readonly answers: SubscribedChecker;

  constructor(
    readonly name: string,
    private identity: ConnectionIdentity,
    private readonly rules: AnswerRules,
    private readonly tellAll: Tell,
  ) {
    const { publications } = rules;
    this.delivery = new DeliveryChecker(this.tell, (topic, { epoch, offset }) =>
      publications.find(topic, epoch, offset),
    );
    this.answers = new SubscribedChecker(rules, this.tell);
  }

  /** Number of unanswered requests. */
  get pendingCount(): number {
    return this.pending.length;
  }

  /** Records that the application allowed this connection to read a topic. */
  allow(topic: string): void {
    this.allowed.set(topic, (this.allowed.get(topic) ?? 0) + 1);
  }

  /**
   * Records a message that the server received.
   *
   * @param unwritten - whether the server has output that is not written yet
   */
  received(text: string, unwritten: boolean): void {
    for (const request of requestsOf(text, this.rules)) this.asked(request, unwritten);
  }

  private asked(request: Request, unwritten: boolean): void {
    if (request.type === 'unsubscribe') this.cancel(request.topic, unwritten);
    // Subscribes that the new credential does not allow are ended while they are pending.
    if (request.type === 'auth') for (const each of this.pending) each.mayBeCancelled = true;
    this.pending.push(request);
    if (!unwritten && this.pending.length > this.rules.limits.maxWaitingMessages + underWay)
      this.tell('bounds', `${String(this.pending.length)} requests are waiting to be handled`);
  }

  /** Checks a message that the server wrote. */
  sent(text: string): void {
    const message = JSON.parse(text) as Received;
    if (this.rules.wallMs() > this.endsMs())
      this.tell('expired', `${message.type} after the credential's end`);
    if (message.type === 'welcome' || (message['id'] === undefined && message.type !== 'error'))
      this.pushed(message);
    else this.answered(message);
    if (message.type === 'unsubscribed') this.answers.ended(String(message['topic']));
    if (this.delivery.subscribed.size > this.rules.limits.maxTopicsPerConnection)
      this.tell('bounds', `subscribed to ${String(this.delivery.subscribed.size)} topics`);
  }

  readonly tell: Tell = (rule, text) => this.tellAll(rule, `${this.name}: ${text}`);

  /** Cancels all unanswered subscribes to the topic. [L-3.7] */
  private cancel(topic: string, unwritten: boolean): void {
    for (const each of this.pending) {
      if (each.type !== 'subscribe' || each.topic !== topic) continue;
      each.mayBeCancelled = true;
      each.canceled ||= !unwritten;
    }
  }

  /**
   * Finds the request that a message answers. Requests about one topic are answered in order, but
   * an unsubscribe waits for no publish.
   */
  private takeRequest({ id, topic: name }: Received): Request | undefined {
    const place = this.pending.findIndex(
      (each) => each.id === id && (name === undefined || each.topic === '' || each.topic === name),
    );
    const [request] = place < 0 ? [] : this.pending.splice(place, 1);
    const overtaken = this.pending
      .slice(0, place)
      .find(({ topic, type }) => topic !== '' && topic === request?.topic && type !== 'publish');
    if (overtaken !== undefined)
      this.tell('answer', `${String(id)} was answered before ${String(overtaken.id)}, to the same topic`);
    return request;
  }

  private pushed(message: Received): void {
    const topic = String(message['topic']);
    if (message.type === 'subscribed') this.restarted(topic, message);
    else if (message.type === 'lost') this.lost(topic, message);
    else if (message.type === 'page') this.answers.page(topic, message);
    else this.lossTold.delete(topic);
    this.delivery.take(message);
  }

  /**
   * A fresh start needs a reason: another stream, or a loss reported by the message before. [L-5.7]
   */
  private restarted(topic: string, message: Received): void {
    const at = this.delivery.subscribed.get(topic);
    if (at !== undefined && message['recovered'] === true) {
      this.answers.continued(topic, at, message);
      return;
    }
    if (at === undefined) this.tell('unsubscribed', `${topic} starts over without a subscription`);
    else if (at.epoch === message['epoch'] && !this.lossTold.has(topic))
      this.tell('answer', `${topic} starts over for no reason`);
    else if (at.epoch !== message['epoch'] && !this.rules.disturbances.hadAny(topic))
      this.tell('answer', `${topic} is another stream for no reason`);
    this.lossTold.delete(topic);
    this.answers.restarted(topic, message);
  }

  private lost(topic: string, { from }: Received): void {
    const at = this.delivery.subscribed.get(topic);
    if (!this.rules.disturbances.hadAny(topic) && !this.rules.policy.mayDrop(topic))
      this.tell('answer', `${topic} reports a loss, but nothing was lost`);
    if (at !== undefined) this.answers.lost(topic, at.epoch, Number(from));
    this.lossTold.add(topic);
  }

  private answered(message: Received): void {
    const request = this.takeRequest(message);
    if (request === undefined) {
      this.tell('answer', `${message.type} ${String(message['id'])} answers nothing`);
      return;
    }
    if (message.type === 'error') this.failed(request, message);
    else if (request.odd || message.type !== answerTypes[request.type])
      this.tell('answer', `${message.type} answers ${request.type}`);
    else if (message.type === 'subscribed') this.began(request, message);
    else if (message.type === 'published') this.published(request, message);
    else if (message.type === 'authenticated') this.renewed(request);
    else this.delivery.take(message);
  }

  private began(request: Request, message: Received): void {
    const { topic } = request;
    if (message['topic'] !== topic) this.tell('answer', `${String(message['topic'])} instead of ${topic}`);
    if (request.canceled) this.tell('canceled', `${topic} began although it was canceled`);
    // An equal subscribe that waited joins this one: one answer of the application serves both.
    // [L-3.5]
    const position = JSON.stringify([message['epoch'], message['offset']]);
    for (const other of this.pending) if (asksTheSame(other, request)) this.joined.set(other, position);
    const joins = this.joined.get(request) === position;
    const times = (this.allowed.get(topic) ?? 0) + Number(joins);
    this.allowed.set(topic, times - 1);
    if (times < 1 || (!this.changesCredential() && this.mayRead(topic) === false))
      this.tell('rights', `${topic} began without permission`);
    this.answers.check(request, message);
    this.delivery.take(message);
  }

  private failed({ type, topic, odd, mayBeCancelled }: Request, { code }: Received): void {
    const violation = code === 'protocol-violation' || code === 'not-implemented';
    if (code === 'internal') this.tell('failure', `${type} was answered internal`);
    // A subscribe canceled while it waits for its turn is never read.
    const unread = type === 'subscribe' && mayBeCancelled && code === 'unavailable';
    if (odd !== violation && !unread) this.tell('answer', `${type} was answered ${String(code)}`);
    if (type === 'subscribe' && !violation) {
      this.delivery.refused(topic);
      const why = this.rules.mayFail(topic);
      // A check that fails is not an answer, and must never become a lasting refusal. [L-3.4]
      if (code === 'forbidden' && !this.changesCredential() && this.mayRead(topic) === true)
        this.tell('rights', `${topic} was refused to a user that may read it`);
      const noReason = !mayBeCancelled && !why.data && !why.rights;
      if (code === 'unavailable' && noReason) this.tell('answer', `${topic} was unavailable for no reason`);
    }
  }

  /** Whether a new credential may already apply although its answer is pending. [L-7.3] */
  private changesCredential(): boolean {
    return this.pending.some(({ type }) => type === 'auth');
  }

  private published({ topic, message }: Request, { epoch, offset }: Received): void {
    const found = this.rules.publications.find(topic, String(epoch), Number(offset));
    if (!isSaidBy(found, { ...message, removed: message['remove'] }))
      this.tell('data', `${topic} ${String(offset)} is not what was published`);
  }

  /**
   * From here on the new permissions apply, and subscriptions without permission have ended.
   * [L-7.3]
   */
  private renewed({ message }: Request): void {
    const identity = identityOf(String(message['token']));
    if (identity === undefined || identity.user?.id !== this.identity.user?.id) {
      this.tell('rights', 'went on with a credential that is not its own');
      return;
    }
    this.identity = identity;
    for (const topic of this.delivery.subscribed.keys())
      if (this.mayRead(topic) === false && !this.isAskedFor(topic))
        this.tell('rights', `${topic} goes on without permission`);
  }

  /** Whether a subscribe is pending, which ended the previous subscription. [L-3.5] */
  private isAskedFor(topic: string): boolean {
    return this.pending.some((each) => each.type === 'subscribe' && each.topic === topic);
  }

  private mayRead(topic: string): boolean | undefined {
    return this.rules.policy.allows('canSubscribe', topic, this.identity.user);
  }

  /** The latest time at which data may be written, even if a new credential is being checked. */
  private endsMs(): number {
    let endsMs = this.identity.expiresAt ?? Infinity;
    for (const { type, message } of this.pending) {
      if (type === 'auth')
        endsMs = Math.max(endsMs, identityOf(String(message['token']))?.expiresAt ?? Infinity);
    }
    return endsMs + this.rules.limits.credentialGraceMs + watchMs + this.rules.stalledMs();
  }
}

function asksTheSame(one: Request, other: Request): boolean {
  if (one.type !== 'subscribe' || one.topic !== other.topic) return false;
  const wantedBy = ({ message: { since, maxRate, pages, entries } }: Request): string =>
    JSON.stringify([since, maxRate, pages, entries]);
  return wantedBy(one) === wantedBy(other);
}
