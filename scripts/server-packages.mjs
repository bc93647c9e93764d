// Prints what the standalone server needs beside the package, with the versions that the package asks for.
import { readFileSync } from 'node:fs';
import { serverPackages } from '../dist/standalone/packages.js';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const versions = { ...manifest.devDependencies, ...manifest.peerDependencies };
const brokers = ['@redis/client', '@nats-io/transport-node', '@nats-io/jetstream'];
// The newest Nest that is taken, and one version for all of its packages.
const newest = (range) => range.split(' || ').at(-1);
console.log([...serverPackages, ...brokers].map((name) => `${name}@${newest(versions[name])}`).join(' '));
