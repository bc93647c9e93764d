import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { LiveService } from 'nestjs-live';
import { type Addresses, addressesOf } from './addresses.js';
import { AppModule } from './app.module.js';
import { brokerOf } from './broker.js';
import { endLogOutput, openLogOutput } from './log-output.js';
import { quietStart } from './logging.js';
import { onlyLoopbackHosts, securityHeaders } from './http-host.js';
import type { ServerPlan } from './server-plan.js';

export interface RunningServer {
  readonly addresses: Addresses;
  readonly logger: Logger;
  /** Drains the connections, releases everything, and writes the rest of the log. */
  close(): Promise<void>;
}

/** Starts the server. Rejects if a port cannot be bound, and then writes nothing to the log. */
export async function startServer(plan: ServerPlan): Promise<RunningServer> {
  const broker = await brokerOf(plan.settings);
  const output = openLogOutput();
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(plan, output, broker), {
    abortOnError: false,
    bufferLogs: true,
    autoFlushLogs: false,
    // The only body is read after its guard.
    bodyParser: false,
    forceCloseConnections: true,
  });
  app.disable('x-powered-by');
  app.use(securityHeaders);
  if (plan.development) app.use(onlyLoopbackHosts);
  const http = app.getHttpServer() as Server;
  Object.assign(http, { headersTimeout: 10_000, requestTimeout: 30_000, maxHeadersCount: 100 });
  await app.listen(plan.httpPort, plan.settings.HTTP_HOST);
  const logger = app.get(Logger);
  app.useLogger(quietStart(logger));
  app.flushLogs();
  const { port } = http.address() as AddressInfo;
  return {
    addresses: addressesOf(plan, port, app.get(LiveService).url()),
    logger,
    close: async () => {
      await app.close();
      await endLogOutput(output);
    },
  };
}
