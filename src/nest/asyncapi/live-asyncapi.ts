import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { LIVE_GUARDS } from '../options/live.tokens.js';
import { type AsyncApiDocument, asyncApiDocument } from './asyncapi-document.js';
import { missingInfo, wrongUrl } from './asyncapi.errors.js';
import { clientDocumentOf } from './client-document.js';
import { contractPage } from './contract-page.js';
import { Declarations } from './described.js';
import { type LiveAsyncApiOptions, MODULE_OPTIONS_TOKEN } from './live-asyncapi.module-definition.js';
import { schemesOf } from './security-schemes.js';

/** Makes the AsyncAPI document of the application's declarations. */
@Injectable()
export class LiveAsyncApi {
  private made: Promise<AsyncApiDocument> | undefined;

  /** @internal */
  constructor(
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: LiveAsyncApiOptions,
    private readonly declarations: Declarations,
    private readonly modules: ModuleRef,
  ) {
    for (const field of ['title', 'version'] as const)
      if (typeof options.info?.[field] !== 'string') throw missingInfo(field);
  }

  /**
   * The document, made once. It does not change while the application runs.
   *
   * @param side - whose operations it has. Generators of clients read the document of a client
   * @throws Error if a schema has no JSON Schema, or the package that makes it is missing
   */
  async document(side: 'server' | 'client' = 'server'): Promise<AsyncApiDocument> {
    const document = await (this.made ??= this.make());
    return side === 'client' ? clientDocumentOf(document) : document;
  }

  /** A page that shows the document: one HTML text without scripts and without other files. */
  async page(): Promise<string> {
    return contractPage(await this.document());
  }

  private async make(): Promise<AsyncApiDocument> {
    const { info, url = 'ws://localhost:3000/live', security } = this.options;
    const [topics, handlers] = await Promise.all([this.declarations.topics(), this.declarations.handlers()]);
    return asyncApiDocument({
      info,
      ...serverOf(url),
      security: security ?? schemesOf(this.guards()),
      topics,
      handlers,
    });
  }

  private guards(): readonly unknown[] {
    return this.modules.get<readonly unknown[]>(LIVE_GUARDS, { strict: false });
  }
}

function serverOf(url: string): {
  readonly host: string;
  readonly path: string;
  readonly protocol: 'ws' | 'wss';
} {
  if (!URL.canParse(url) || !/^wss?:/.test(url)) throw wrongUrl(url);
  const { host, pathname, protocol } = new URL(url);
  return { host, path: pathname, protocol: protocol === 'wss:' ? 'wss' : 'ws' };
}
