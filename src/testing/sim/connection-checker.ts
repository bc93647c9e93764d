import type { ConnectionIdentity } from '../../core/ports/identity.js';

import type { Received } from '../live-test-client.js';
import { answerTypes } from '../open-requests.js';
import { DeliveryChecker, isSaidBy } from './delivery-checker.js';
import type { Tell } from './faults.js';
import { type AnswerRules, type Request, requestsOf } from './request.js';
import { SubscribedChecker } from './subscribed-checker.js';
import { identityOf } from './token.js';

/** What may be written for so long after a credential's end: the watch looks once in a second. [L-7.4] */
const watchMs = 1_001;

/** Requests that may be under way beside those that wait. [L-9.15] */
const underWay = 64;

/** Holds what the server writes to one connection against what came from it, and against what is true. */
export class ConnectionChecker {
  readonly delivery: DeliveryChecker;
  /** How often the application let this connection read a topic, and that was not used for a subscription yet. */
  private readonly allowed = new Map<string, number>();
  private readonly pending: Request[] = [];
  /** Subscribes that waited when another one that asks for the same was answered, and the position of that answer. */
  private readonly joined = new WeakMap<Request, string>();
  /** Topics of which a loss was the last thing that was told. */
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

  /** Requests that are not answered yet. */
  get pendingCount(): number {
    return this.pending.length;
  }

  /** The application has said that this connection may read a topic. */
  allow(topic: string): void {
    this.allowed.set(topic, (this.allowed.get(topic) ?? 0) + 1);
  }

  /**
   * The server took this in.
   *
   * @param unwritten whether something that the server has said is not written yet
   */
  received(text: string, unwritten: boolean): void {
    for (const request of requestsOf(text, this.rules)) this.asked(request, unwritten);
  }

  private asked(request: Request, unwritten: boolean): void {
    if (request.type === 'unsubscribe') this.takeBack(request.topic, unwritten);
    // What the new credential does not allow is ended while it is pending.
    if (request.type === 'auth') for (const each of this.pending) each.mayBeCancelled = true;
    this.pending.push(request);
    if (!unwritten && this.pending.length > this.rules.limits.maxWaitingMessages + underWay)
      this.tell('bounds', `${String(this.pending.length)} requests wait to be handled`);
  }

  /** The server wrote this. */
  sent(text: string): void {
    const message = JSON.parse(text) as Received;
    if (this.rules.wallMs() > this.endsMs())
      this.tell('expired', `${message.type} after the credential's end`);
    if (message.type === 'welcome' || (message['id'] === undefined && message.type !== 'error'))
      this.pushed(message);
    else this.answered(message);
    if (this.delivery.subscribed.size > this.rules.limits.maxTopicsPerConnection)
      this.tell('bounds', `subscribed to ${String(this.delivery.subscribed.size)} topics`);
  }

  readonly tell: Tell = (rule, text) => this.tellAll(rule, `${this.name}: ${text}`);

  /** All subscribes to the topic that are not answered yet are taken back. [L-3.7] */
  private takeBack(topic: string, unwritten: boolean): void {
    for (const each of this.pending) {
      if (each.type !== 'subscribe' || each.topic !== topic) continue;
      each.mayBeCancelled = true;
      each.cancelled ||= !unwritten;
    }
  }

