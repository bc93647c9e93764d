import 'reflect-metadata';
import { runServer } from './server/run-server.js';

await runServer(process.argv.slice(2), process.env);
