/**
 * The contract of the application's topics and messages as an AsyncAPI document.
 *
 * @packageDocumentation
 * @module nestjs-live/asyncapi
 */
export type { AsyncApiDocument, AsyncApiInfo, SecurityScheme } from './asyncapi-document.js';
export { LiveAsyncApi } from './live-asyncapi.js';
export { LiveAsyncApiModule } from './live-asyncapi.module.js';
export type { LiveAsyncApiOptions } from './live-asyncapi.module-definition.js';
