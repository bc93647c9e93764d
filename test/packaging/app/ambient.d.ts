// Declarations that the snippets of docs/client.md leave to the reader.
import type * as live from 'nestjs-live/client';

declare global {
  const connect: typeof live.connect;
  const client: live.LiveClient;
  const url: string;
  const position: live.Position;
  const listener: (message: live.TopicMessage | live.EndMessage) => void;
  function getToken(): Promise<string>;
  function draw(state: unknown): void;
  function forget(key: string): void;
  function move(data: unknown, key?: string): void;
  function show(status: unknown): void;
  function report(error: unknown): void;
  interface Move {
    readonly lat: number;
    readonly lon: number;
  }
  interface Fleet {
    readonly vehicles: readonly Move[];
  }
  interface Chat {
    readonly text: string;
  }
}
