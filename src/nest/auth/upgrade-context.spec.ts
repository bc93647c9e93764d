import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/internal';
import { describe, expect, it } from 'vitest';
import { UpgradeContext } from './upgrade-context.js';

class Gateway {
  handleUpgrade(): void {}
}

describe('UpgradeContext', () => {
  const request = new IncomingMessage(new Socket());
  const { handleUpgrade } = Gateway.prototype;

  it('[L-1.6] the context of a connection guard answers as the one that Nest gives to HTTP guards', () => {
    const ours = new UpgradeContext(request, Gateway, handleUpgrade);
    const nests = new ExecutionContextHost([request, ours.getArgByIndex(1)], Gateway, handleUpgrade);
    for (const context of [ours, nests] as ExecutionContext[]) {
      const http = context.switchToHttp();
      const { getRequest, getResponse, getNext } = http;
      const rpc = context.switchToRpc();
      // Nest's hosts are one object, so that the next switch changes this answer.
      const fromRpc = [rpc.getData<unknown>(), rpc.getContext<unknown>()];
      const ws = context.switchToWs();
      expect([
        context.getType(),
        context.getClass(),
        context.getHandler(),
        context.getArgs(),
        context.getArgByIndex(0),
        context.getArgByIndex(2),
        [getRequest(), getResponse(), getNext()],
        fromRpc,
        [ws.getClient(), ws.getData(), ws.getPattern()],
      ]).toEqual([
        'http',
        Gateway,
        handleUpgrade,
        [request, ours.getArgByIndex(1)],
        request,
        undefined,
        [request, ours.getArgByIndex(1), undefined],
        [request, ours.getArgByIndex(1)],
        [request, ours.getArgByIndex(1), ours.getArgByIndex(1)],
      ]);
    }
  });

  it('[L-1.4] a response that no guard asked for has no headers', () => {
    const context = new UpgradeContext(request, Gateway, handleUpgrade);
    expect(context.responseHeaders).toEqual({});
    context
      .switchToHttp()
      .getResponse<{ header(name: string, value: number): void }>()
      .header('Retry-After', 3);
    expect(context.responseHeaders).toEqual({ 'retry-after': '3' });
  });
});
