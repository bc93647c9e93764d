import { Connection } from '../connection/connection.js';
import { Replays } from '../connection/replays.js';
import type { Hub } from '../fanout/hub.js';
import type { FindHandler } from '../inbound/responder.js';
import type { LiveConnection } from '../ports/connection.js';
import type { LivePorts, LiveSettings } from '../ports/settings.js';
import type { DataChecks } from '../publish/data-checks.js';
import type { Publisher } from '../publish/publisher.js';
import { Readings } from '../stream/following.js';
import type { Snapshots } from '../stream/snapshots.js';
import type { ClientMessage, InboundMessage } from '../../protocol/client-messages.js';
import { Auth } from './auth.js';
import type { Authorizer } from './authorizer.js';
import { Publish } from './publish.js';
import type { AuthorizationReview } from './authorization-review.js';
import { Subscribe } from './subscribe.js';
import { unsubscribe } from './unsubscribe.js';

/**
 * Handles a message of a connection and returns the answer, or `undefined` if it answers by itself.
 */
export type Verb = (connection: LiveConnection, message: InboundMessage) => unknown;

export type VerbName = ClientMessage['type'];

// An object instead of a list, so that the compiler detects a missing name.
const verbNames: Readonly<Record<VerbName, true>> = {
  subscribe: true,
  unsubscribe: true,
  publish: true,
  auth: true,
  ping: true,
};

/** Whether a message type belongs to the protocol. */
export function isVerb(type: string): type is VerbName {
  return Object.hasOwn(verbNames, type);
}

/** Everything a client can request, by type. */
export type Verbs = Readonly<Record<VerbName, Verb>>;

/** What the verbs need from the core. */
export interface VerbParts {
  readonly hub: Hub;
  readonly publisher: Publisher;
  readonly checks: DataChecks;
  readonly snapshots: Snapshots;
  readonly authorizer: Authorizer;
  readonly rights: AuthorizationReview;
}

export function makeVerbs(parts: VerbParts, ports: LivePorts, { limits }: LiveSettings): Verbs {
  const { hub, publisher, checks, snapshots, authorizer, rights } = parts;
  const { broker, clock, observer } = ports;
  const replays = new Replays(clock, observer, limits.replayRate);
  const readings = new Readings(broker, observer);
  const shared = { hub, broker, authorizer, observer, limits };
  const subscribe = new Subscribe({ ...shared, readings, snapshots, replays });
  const publish = new Publish(publisher, checks, authorizer);
  const timeoutMs = limits.authorizationTimeoutMs;
  const auth = new Auth({
    rights,
    clock,
    observer,
    verify: ports.verify,
    timeoutMs,
  });
  return {
    subscribe: (connection, message) => subscribe.run(insideOf(connection), message),
    unsubscribe: (connection, message) => unsubscribe(insideOf(connection), message),
    publish: (connection, message) => publish.run(insideOf(connection), message),
    auth: (connection, message) => auth.run(insideOf(connection), message),
    ping: () => ({ type: 'pong' }),
  };
}

/** Finds the handlers when no application has its own. */
export function finderOf(verbs: Verbs): FindHandler {
  return (type) => (isVerb(type) ? verbs[type] : undefined);
}

/** The server's own side of the connection that a handler got. */
function insideOf(connection: LiveConnection): Connection {
  if (connection instanceof Connection) return connection;
  throw new TypeError('A verb takes the connection that the handler got, not a copy of it');
}
