import { describe, expect, it } from 'vitest';
import { readNatsUrl } from './nats-address.js';
import { type NatsBrokerOptions, resolveNatsOptions } from './nats-broker.options.js';

describe('readNatsUrl', () => {
  it.each([
    ['nats://queue', { server: 'queue:4222', tls: false }],
    ['tls://queue.example:4443', { server: 'queue.example:4443', tls: true }],
    ['nats://ann:p%40ss@queue', { server: 'queue:4222', tls: false, user: 'ann', password: 'p@ss' }],
    ['nats://to%2Fken@queue/', { server: 'queue:4222', tls: false, token: 'to/ken' }],
    ['nats://[::1]:4223', { server: '[::1]:4223', tls: false }],
  ])('readNatsUrl parses %s', (text, address) => {
    expect(readNatsUrl(text)).toEqual(address);
  });

  it.each([
    'canary',
    'http://ann:canary@queue',
    'nats://',
    'nats://ann:canary@',
    'nats://ann:canary@queue/path',
    'nats://ann:canary@queue?tls=false',
    'nats://ann:canary%zz@queue',
    'nats://ann:canary@queue:99999',
  ])('readNatsUrl rejects %s without showing it', (text) => {
    const read = (): unknown => readNatsUrl(text);
    expect(read).toThrow(/^NatsBroker: "url" .+ Use nats:\/\/host:4222/);
    expect(read).not.toThrow(/canary/);
  });
});

describe('Options of NatsBroker', () => {
  it('the defaults leave the settings of an existing stream unchanged', () => {
    const { stream, callTimeoutMs, connection } = resolveNatsOptions({});
    expect(stream).toEqual({ name: 'LIVE', root: 'live' });
    expect([callTimeoutMs, connection.servers, connection.reconnect]).toEqual([
      3_000,
      ['127.0.0.1:4222'],
      false,
    ]);
    expect([connection.tls, connection.authenticator]).toEqual([undefined, undefined]);
  });

  it.each([
    [{}, 'LIVE', 'live'],
    [{ name: 'LIVE' }, 'LIVE', 'live'],
    [{ name: 'SHOP' }, 'SHOP', 'live.@SHOP'],
    [{ prefix: 'shop.live' }, 'LIVE-shop_live', 'shop.live'],
    [{ name: 'SHOP', prefix: 'a' }, 'SHOP', 'a.@SHOP'],
    [{ name: 'TOYS', prefix: 'a' }, 'TOYS', 'a.@TOYS'],
  ])('another name or another prefix separates two applications: %j', (given, name, root) => {
    expect(resolveNatsOptions({ stream: given }).stream).toEqual({ name, root });
  });

  it('tls:// enables TLS and checks the certificate for the host in the URL', () => {
    const tlsOf = (url: string | readonly string[]): unknown => resolveNatsOptions({ url }).connection.tls;
    expect(tlsOf('tls://queue')).toEqual({});
    expect(tlsOf('tls://192.0.2.7:4443')).toEqual({ host: '192.0.2.7' });
    expect(tlsOf('tls://[2001:db8::1]')).toEqual({ host: '2001:db8::1' });
    expect(tlsOf(['tls://one', 'tls://two'])).toEqual({});
  });

  it.each<[string, NatsBrokerOptions]>([
    ['stream.name', { stream: { name: 'a.b' } }],
    ['stream.name', { stream: { name: '' } }],
    ['stream.prefix', { stream: { prefix: 'a.' } }],
    ['stream.prefix', { stream: { prefix: '*' } }],
    ['stream.domain', { stream: { domain: 'a.b' } }],
    ['stream.storage', { stream: { storage: 'disk' as 'file' } }],
    ['stream.replicas', { stream: { replicas: 6 } }],
    ['stream.retentionMs', { stream: { retentionMs: 1 } }],
    ['stream.messagesPerTopic', { stream: { messagesPerTopic: 3 } }],
    ['stream.maxBytes', { stream: { maxBytes: Number.NaN } }],
    ['callTimeoutMs', { callTimeoutMs: 0 }],
    ['probeIntervalMs', { probeIntervalMs: 1.5 }],
    ['url', { url: [] }],
    ['url', { url: ['nats://one:canary@a', 'nats://two:canary@b'] }],
  ])('an invalid %s is rejected by name', (name, options) => {
    const resolve = (): unknown => resolveNatsOptions(options);
    expect(resolve).toThrow(`NatsBroker: "${name}" must be `);
    expect(resolve).not.toThrow(/canary/);
  });
});
