export type Command = 'serve' | 'help' | 'version' | 'asyncapi' | 'asyncapi-client';

/**
 * The command that the arguments select. Throws an error with a printable message for any other.
 */
export function commandOf(args: readonly string[]): Command {
  if (args.length === 2 && args[0] === 'asyncapi' && args[1] === '--client') return 'asyncapi-client';
  const commands = args.map((arg): Command => {
    if (arg === '--help' || arg === '-h') return 'help';
    if (arg === '--version' || arg === '-v') return 'version';
    if (arg === 'asyncapi') return 'asyncapi';
    throw new Error(
      `Unknown argument ${JSON.stringify(arg)}: only asyncapi (alone or with --client), --help and --version are known.`,
    );
  });
  return commands[0] ?? 'serve';
}
