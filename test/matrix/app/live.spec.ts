// Run by Jest as `nest new` of Nest 11 sets it up: CommonJS, ts-jest, node_modules untransformed;
// and by Vitest as that of Nest 12 does.
import { Test } from '@nestjs/testing';
import { AppModule } from './app.module.js';
import { drive } from './drive.js';

it('an application with live topics can be tested with the runner of nest new', async () => {
  const moduleRef = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app = moduleRef.createNestApplication();
  await app.init();
  expect(await drive(app)).toContain('refused 401, event 1, hello ann, closed 1001');
});
