import { validateSync } from 'class-validator';
import { ServerSettings } from '../settings.js';
import { contradictions } from './contradictions.js';
import { suggestionFor } from './suggestion.js';
import { type Variable, variablesOf } from './variable.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings in the environment. If `problems` is not empty, the settings must not be used. */
export interface SettingsReading {
  readonly settings: ServerSettings;
  /** One sentence each. None shows a secret. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const longestShown = 80;

/**
 * Reads and checks the variables that `ServerSettings` declares, each alone and all together. Never
 * throws.
 */
export function readSettings(environment: Environment): SettingsReading {
  const variables = variablesOf(ServerSettings);
  const settings = new ServerSettings();
  for (const { name, parse } of variables) {
    const text = environment[name];
    if (text !== undefined) Object.assign(settings, { [name]: parse(text) });
  }
  const wrong = new Set(
    validateSync(settings, { forbidUnknownValues: true }).map(({ property }) => property),
  );
  const problems = variables
    .filter(({ name }) => wrong.has(name))
    .map((variable) => sentence(variable, environment[variable.name] ?? ''));
  const together = contradictions(settings, environment['NODE_ENV'] === 'production');
  return {
    settings,
    // A contradiction with an invalid value would only confuse.
    problems: [
      ...problems,
      ...together.filter(({ names }) => !names.some((name) => wrong.has(name))).map(({ text }) => text),
    ],
    warnings: Object.keys(environment).flatMap((name) => unknownWarning(name, variables)),
  };
}

function sentence({ name, allowed, secret }: Variable, text: string): string {
  const bytes = String(Buffer.byteLength(text));
  const shown = secret === true && text !== '' ? `a secret of ${bytes} bytes` : quoted(text);
  return `${name} is ${shown}, but must be ${allowed}; or remove it.`;
}

/** A user name and password in an address are secret as well. */
function quoted(text: string): string {
  if (text === '') return 'empty';
  const open = text.replace(/(\/\/)[^/@]*@/, '$1…@');
  return JSON.stringify(open.length > longestShown ? `${open.slice(0, longestShown)}…` : open);
}

function unknownWarning(name: string, variables: readonly Variable[]): string[] {
  if (!name.startsWith('LIVE_') || variables.some((variable) => variable.name === name)) return [];
  const suggestion = suggestionFor(
    name,
    variables.map((variable) => variable.name),
  );
  const hint = suggestion === undefined ? 'see --help' : `did you mean ${suggestion}?`;
  return [`${name} is not a setting of this server and has no effect: ${hint}`];
}
