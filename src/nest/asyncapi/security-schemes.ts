import { JwtConnectionGuard } from '../auth/jwt-connection.guard.js';
import { SessionConnectionGuard } from '../auth/session-connection.guard.js';
import type { SecurityScheme } from './asyncapi-document.js';

/** The schemes of the guards that this package has. A guard of the application is not described. */
export function schemesOf(guards: readonly unknown[]): Record<string, SecurityScheme> {
  const has = (shipped: new (...args: never[]) => object): boolean =>
    guards.some((guard) => guard === shipped || guard instanceof shipped || extendsClass(guard, shipped));
  return {
    ...(has(JwtConnectionGuard) && { jwt: bearer }),
    ...(has(SessionConnectionGuard) && { session: cookie }),
  };
}

function extendsClass(guard: unknown, shipped: new (...args: never[]) => object): boolean {
  return typeof guard === 'function' && guard.prototype instanceof shipped;
}

const bearer: SecurityScheme = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description:
    'In the header Authorization; browsers send it as the subprotocol bearer.<token> beside live.v1.',
};

const cookie: SecurityScheme = {
  type: 'httpApiKey',
  name: 'Cookie',
  in: 'header',
  description: "The cookie of the application's session.",
};
