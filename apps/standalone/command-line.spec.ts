import { describe, expect, it } from 'vitest';
import { commandOf } from './command-line.js';

describe('commandOf', () => {
  it.each([
    [[], 'serve'],
    [['asyncapi'], 'asyncapi'],
    [['asyncapi', '--client'], 'asyncapi-client'],
    [['--help'], 'help'],
    [['-v'], 'version'],
  ])('the arguments %j select the command %s', (args, command) => {
    expect(commandOf(args)).toBe(command);
  });

  it.each([[['--client']], [['--client', 'asyncapi']], [['asyncapi', '--clients']]])(
    'the arguments %j are refused with the known ones',
    (args) => {
      expect(() => commandOf(args)).toThrow('only asyncapi (alone or with --client), --help and --version');
    },
  );
});
