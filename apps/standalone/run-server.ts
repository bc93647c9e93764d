import { bannerOf } from './addresses.js';
import { type Command, commandOf } from './command-line.js';
import { packageVersion } from './package-version.js';
import { planServer, type ServerPlan } from './server-plan.js';
import { helpText } from './settings/help.js';
import { type Environment, readSettings } from './settings/read-settings.js';
import { stopOnSignals } from './shutdown.js';
import { failureText } from './start-failure.js';
import type { RunningServer } from './start-server.js';

/**
 * Runs the standalone server from its arguments and environment. Exits with a message if it cannot
 * start.
 */
export async function runServer(args: readonly string[], environment: Environment): Promise<void> {
  let command: Command;
  try {
    command = commandOf(args);
  } catch (error) {
    return exit(2, (error as Error).message);
  }
  if (command === 'help') process.stdout.write(helpText(packageVersion()));
  else if (command === 'version') process.stdout.write(`${packageVersion()}\n`);
  else if (command === 'asyncapi') await printContract(environment, 'server');
  else if (command === 'asyncapi-client') await printContract(environment, 'client');
  else await serve(environment);
}

async function printContract(environment: Environment, side: 'server' | 'client'): Promise<void> {
  const plan = await planServer(settingsOf(environment).settings);
  try {
    const { contractOf } = await import('./print-contract.js');
    process.stdout.write(await contractOf(plan, side));
  } catch (error) {
    exit(1, failureText(error, plan));
  }
}

function settingsOf(environment: Environment): ReturnType<typeof readSettings> {
  const read = readSettings(environment);
  const { problems } = read;
  if (problems.length > 0) {
    const count = problems.length === 1 ? 'a setting is' : `${String(problems.length)} settings are`;
    const list = problems.map((problem) => `  - ${problem}`).join('\n');
    exit(1, `nestjs-live cannot start: ${count} wrong.\n${list}\nAll settings: --help`);
  }
  return read;
}

async function serve(environment: Environment): Promise<void> {
  const { settings, warnings } = settingsOf(environment);
  let starting: Promise<RunningServer> | undefined;
  // Registered before anything listens: a signal during the start takes effect after it.
  const { LIVE_DRAIN_NOTICE_MS: noticeMs, LIVE_WS_DRAIN_TIMEOUT_MS: timeoutMs } = settings;
  stopOnSignals(async () => (await starting)?.close(), noticeMs + timeoutMs);
  const plan = await planServer(settings);
  try {
    starting = loadAndStart(plan);
    const { addresses, logger } = await starting;
    for (const warning of warnings) logger.warn(warning, 'Settings');
    logger.log({ msg: 'listening', development: plan.development, ...addresses }, 'Server');
    // Next to the log, which stays JSON.
    if (plan.development || process.stdout.isTTY) process.stderr.write(bannerOf(addresses, plan));
  } catch (error) {
    return exit(1, failureText(error, plan));
  }
}

/** Loaded on demand: `--help` and invalid settings need no Nest. */
async function loadAndStart(plan: ServerPlan): Promise<RunningServer> {
  const { startServer } = await import('./start-server.js');
  return startServer(plan);
}

function exit(code: number, words: string): never {
  process.stderr.write(`${words}\n`);
  process.exit(code);
}
