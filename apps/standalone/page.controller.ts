import { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, NotFoundException, Param, Req, Res } from '@nestjs/common';
import { LiveService } from 'nestjs-live';
import { DevelopmentCookie } from './development-cookie.js';
import { hostNameOf } from './http-host.js';
import { PageFiles } from './page-files.js';
import { ServerPlan } from './server-plan.js';

/** What the page needs to know about its server. */
export interface PageConfig {
  /** Uses the host name that the browser used, so that its cookies are sent. */
  readonly socketUrl: string;
  readonly instanceId: string;
  readonly development: boolean;
  readonly metricsUrl: string;
  readonly healthUrl: string;
}

/** The page at `/`: vitals, a map, a place to try the protocol. */
@Controller()
export class PageController {
  constructor(
    private readonly files: PageFiles,
    private readonly plan: ServerPlan,
    private readonly live: LiveService,
    private readonly cookie: DevelopmentCookie,
  ) {}

  /** In development, each load of the page signs its browser in again. */
  @Get()
  async index(@Res() response: ServerResponse): Promise<void> {
    if (this.plan.development) response.setHeader('Set-Cookie', await this.cookie.make());
    this.send(response, 'index.html', 'no-store');
  }

  @Get('page/config.json')
  config(@Req() request: IncomingMessage, @Res({ passthrough: true }) response: ServerResponse): PageConfig {
    response.setHeader('Cache-Control', 'no-store');
    const { instanceId, development, settings } = this.plan;
    const host = hostNameOf(request);
    let socket = new URL(this.live.url());
    // A page reaches a Unix socket only through the proxy that served the page.
    if (settings.LIVE_WS_SOCKET_PATH !== undefined)
      socket = new URL(settings.LIVE_WS_PATH, `ws://${request.headers.host ?? 'localhost'}`);
    if (host !== undefined) socket.hostname = host;
    // A page that came over https through a proxy may only open secure sockets.
    if (request.headers['x-forwarded-proto'] === 'https') socket.protocol = 'wss:';
    return {
      socketUrl: socket.href,
      instanceId,
      development,
      metricsUrl: '/metrics',
      healthUrl: '/health/ready',
    };
  }

  @Get('page/:name')
  file(@Param('name') name: string, @Res() response: ServerResponse): void {
    this.send(response, name, 'no-cache');
  }

  @Get('page/:folder/:name')
  module(
    @Param('folder') folder: string,
    @Param('name') name: string,
    @Res() response: ServerResponse,
  ): void {
    this.send(response, `${folder}/${name}`, 'no-cache');
  }

  private send(response: ServerResponse, name: string, cacheControl: string): void {
    const file = this.files.get(name);
    if (file === undefined) throw new NotFoundException('The page has no file of this name');
    response.writeHead(200, {
      'Content-Type': file.contentType,
      'Content-Length': file.body.byteLength,
      'Cache-Control': cacheControl,
    });
    response.end(file.body);
  }
}
