export type Command = 'serve' | 'help' | 'version' | 'asyncapi';

/**
 * The command that the arguments select. Throws an error with a printable message for any other.
 */
export function commandOf(args: readonly string[]): Command {
  const commands = args.map((arg): Command => {
    if (arg === '--help' || arg === '-h') return 'help';
    if (arg === '--version' || arg === '-v') return 'version';
    if (arg === 'asyncapi') return 'asyncapi';
    throw new Error(
      `Unknown argument ${JSON.stringify(arg)}: only asyncapi, --help and --version are known.`,
    );
  });
  return commands[0] ?? 'serve';
}
