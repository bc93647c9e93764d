#!/usr/bin/env node
import 'reflect-metadata';
import { runServer } from './standalone/run-server.js';

await runServer(process.argv.slice(2), process.env);
