import { simCommand } from './command.js';

process.exitCode = await simCommand(process.argv.slice(2), (text) => console.log(text));
