import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  NotFoundException,
  UnauthorizedException,
} from '@nestjs/common';
import { ServerPlan } from '../server-plan.js';

/** Requires the publish key. Answers 401 without it, and 404 if no key is configured. */
@Injectable()
export class PublishKeyGuard implements CanActivate {
  private readonly expected: Buffer | undefined;

  constructor({ publishKey }: ServerPlan) {
    this.expected = publishKey === undefined ? undefined : digestOf(publishKey);
  }

  canActivate(context: ExecutionContext): true {
    if (this.expected === undefined) {
      throw new NotFoundException('Publishing over HTTP is off: LIVE_PUBLISH_KEY is not set on this server');
    }
    const http = context.switchToHttp();
    const { authorization = '' } = http.getRequest<IncomingMessage>().headers;
    const key = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
    // Digests have equal lengths, so that the comparison does not reveal the length of the key.
    if (key !== undefined && timingSafeEqual(digestOf(key), this.expected)) return true;
    http.getResponse<ServerResponse>().setHeader('WWW-Authenticate', 'Bearer realm="publish"');
    throw new UnauthorizedException('The publish key is missing or wrong: Authorization: Bearer <key>');
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
