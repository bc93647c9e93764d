#!/usr/bin/env node
import { missingPackages, missingText } from './standalone/packages.js';

const missing = missingPackages();
if (missing.length > 0) {
  process.stderr.write(missingText(missing));
  process.exit(1);
}
await import('reflect-metadata');
const { runServer } = await import('./standalone/run-server.js');
await runServer(process.argv.slice(2), process.env);
