// The application of a benchmark with several instances on Redis.

/**
 * Starts it, and waits for Redis.
 *
 * @param {object} of
 * @param {string} of.dist the build of nestjs-live
 * @param {string} of.redisUrl
 * @param {string} of.pattern of its topics, which `provider` decides about
 * @param {object} of.topic options of `@LiveTopic`
 * @param {new () => object} of.provider
 * @param {object} [of.options] further options of the module
 */
export async function startOnRedis({ dist, redisUrl, pattern, topic, provider, options = {} }) {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { LiveModule, LiveService, LiveTopic } = await import(`${dist}index.js`);
  const { RedisBroker } = await import(`${dist}brokers/redis/index.js`);
  LiveTopic(pattern, topic)(provider);
  class App {}
  const broker = new RedisBroker({ url: redisUrl });
  Module({
    imports: [LiveModule.forRoot({ port: 0, dangerouslyPublic: true, broker, ...options })],
    providers: [provider],
  })(App);
  const app = await NestFactory.create(App, { logger: ['error'] });
  app.enableShutdownHooks(['SIGTERM'], { useProcessExit: true });
  await app.init();
  const live = app.get(LiveService);
  while (!live.stats().brokerAvailable) await new Promise((done) => setTimeout(done, 20));
  return live;
}
