import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Declarations } from './described.js';
import { LiveAsyncApi } from './live-asyncapi.js';
import { ConfigurableModuleClass } from './live-asyncapi.module-definition.js';

/**
 * Describes the application's topics and messages as an AsyncAPI 3.1 document. It adds no route, so
 * that the document is never exposed by accident. Example:
 *
 * ```ts
 * @Controller()
 * export class ContractController {
 *   constructor(private readonly contract: LiveAsyncApi) {}
 *
 *   @Get('asyncapi.json')
 *   read() {
 *     return this.contract.document();
 *   }
 *
 *   @Get('asyncapi')
 *   @Header('Content-Type', 'text/html; charset=utf-8')
 *   page() {
 *     return this.contract.page();
 *   }
 * }
 * ```
 */
@Module({ imports: [DiscoveryModule], providers: [Declarations, LiveAsyncApi], exports: [LiveAsyncApi] })
export class LiveAsyncApiModule extends ConfigurableModuleClass {}
