// `npm run api` writes docs/api/*.api.md, one report for each public entry, from the built declarations. With `--check` it
// writes nothing, and exits with 1 if a report would change. Either way it fails for a public symbol without a comment, and for
// a type in a public signature that no entry exports.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const reports = join(root, 'docs/api');
const made = mkdtempSync(join(tmpdir(), 'nestjs-live-api-'));
const { exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const configs = Object.entries(entries)
  .filter(([, entry]) => typeof entry !== 'string')
  .map(([name, entry]) =>
    ExtractorConfig.prepare({
      configObjectFullPath: join(root, 'api-extractor.json'),
      packageJsonFullPath: join(root, 'package.json'),
      configObject: {
        projectFolder: root,
        mainEntryPointFilePath: join(root, entry.import.types),
        newlineKind: 'lf',
        compiler: { tsconfigFilePath: join(root, 'tsconfig.build.json') },
        apiReport: {
          enabled: true,
          reportFileName: name === '.' ? 'nestjs-live' : name.slice(2).replaceAll('/', '-'),
          reportFolder: made,
          reportTempFolder: made,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          extractorMessageReporting: {
            default: { logLevel: 'error' },
            // All that an entry exports is public.
            'ae-missing-release-tag': { logLevel: 'none' },
          },
          tsdocMessageReporting: { default: { logLevel: 'error' } },
        },
      },
    }),
  );

const compilerState = CompilerState.create(configs[0], {
  additionalEntryPoints: configs.map((config) => config.mainEntryPointFilePath),
});
const { program } = compilerState;
const checker = program.getTypeChecker();
const exported = new Set(
  configs.flatMap(({ mainEntryPointFilePath }) => {
    const entry = checker.getSymbolAtLocation(program.getSourceFile(mainEntryPointFilePath));
    return checker.getExportsOfModule(entry).map(({ name }) => name);
  }),
);
// Nest makes it: a class with `forRoot` and `forRootAsync`.
exported.add('ConfigurableModuleClass');

/** Whether another entry exports the type, so that users can name it. */
const isExportedElsewhere = ({ text }) => exported.has(/The symbol "(\w+)"/.exec(text)?.[1]);

/** Whether the member has the comment of the interface or class that it implements, as editors show it. */
function isInherited({ sourceFilePath, sourceFileLine, sourceFileColumn }) {
  const file = program.getSourceFile(sourceFilePath);
  const at = file.getPositionOfLineAndCharacter(sourceFileLine - 1, sourceFileColumn - 1);
  const find = (node) =>
    node.getStart(file) === at && ts.isClassElement(node) ? node : ts.forEachChild(node, find);
  const member = find(file);
  const symbol = member?.name && checker.getSymbolAtLocation(member.name);
  return symbol !== undefined && symbol.getDocumentationComment(checker).length > 0;
}

let failed = false;
for (const config of configs) {
  const { succeeded } = Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    messageCallback(message) {
      const { messageId, logLevel } = message;
      const isFine =
        logLevel === 'info' ||
        logLevel === 'verbose' ||
        messageId === 'console-api-report-created' ||
        (messageId === 'ae-forgotten-export' && isExportedElsewhere(message)) ||
        (messageId === 'ae-undocumented' && isInherited(message));
      if (isFine) message.logLevel = 'none';
    },
  });
  failed ||= !succeeded;
}

const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
for (const name of new Set([...readdirSync(made), ...readdirSync(reports)])) {
  const file = join(reports, name);
  // What is left of these inherits its comment, or an error above names it.
  const report = read(join(made, name)).replaceAll(/^ *\/\/ \(undocumented\)\n/gm, '');
  if (report === read(file)) continue;
  console.error(`docs/api/${name} ${check ? 'would change' : 'has changed'}.`);
  failed ||= check;
  if (check) continue;
  if (report === '') rmSync(file);
  else writeFileSync(file, report);
}
rmSync(made, { recursive: true, force: true });
if (failed) {
  console.error('If the change of a report is intended, run: npm run api');
  process.exitCode = 1;
}
