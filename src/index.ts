/**
 * The Nest module, its service and decorators.
 *
 * @packageDocumentation
 * @module nestjs-live
 */
export { LiveModule } from './nest/module/live.module.js';
export type { LiveModuleExtras } from './nest/module/live.module-definition.js';
export type { LiveModuleOptions } from './nest/options/live.options.js';
export type { PersonalTopicOptions } from './nest/options/personal-topic.options.js';
export type {
  DtoClass,
  KeySchema,
  LiveContractOptions,
  LiveSchema,
  TypedSchema,
  ValidateMode,
  SchemaOfZod,
} from './nest/options/live-contract.options.js';
export type { SchemaIssue, SchemaResult, StandardSchema } from './protocol/standard-schema.js';
export type { LiveAdmissionOptions } from './nest/options/live-admission.options.js';
export type { InboundRateOptions, ReplayRateOptions } from './nest/options/live-rate.options.js';
export { LiveService } from './nest/server/live.service.js';
export type {
  KeyedOptions,
  LivePublication,
  PersonalEntry,
  PublicationOf,
  PublishData,
  PublishOptions,
  PublishOptionsOf,
  RemovalOptions,
  RemovalOptionsOf,
} from './nest/server/publication.js';
export { LiveGateway } from './nest/gateway/live.gateway.js';
export { LiveHandlers } from './nest/gateway/live-handlers.decorator.js';
export { defineRequests } from './nest/gateway/define-requests.js';
export type {
  AnswerIn,
  CheckedHandlersClass,
  DataIn,
  HandlerOf,
  HandlersClass,
  HandlerShape,
  HandlerTypes,
  MethodName,
  RequestDataOf,
  RequestMessage,
  RequestMethod,
  RequestMethods,
  RequestsClass,
  RequestsOf,
  RequestTypeOf,
  ReturnOf,
} from './nest/gateway/define-requests.js';
export { LiveRequest, type LiveRequestOptions } from './nest/gateway/live-request.decorator.js';
export type {
  CheckedAnswer,
  CheckedRequest,
  EachOf,
  MessageWithData,
  RequestDecorator,
  Takes,
  TakesData,
} from './nest/gateway/request-method.js';
export { LiveWsAdapter, type LiveWsAdapterOptions } from './nest/gateway/live-ws.adapter.js';
export { LiveLifecycle, type LiveState } from './nest/server/live.lifecycle.js';
export { liveRedact } from './nest/logging/live-redact.js';
export { type HandshakeResult } from './nest/logging/live.observers.js';
export { LiveObservers, type LiveObserver } from './nest/logging/live-observer.js';
export type {
  Healed,
  Observer,
  PublishRefusals,
  RateLimitOutcome,
  RightOutcome,
} from './core/ports/observer.js';
export type { SendBatch } from './core/ports/socket.js';
export { LiveTopic, type LiveTopicProvider } from './nest/topics/live-topic.decorator.js';
export type {
  LiveOccupancyOptions,
  LivePollOptions,
  LivePresenceOptions,
  LiveTopicOptions,
} from './nest/topics/live-topic.options.js';
export { defineTopic, topic } from './nest/topics/define-topic.js';
export type {
  AnyTopicDeclaration,
  CheckedKey,
  CheckedTopicClass,
  IfSchema,
  KeyedSnapshot,
  Mistake,
  NamesOf,
  ParamNames,
  ParamsOf,
  PatternParams,
  RightTopicClass,
  SegmentOf,
  ShapeTypesOf,
  SnapshotByRule,
  SnapshotIn,
  StateAnswer,
  TopicClass,
  TopicClassDecorator,
  TopicDeclaration,
  TopicMethods,
  TopicSchemas,
  TopicShapeOf,
  TopicTypes,
  TopicsOf,
  TypeIn,
  TypesOf,
} from './nest/topics/topic-declaration.js';
export type {
  AnyShape,
  EntryOf,
  Field,
  JsonField,
  JsonFields,
  JsonOf,
  KeyOf,
  PublishedKeyOf,
  PublishedOf,
  PublishParameters,
  TopicOf,
  TopicShape,
} from './protocol/topic-types.js';
export type { InputOf, OutputOf, SchemaType } from './protocol/schema-types.js';
export type { TopicParams } from './nest/topics/topic-pattern.js';
export { JwtConnectionGuard } from './nest/auth/jwt-connection.guard.js';
export type { JwtConnectionOptions } from './nest/options/jwt-connection.options.js';
export { SessionConnectionGuard } from './nest/auth/session-connection.guard.js';
export type { SessionConnectionOptions } from './nest/options/session-connection.options.js';
export { setConnectionIdentity } from './nest/auth/connection-identity.js';
export { type GivenIdentity } from './nest/auth/checked-identity.js';
export type { CredentialVerifier } from './nest/auth/credential-verifier.js';
export { credentialOf, type HandshakeCredential } from './nest/auth/credentials.js';
export { LiveMessageDto } from './nest/gateway/dto/live-message.dto.js';
export { AuthDto } from './nest/gateway/dto/auth.dto.js';
export { PublishDto } from './nest/gateway/dto/publish.dto.js';
export { SubscribeDto } from './nest/gateway/dto/subscribe.dto.js';
export { UnsubscribeDto } from './nest/gateway/dto/unsubscribe.dto.js';
export type { LiveConnection, LiveConnectionJson } from './core/ports/connection.js';
export { ConnectionRegistry } from './core/ports/connection-registry.js';
export type { ConnectionIdentity, LiveUser } from './core/ports/identity.js';
export type { ClusterCount } from './core/cluster/signal.js';
export type { DisconnectOptions, ReauthorizeTarget, UnsubscribeOptions } from './core/cluster/requests.js';
export type { PresenceMember } from './core/presence/member.js';
export type { LiveStats } from './core/live-stats.js';
export type { DrainProgress } from './core/connection/drain.js';
export type { RebalanceOptions, RebalanceResult } from './core/connection/rebalance.js';
export type { ClusterStats } from './core/cluster/cluster.js';
export type { PublishQueueLimits } from './core/ports/limits.js';
export type { DeliveryRules, SlowPolicy } from './core/ports/policy.js';
export { MemoryBroker } from './brokers/memory/memory-broker.js';
export type { MemoryBrokerOptions } from './brokers/memory/memory-broker.options.js';
export type { Broker, HistoryRules, LatestRule, Published } from './core/ports/broker.js';
export { JsonText } from './core/frame/json-text.js';
export { type SnapshotAt, snapshotAt } from './core/stream/snapshot-at.js';
export { LiveError, type LiveErrorDetails } from './protocol/live.error.js';
export { CloseCode, type ErrorCode } from './protocol/codes.js';
export type { Position } from './protocol/position.js';
