/**
 * The client, for browsers, Node and other runtimes. It has no dependencies.
 *
 * @packageDocumentation
 * @module nestjs-live/client
 */
export { connect, LiveClient } from './live-client.js';
export { connectReader, LiveReader } from './live-reader.js';
export { collection } from './collection.js';
export type { Collection, CollectionChange, CollectionOptions } from './collection.js';
export { state } from './live-state.js';
export type { StateOptions, StateView } from './live-state.js';
export type { LiveView, ViewOptions } from './view.js';
export type { LiveClientEvents } from './live-client.events.js';
export type {
  IterateOptions,
  LiveClientOptions,
  LiveReaderOptions,
  ClientPublishOptions,
  ClientPublishOptionsOf,
  RemoveOptions,
  RemoveOptionsOf,
  RequestOptions,
  SubscribeOptions,
} from './live-client.options.js';
export type {
  KeptPublish,
  PublishQueueOptions,
  PublishStore,
  QueuedPublishOptions,
} from './publish-queue.options.js';
export { LiveClientError } from './live-client.error.js';
export type { LiveClientErrorCode, LiveClose } from './live-client.error.js';
export type { LiveClientState, LiveStatus, LiveWaiting } from './status.js';
export type { IterableSubscription, Subscription } from './subscription.js';
export type {
  AnswerOf,
  AnyShape,
  ClientDataOf,
  DataOf,
  EntryOf,
  Field,
  JsonField,
  JsonFields,
  JsonOf,
  KeyOf,
  PublishedKeyOf,
  PublishedOf,
  PublishParameters,
  RequestParameters,
  RequestShape,
  SnapshotOf,
  TopicOf,
  TopicShape,
} from '../protocol/topic-types.js';
export type {
  DataMessage,
  DataMessageOf,
  EndMessage,
  LostNotice,
  LostNoticeOf,
  LostReason,
  MessageOf,
  PublicationMessage,
  PublicationPlace,
  RemovalMessage,
  RemovalMessageOf,
  StartMessage,
  StartMessageOf,
  TopicMessage,
} from './topic-messages.js';
export type { Backoff } from './backoff.js';
export type { Credential, CredentialFunction, CredentialReason } from './credentials.js';
export type { WebSocketConstructor, WebSocketLike } from './wire.js';
export { LiveError, type LiveErrorDetails } from '../protocol/live.error.js';
export type { ErrorCode } from '../protocol/codes.js';
export type { WelcomeLimits, WelcomeMessage } from '../protocol/messages.js';
export type { Position } from '../protocol/position.js';