  /** The request that is answered. Those about one topic are answered in order, but an unsubscribe waits for no publish. */
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
    else this.lossTold.delete(topic);
    this.delivery.take(message);
  }

  /** A fresh start has a reason: another stream, or the loss that was told with the message before. [L-5.7] */
  private restarted(topic: string, message: Received): void {
    const at = this.delivery.subscribed.get(topic);
    if (at !== undefined && message['recovered'] === true) {
      this.answers.continued(topic, at, message);
      return;
    }
    if (at === undefined) this.tell('unsubscribed', `${topic} starts anew without a subscription`);
    else if (at.epoch === message['epoch'] && !this.lossTold.has(topic))
      this.tell('answer', `${topic} starts anew for no reason`);
    else if (at.epoch !== message['epoch'] && !this.rules.disturbances.hadAny(topic))
      this.tell('answer', `${topic} is another stream for no reason`);
    this.lossTold.delete(topic);
    this.answers.restarted(topic, message);
  }

  private lost(topic: string, { from }: Received): void {
    const at = this.delivery.subscribed.get(topic);
    if (!this.rules.disturbances.hadAny(topic)) this.tell('answer', `${topic} has lost nothing`);
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
    if (request.cancelled) this.tell('cancelled', `${topic} began although it was taken back`);
    // One that asks for the same and is answered with it has joined it: one answer of the application for both. [L-3.5]
    const position = JSON.stringify([message['epoch'], message['offset']]);
    for (const other of this.pending) if (asksTheSame(other, request)) this.joined.set(other, position);
    const joins = this.joined.get(request) === position;
    const times = (this.allowed.get(topic) ?? 0) + Number(joins);
    this.allowed.set(topic, times - 1);
    if (times < 1 || (!this.changesCredential() && this.mayRead(topic) === false))
      this.tell('rights', `${topic} began without the right to it`);
    this.answers.check(request, message);
    this.delivery.take(message);
  }

  private failed({ type, topic, odd, mayBeCancelled }: Request, { code }: Received): void {
    const violation = code === 'protocol-violation' || code === 'not-implemented';
    if (code === 'internal') this.tell('failure', `${type} was answered internal`);
    // A subscribe that is taken back while it waits for its turn is never read.
    const unread = type === 'subscribe' && mayBeCancelled && code === 'unavailable';
    if (odd !== violation && !unread) this.tell('answer', `${type} was answered ${String(code)}`);
    if (type === 'subscribe' && !violation) {
      this.delivery.refused(topic);
      const why = this.rules.mayFail(topic);
      // A check that fails is no answer: it is never told as a lasting refusal. [L-3.4]
      if (code === 'forbidden' && !this.changesCredential() && this.mayRead(topic) === true)
        this.tell('rights', `${topic} was refused to a user that may read it`);
      const noReason = !mayBeCancelled && !why.data && !why.rights;
      if (code === 'unavailable' && noReason) this.tell('answer', `${topic} was unavailable for no reason`);
    }
  }

  /** Whether a new credential may decide already, and its own answer is still to come. [L-7.3] */
  private changesCredential(): boolean {
    return this.pending.some(({ type }) => type === 'auth');
  }

  private published({ topic, message }: Request, { epoch, offset }: Received): void {
    const found = this.rules.publications.find(topic, String(epoch), Number(offset));
    if (!isSaidBy(found, { ...message, removed: message['remove'] }))
      this.tell('data', `${topic} ${String(offset)} is not what was published`);
  }

  /** From here on the new rights count, and what they do not allow has ended before. [L-7.3] */
  private renewed({ message }: Request): void {
    const identity = identityOf(String(message['token']));
    if (identity === undefined || identity.user?.id !== this.identity.user?.id) {
      this.tell('rights', 'went on with a credential that is not its own');
      return;
    }
    this.identity = identity;
    for (const topic of this.delivery.subscribed.keys())
      if (this.mayRead(topic) === false && !this.isAskedFor(topic))
        this.tell('rights', `${topic} goes on without the right to it`);
  }

  /** Whether a subscribe is pending, which has ended what was there before. [L-3.5] */
  private isAskedFor(topic: string): boolean {
    return this.pending.some((each) => each.type === 'subscribe' && each.topic === topic);
  }

  private mayRead(topic: string): boolean | undefined {
    return this.rules.policy.allows('canSubscribe', topic, this.identity.user);
  }

  /** The latest moment at which something may be written, also if a new credential is being checked. */
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
  const wantedBy = ({ message: { since, maxRate } }: Request): string => JSON.stringify([since, maxRate]);
  return wantedBy(one) === wantedBy(other);
}
