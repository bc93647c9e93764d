// Makes a Python client of an AsyncAPI document. Its models come from Modelina, because those that
// the generator writes itself have no imports, and read `connection_id` where the message has
// `connectionId`: findings/asyncapi-python-models.sh.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Generator from '@asyncapi/generator';
import { PythonFileGenerator, pythonDefaultPropertyKeyConstraints } from '@asyncapi/modelina';

const [file, folder] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const templateParams = { server: 'live', customClientName: 'FleetClient' };
const client = new Generator('core-template-client-websocket-python', folder, { templateParams });
await client.generateFromString(text);
const asInMessages = pythonDefaultPropertyKeyConstraints({ NAMING_FORMATTER: (name) => name });
const models = new PythonFileGenerator({ constraints: { propertyKey: asInMessages } });
await models.generateToFiles(JSON.parse(text), join(folder, 'asyncapimodels'), {});
