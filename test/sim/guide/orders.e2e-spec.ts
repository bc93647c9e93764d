import type { CanActivate, ExecutionContext, INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { LiveModule, LiveService, LiveTopic, setConnectionIdentity } from '../../../src/index.js';
import { deliveryFaults, LiveTestClient } from '../../../src/testing/index.js';
import { afterAll, beforeAll, expect, it } from 'vitest';

@LiveTopic('orders/:shop', { history: { size: 100 } })
class Orders {
  canSubscribe(user: { id: string } | null, { shop }: { shop: string }) {
    return user?.id === shop;
  }
}

/** For tests only: the token is the name. */
class TokenIsName implements CanActivate {
  canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest<{ headers: { authorization: string } }>();
    setConnectionIdentity(request, { user: { id: request.headers.authorization.replace('Bearer ', '') } });
    return true;
  }
}

let app: INestApplication;
let live: LiveService;

beforeAll(async () => {
  const module = await Test.createTestingModule({
    imports: [LiveModule.forRoot({ port: 0, guards: [TokenIsName] })],
    providers: [Orders],
  }).compile();
  app = module.createNestApplication({ logger: false });
  await app.init();
  live = app.get(LiveService);
});

afterAll(() => app.close());

it('a shop sees its own orders and no others', async () => {
  const shop = await LiveTestClient.connect(live.url(), { token: 'north' });
  await shop.request({ type: 'subscribe', id: 1, topic: 'orders/north' });
  const refused = await shop.request({ type: 'subscribe', id: 2, topic: 'orders/south' });
  for (const topic of ['orders/south', 'orders/north']) await live.publish(topic, { topic });

  expect(refused).toMatchObject({ type: 'error', code: 'forbidden' });
  expect(await shop.settle()).toEqual([
    { type: 'event', topic: 'orders/north', offset: 1, data: { topic: 'orders/north' } },
  ]);
  await shop.close();
});

it('a shop that reconnects continues where it was', async () => {
  const { epoch, offset } = await live.publish('orders/north', 'seen');
  for (const order of ['missed', 'also missed']) await live.publish('orders/north', order);

  const shop = await LiveTestClient.connect(live.url(), { token: 'north' });
  const since = { epoch, offset };
  const answer = await shop.request({ type: 'subscribe', id: 1, topic: 'orders/north', since });
  expect(answer).toMatchObject({ recovered: true, offset });
  expect((await shop.settle()).map(({ data }) => data)).toEqual(['missed', 'also missed']);
  // Everything it received: no gap, no duplicate, nothing without a subscription.
  expect(deliveryFaults(shop.transcript)).toEqual([]);
  await shop.close();
});
