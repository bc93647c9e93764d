export { connect, LiveClient } from './live-client.js';
export type { LiveClientEvents } from './live-client.js';
export type {
  IterateOptions,
  LiveClientOptions,
  ClientPublishOptions,
  RemoveOptions,
  RequestOptions,
  SubscribeOptions,
} from './live-client.options.js';
export { LiveClientError } from './live-client.error.js';
export type { LiveClientErrorCode, LiveClose } from './live-client.error.js';
export type { LiveClientState, LiveStatus, LiveWaiting } from './status.js';
export type { IterableSubscription, Subscription } from './subscription.js';
export type {
  EndMessage,
  LostNotice,
  LostReason,
  PublicationMessage,
  RequestShape,
  StartMessage,
  TopicMessage,
  TopicShape,
} from './topic-messages.js';
export type { Backoff } from './backoff.js';
export type { Credential, CredentialFunction, CredentialReason } from './credentials.js';
export type { WebSocketConstructor, WebSocketLike } from './wire.js';
export { LiveError } from '../protocol/live.error.js';
export type { ErrorCode } from '../protocol/codes.js';
export type { Position } from '../protocol/position.js';
