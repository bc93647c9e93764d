import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { AsyncApiInfo, SecurityScheme } from './asyncapi-document.js';

/** Options of `LiveAsyncApiModule.forRoot`. */
export interface LiveAsyncApiOptions {
  /** Title and version of your interface. */
  readonly info: AsyncApiInfo;
  /** Where clients connect. @default 'ws://localhost:3000/live' */
  readonly url?: string;
  /**
   * How clients prove who they are, by name: Security Scheme Objects of AsyncAPI.
   *
   * @default a bearer token with `JwtConnectionGuard`, a cookie with `SessionConnectionGuard`
   */
  readonly security?: Readonly<Record<string, SecurityScheme>>;
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<LiveAsyncApiOptions>({ moduleName: 'LiveAsyncApi' })
    .setClassMethodName('forRoot')
    .build();
