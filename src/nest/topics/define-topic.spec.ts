import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineTopic, topic } from './define-topic.js';
import { LIVE_TOPIC, LiveTopic } from './live-topic.decorator.js';

const trip = defineTopic('fleet/:fleetId/trips/:tripId', { data: z.object({}), history: { size: 1 } });

describe('defineTopic', () => {
  it('a declaration makes the names of its topics', () => {
    expect(trip.name({ fleetId: 7, tripId: 'a.b' })).toBe('fleet/7/trips/a.b');
    expect(defineTopic('fleet').name({})).toBe('fleet');
  });

  it.each(['', 'a/b', '..', '.', 'a b', '$user', '*', undefined, 'é'])(
    '%o is no parameter of a name',
    (tripId) => {
      expect(() => trip.name({ fleetId: 7, tripId: tripId as string })).toThrow(
        'The parameter tripId is no segment of a topic',
      );
    },
  );

  it('a name needs every parameter, inherited ones do not count', () => {
    const { name } = defineTopic('fleet/:constructor');
    expect(() => name({} as { constructor: string })).toThrow('The parameter constructor is no segment');
  });

  it('a name that is too long, or whose pattern has wildcards, is an error', () => {
    expect(() => trip.name({ fleetId: 'x'.repeat(120), tripId: 1 })).toThrow('longer than 128 characters');
    expect(() => defineTopic('fleet/*').name({})).toThrow('A topic with * has no name by parameters');
  });

  it('an invalid pattern is refused at once', () => {
    expect(() => defineTopic('fleet//7')).toThrow("'fleet//7' is no topic pattern");
  });

  it('the decorator takes pattern and options from the static member, also an inherited one', () => {
    class Base {
      static readonly topic = trip;
      canSubscribe(): boolean {
        return true;
      }
    }
    @LiveTopic()
    class Trip extends Base {}
    expect(Reflect.getMetadata(LIVE_TOPIC, Trip)).toEqual({ pattern: trip.pattern, options: trip.options });
  });

  it('a class without the static member is a clear error', () => {
    class Nothing {}
    expect(() => (LiveTopic() as (target: unknown) => void)(Nothing)).toThrow(
      'LiveModule: @LiveTopic() Nothing has no topic. Write static readonly topic = defineTopic(',
    );
  });
});

describe('topic', () => {
  it('a pattern and its parameters make a name, and a name is checked', () => {
    expect(topic('fleet/:fleetId/trips/:tripId', { fleetId: 7, tripId: 'a' })).toBe('fleet/7/trips/a');
    expect(topic('fleet/7')).toBe('fleet/7');
  });

  it.each(['a/b', '..', '', ':b', '*'])('the value %o cannot lead to another topic', (fleetId) => {
    expect(() => topic('fleet/:fleetId', { fleetId })).toThrow('The parameter fleetId is no segment');
  });

  it.each(['fleet/*', 'fleet/:fleetId', 'fleet//7', '$user'])('%o is no name', (name) => {
    expect(() => topic(name)).toThrow(/no name|no segment|no topic pattern/);
  });
});
