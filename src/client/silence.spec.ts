import { describe, it } from 'vitest';

describe('silence', () => {
  it.todo('[L-8.4] a client that has received nothing for the ping interval sends one ping');
  it.todo('[L-8.5] a client gives an announced message time for its bytes');
});

describe('many topics', () => {
  it.todo('[L-3.14] a client subscribes to many topics with one message');
});
