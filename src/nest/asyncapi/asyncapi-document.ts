import { connectionChannel, connectionOperations } from './connection-channel.js';
import type { DescribedHandler } from './described-handlers.js';
import type { DescribedTopic } from './described.js';
import { connectionId } from './document-ids.js';
import { handlerMessages } from './handler-messages.js';
import { HoistedSchemas } from './hoisted.js';
import type { JsonSchema } from './json-schema.js';
import { protocolMessages } from './protocol-schemas.js';
import { reference, topicParts } from './topic-channel.js';

/** What the document says about the application as a whole. */
export interface AsyncApiInfo {
  /** Name of the application. */
  readonly title: string;
  /** Version of its interface. */
  readonly version: string;
  /** In CommonMark. */
  readonly description?: string;
}

/** One way to prove who a client is, as a Security Scheme Object of AsyncAPI. */
export type SecurityScheme = Readonly<Record<string, unknown>>;

/** An AsyncAPI document, as a JSON value. */
export interface AsyncApiDocument {
  /** Version of AsyncAPI. */
  readonly asyncapi: '3.0.0' | '3.1.0';
  /** Title and version of the interface. */
  readonly info: AsyncApiInfo;
  /** Servers, channels, operations and components. */
  readonly [field: string]: unknown;
}

/** What the document is made of. */
export interface DocumentParts {
  readonly info: AsyncApiInfo;
  /** Host and port, such as `live.example.com`. */
  readonly host: string;
  readonly path: string;
  readonly protocol: 'ws' | 'wss';
  readonly security: Readonly<Record<string, SecurityScheme>>;
  readonly topics: readonly DescribedTopic[];
  readonly handlers: readonly DescribedHandler[];
}

/** One channel for each topic, and one for the connection. Equal parts make equal documents. */
export function asyncApiDocument(parts: DocumentParts): AsyncApiDocument {
  const { info, host, path, protocol, security, handlers } = parts;
  const schemas = new HoistedSchemas();
  const topics = parts.topics.map((topic) => topicParts(topic, schemas));
  const schemes = Object.keys(security);
  const messages = {
    ...protocolMessages,
    ...handlerMessages(handlers, schemas),
    ...Object.fromEntries(topics.flatMap((topic) => Object.entries(topic.messages))),
  };
  return {
    asyncapi: '3.1.0',
    info: {
      title: info.title,
      version: info.version,
      ...(info.description !== undefined && { description: info.description }),
    },
    defaultContentType: 'application/json',
    servers: {
      live: {
        host,
        pathname: path,
        protocol,
        description: 'WebSocket with the subprotocol live.v1. Each message is one JSON object.',
        ...(schemes.length > 0 && { security: schemes.map((name) => reference('securitySchemes', name)) }),
      },
    },
    channels: {
      [connectionId]: connectionChannel(handlers),
      ...Object.fromEntries(topics.map(({ id, channel }) => [id, channel])),
    },
    operations: Object.assign(
      {},
      connectionOperations(handlers),
      ...topics.map(({ operations }) => operations),
    ) as unknown,
    components: {
      messages: Object.fromEntries(
        Object.entries(messages).map(([name, payload]) => [
          name,
          messageOf(name, { title: schemas.titleOf(name), ...payload }),
        ]),
      ),
      ...(Object.keys(schemas.all).length > 0 && { schemas: schemas.all }),
      ...(schemes.length > 0 && { securitySchemes: security }),
    },
  };
}

function messageOf(name: string, payload: JsonSchema): JsonSchema {
  const type = (payload['properties'] as JsonSchema | undefined)?.['type'] as JsonSchema | undefined;
  return {
    name,
    title: name,
    contentType: 'application/json',
    payload: { ...payload, ...(type?.['const'] !== undefined && { discriminator: 'type' }) },
  };
}
