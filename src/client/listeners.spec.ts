import { afterEach, describe, expect, it, vi } from 'vitest';
import { Listeners } from './listeners.js';

interface Events {
  readonly error: unknown;
  readonly said: string;
}

/** Collects errors that would be uncaught. */
function uncaught(): unknown[] {
  const errors: unknown[] = [];
  vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => {
    try {
      task();
    } catch (error) {
      errors.push(error);
    }
  });
  return errors;
}

const fail = (message: string) => () => {
  throw new Error(message);
};

describe('listeners', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('listeners are called in order of registration until removed, and one may be registered twice', () => {
    const listeners = new Listeners<Events>();
    const seen: string[] = [];
    const listener = (value: string): void => void seen.push(value);
    const stops = [listeners.on('said', listener), listeners.on('said', listener)];
    listeners.emit('said', 'a');
    stops[0]?.();
    listeners.emit('said', 'b');
    stops[1]?.();
    listeners.emit('said', 'c');
    expect(seen).toEqual(['a', 'a', 'b']);
  });

  it('an error thrown by a listener becomes an error event', () => {
    const errors = uncaught();
    const listeners = new Listeners<Events>();
    const seen: unknown[] = [];
    listeners.on('error', (error) => seen.push(error));
    listeners.on('said', fail('1'));
    listeners.on('said', (value) => seen.push(value));
    listeners.emit('said', 'a');
    expect(seen).toEqual([new Error('1'), 'a']);
    expect(errors).toEqual([]);
  });

  it('without an error listener, an error thrown by a listener is uncaught after the others were called', () => {
    const errors = uncaught();
    const listeners = new Listeners<Events>();
    const seen: unknown[] = [];
    listeners.on('said', fail('1'));
    listeners.on('said', (value) => seen.push(value));
    listeners.emit('said', 'a');
    expect(seen).toEqual(['a']);
    expect(errors).toEqual([new Error('1')]);
  });

  it('an error thrown by an error listener is uncaught and not another error event', () => {
    const errors = uncaught();
    const listeners = new Listeners<Events>();
    listeners.on('error', fail('2'));
    listeners.on('said', fail('1'));
    listeners.emit('said', 'a');
    expect(errors).toEqual([new Error('2')]);
  });

  it('without an error listener, an error that no listener threw is ignored', () => {
    const errors = uncaught();
    new Listeners<Events>().emit('error', new Error('1'));
    expect(errors).toEqual([]);
  });
});
