export const converterMissing = (name: string, what: string, cause: unknown): Error =>
  new Error(`LiveAsyncApi: the JSON Schema of ${what} needs the package ${name}. Install it: npm i ${name}`, {
    cause,
  });

export const noConverter = (what: string, cause: unknown): Error =>
  new Error(
    `LiveAsyncApi: ${what} cannot be described as JSON Schema: ${cause instanceof Error ? cause.message : String(cause)}. ` +
      'zod from 4.2, arktype from 2.1.28, valibot, and classes of class-validator can be described.',
    { cause },
  );

export const missingInfo = (field: string): Error =>
  new Error(
    `LiveAsyncApi: info.${field} is missing. Write LiveAsyncApiModule.forRoot({ info: { title: 'Fleet', version: '1.0.0' } }).`,
  );

export const wrongUrl = (url: unknown): Error =>
  new Error(
    `LiveAsyncApi: url is ${JSON.stringify(url)}. Write where clients connect, such as 'wss://live.example.com/live'.`,
  );
