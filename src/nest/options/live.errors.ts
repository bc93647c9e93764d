import { unknownAddress } from '../../ws/ip-address.js';

/** Start-up errors: what is wrong, and what to write instead. */

export const wrongOption = (option: string, value: unknown, allowed: string): Error =>
  new Error(`LiveModule: "${option}" is ${describe(value)}, but must be ${allowed}.`);

/** Like `wrongOption`, for a possible secret: `problem` describes the value without showing it. */
export const optionError = (option: string, problem: string, fix: string): Error =>
  new Error(`LiveModule: "${option}" ${problem}. ${fix}.`);

export const unknownOption = (option: string, meant: string | undefined): Error =>
  new Error(
    `LiveModule: "${option}" is no option of nestjs-live${meant === undefined ? '' : `. Did you mean "${meant}"?`}`,
  );

// Does not show the value, which may be a URL with a password.
export const noBroker = (): Error =>
  new Error(
    'LiveModule: "broker" is no broker. Write broker: new RedisBroker({ url }) from nestjs-live/redis, or a function that ' +
      'returns one; or leave it out for the memory of this process.',
  );

export const contradictoryOptions = (one: string, other: string): Error =>
  new Error(`LiveModule: "${one}" and "${other}" contradict each other. Keep one of them.`);

export const proxyProtocolOfNobody = (): Error =>
  new Error(
    'LiveModule: "proxyProtocol" is set, but no proxy is trusted to name the client. Name those that send the header: ' +
      "trustedProxies: ['10.0.0.1'].",
  );

export const unixSocketWithoutAddress = (): Error =>
  new Error(
    'LiveModule: "trustedProxies" is a list, but with "socketPath" no proxy has an address. Write how many proxies every ' +
      'client comes through: trustedProxies: 1.',
  );

export const joseMissing = (): Error =>
  new Error('JwtConnectionGuard needs the package jose, which is not installed: npm i jose');

export const noGuard = (): Error =>
  new Error(
    'LiveModule: no connection guard. Name one, LiveModule.forRoot({ guards: [JwtConnectionGuard], jwt: { … } }), ' +
      'or let everybody in with dangerouslyPublic: true.',
  );

export const guardUnknown = (guard: string): Error =>
  new Error(
    `LiveModule: the guard ${guard} has no instance, so it would not be asked. Name the class itself in "guards", and ` +
      'what it injects in "imports".',
  );

export const guardRequestScoped = (guard: string): Error =>
  new Error(`LiveModule: the guard ${guard} is request-scoped; a connection guard must be a singleton.`);

export const cookiesNeedOrigins = (guard: string): Error =>
  new Error(
    `LiveModule: ${guard} authenticates by cookie, which a browser sends for any page. Name the pages that may connect: ` +
      "allowedOrigins: ['https://app.example'].",
  );

export const duplicateForRoot = (): Error =>
  new Error(
    'LiveModule.forRoot is imported twice, which would make two live servers. Import it once, in the root module; its ' +
      'providers are global.',
  );

export const noOptions = (kind: string): Error =>
  new Error(`LiveModule: the options are ${kind}, but must be an object. Does "useFactory" return them?`);

export const missingForRoot = (): Error =>
  new Error(
    'LiveModule is imported without options. Import LiveModule.forRoot({ … }) or LiveModule.forRootAsync({ … }).',
  );

export const foreignAdapter = (adapter: string): Error =>
  new Error(
    `LiveModule: app.useWebSocketAdapter() has set ${adapter}, so the live gateway would run without its guards. Write ` +
      `app.useWebSocketAdapter(new LiveWsAdapter(app, { others: new ${adapter}(app) })) instead.`,
  );

export const adapterUnsaid = (port: number, path: string | undefined): Error =>
  new Error(
    `LiveModule: the application has a gateway (@WebSocketGateway, port ${String(port)}, path ${path ?? 'none'}) that looks ` +
      'like one for socket.io, which is what Nest takes a gateway for by default; without an adapter of yours LiveModule ' +
      'would serve it by plain WebSockets. Write app.useWebSocketAdapter(new LiveWsAdapter(app, { others: new ' +
      'IoAdapter(app) })) for socket.io, or app.useWebSocketAdapter(new LiveWsAdapter(app)) for plain WebSockets.',
  );

export const messageContextsUnknown = (cause: unknown): Error =>
  new Error(
    'LiveModule: this version of @nestjs/websockets or @nestjs/core keeps the guards, pipes and interceptors of message ' +
      'handlers elsewhere than Nest 11 and 12 do. Install the newest Nest 12, or the newest nestjs-live.',
    { cause },
  );

/** No error: what an application should know that has handlers of its own. */
export const globalsNotOnMessages = (enhancers: readonly string[], handlers: readonly string[]): string =>
  `Global guards, pipes and interceptors (${enhancers.join(', ')}) run for HTTP and at the upgrade, not on the messages ` +
  `of ${handlers.join(', ')}: put them there with @UseGuards() and the like. globalEnhancersOnMessages: true has all ` +
  'global ones run on every message; false says that none is meant, and takes this line away.';

export const handlersRequestScoped = (provider: string): Error =>
  new Error(
    `LiveModule: ${provider}, or something it injects, is request-scoped, but a live connection is no request. Make it a ` +
      'singleton; what belongs to a connection comes with @ConnectedSocket().',
  );

export const handlersUndecorated = (provider: string): Error =>
  new Error(`LiveModule: ${provider} extends a class of handlers. Write @LiveHandlers() on it, too.`);

export const handlerReserved = (provider: string, type: string): Error =>
  new Error(
    `LiveModule: ${provider} handles '${type}', which the protocol has already. Choose another type; or extend ` +
      `LiveGateway, override its handler, and name the class: LiveModule.forRoot({ gateway: ${provider} }).`,
  );

export const handlerTwice = (type: string, one: string, other: string): Error =>
  new Error(`LiveModule: ${one} and ${other} both handle messages of type '${type}'. Keep one of them.`);

export const requestWithoutMethod = (name: string, type: string, method: string, other?: string): Error =>
  new Error(
    `@LiveHandlers: requests of ${name} says that '${method}' handles '${type}', but ` +
      (other === undefined ? `${name} has no such method.` : `'${method}' handles '${other}'.`),
  );

export const wsTooOld = (version: string, floor: string): Error =>
  new Error(
    `LiveModule: ws ${version} is installed, which has known weaknesses; ${floor} or newer is needed (npm i ws).`,
  );

export const bunUnsafe = (version: string): Error =>
  new Error(
    `LiveModule: the server does not start on Bun ${version}, where a reader that was slow once gets nothing more, and two ` +
      'limits are missing. Start it with node; the client works on Bun. dangerouslyAllowBun: true starts it nevertheless.',
  );

/** No error, but as seldom and as useful. */
export const forwardedByStranger = (from: string): string =>
  `X-Forwarded-For comes from ${nameOf(from)}, which is not in trustedProxies, and is not believed: all clients behind ` +
  `it count as one address. If it is a proxy of yours, name it: trustedProxies: ${trustIn(from)}.`;

function nameOf(address: string): string {
  return address === unknownAddress ? 'a Unix socket' : address;
}

/** A Unix socket has no address that a list could hold. */
function trustIn(address: string): string {
  return address === unknownAddress
    ? '1 (the number of proxies, since a Unix socket has no address)'
    : `['${address}']`;
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `"${value.slice(0, 80)}"`;
  return typeof value === 'object' ? JSON.stringify(value).slice(0, 80) : String(value);
}
