import { Injectable, type Type } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { isLiveGateway } from '../gateway/gateway-metadata.js';
import { LIVE_TOPIC, type LiveTopicMetadata } from '../topics/live-topic.decorator.js';
import { type DescribedHandler, describedHandlers } from './described-handlers.js';
import { acceptsUndefined, type JsonSchema, jsonSchemaOf, type SchemaSide } from './json-schema.js';
import type { KeyRule } from './protocol-schemas.js';

/** A declared topic, with its schemas as JSON Schemas. */
export interface DescribedTopic {
  readonly name: string;
  readonly pattern: string;
  readonly params: JsonSchema | undefined;
  readonly data: JsonSchema;
  readonly snapshot: JsonSchema | undefined;
  /** What clients publish; absent if none may. */
  readonly publish: JsonSchema | undefined;
  /** Keys that subscribers get, and that clients publish; absent if the topic declares none. */
  readonly key?: KeyRule | undefined;
  readonly publishedKey?: KeyRule | undefined;
}

/** Finds what the application declares: from the classes, so that no provider has to be made. */
@Injectable()
export class Declarations {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
  ) {}

  /** Sorted by pattern: the order of modules does not matter to the document. */
  async topics(): Promise<DescribedTopic[]> {
    const classes = new Set(this.classes());
    const described = await Promise.all([...classes].map((declaring) => this.topicOf(declaring)));
    return described.filter((topic) => topic !== undefined).toSorted(byKey('pattern'));
  }

  async handlers(): Promise<DescribedHandler[]> {
    const gateways = [...new Set(this.classes())].filter((metatype) => isLiveGateway(metatype));
    const described = await Promise.all(gateways.map((gateway) => describedHandlers(gateway)));
    return described.flat().toSorted(byKey('type'));
  }

  private classes(): Type[] {
    return this.discovery
      .getProviders()
      .map((wrapper): unknown => (wrapper.isNotMetatype ? wrapper.token : wrapper.metatype))
      .filter((declaring): declaring is Type => typeof declaring === 'function');
  }

  private async topicOf(declaring: Type): Promise<DescribedTopic | undefined> {
    const metadata = this.reflector.get<LiveTopicMetadata | undefined>(LIVE_TOPIC, declaring);
    if (metadata === undefined) return undefined;
    const { pattern, options } = metadata;
    const { name } = declaring;
    const { data, snapshot, params, clientPublish = data, key } = options;
    const methods = declaring.prototype as { snapshot?: unknown; canPublish?: unknown };
    const any: JsonSchema = {};
    const of = async (field: string, schema: typeof data, side: SchemaSide): Promise<JsonSchema> =>
      schema === undefined ? any : jsonSchemaOf(schema, side, `${field} of ${name}`);
    const output = await of('data', data, 'output');
    return {
      name,
      pattern,
      data: output,
      params: params && (await of('params', params, 'input')),
      snapshot: await snapshotOf(),
      publish:
        methods.canPublish === undefined ? undefined : await of('clientPublish', clientPublish, 'input'),
      key: await keyRuleOf('output'),
      publishedKey: await keyRuleOf('input'),
    };

    async function keyRuleOf(side: SchemaSide): Promise<KeyRule | undefined> {
      if (key === undefined) return undefined;
      return { schema: await of('key', key, side), isRequired: !(await acceptsUndefined(key)) };
    }

    async function snapshotOf(): Promise<JsonSchema | undefined> {
      if (snapshot === 'last') return output;
      if (snapshot === 'last-per-key') return { type: 'object', additionalProperties: output };
      if (methods.snapshot === undefined) return undefined;
      return of('snapshot', snapshot, 'output');
    }
  }
}

function byKey<K extends string>(key: K): (one: Record<K, string>, other: Record<K, string>) => number {
  return (one, other) => (one[key] < other[key] ? -1 : Number(one[key] > other[key]));
}
