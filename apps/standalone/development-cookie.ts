import { Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';
import { ServerPlan } from './server-plan.js';

const lifetimeSeconds = 12 * 3_600;

/** The rights of the page in development mode. */
const rights = {
  subscribe: ['fleet/**', 'chat/**', 'demo/**', 'system/**'],
  publish: ['chat/**', 'demo/**'],
};

/** Creates the cookie that signs the page in, in development mode. */
@Injectable()
export class DevelopmentCookie {
  constructor(private readonly plan: ServerPlan) {}

  /** A `Set-Cookie` header with a token of 12 hours. Rejects outside of development mode. */
  async make(): Promise<string> {
    const { development, jwtSecret, settings } = this.plan;
    if (!development || jwtSecret === undefined) throw new Error('Only development mode signs the page in');
    const token = await new SignJWT({ live: rights })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('developer')
      .setIssuedAt()
      .setExpirationTime(`${String(lifetimeSeconds)} s`)
      .sign(new TextEncoder().encode(jwtSecret));
    return `${settings.LIVE_COOKIE_NAME}=${token}; Path=/; Max-Age=${String(lifetimeSeconds)}; HttpOnly; SameSite=Strict`;
  }
}
