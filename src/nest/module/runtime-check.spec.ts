import { describe, expect, it } from 'vitest';
import { checkRuntime } from './runtime-check.js';

describe('checkRuntime', () => {
  it('checkRuntime has no message for any version of Node', () => {
    expect(checkRuntime({}, { node: '20.19.0' })).toBeUndefined();
    expect(checkRuntime({}, { node: '26.12.1' })).toBeUndefined();
  });

  it('checkRuntime rejects Bun, and says what fails there and what to do', () => {
    expect(() => checkRuntime({}, { node: '24.3.0', bun: '1.4.5' })).toThrow(
      'LiveModule: the server does not start on Bun 1.4.5, where a reader that was slow once gets nothing more, and two ' +
        'limits are missing. Start it with node; the client works on Bun. dangerouslyAllowBun: true starts it nevertheless.',
    );
  });

  it('checkRuntime names the danger of Bun if it is allowed', () => {
    expect(checkRuntime({ dangerouslyAllowBun: true }, { node: '24.3.0', bun: '1.4.5' })).toContain(
      'dangerouslyAllowBun: ',
    );
  });

  it('checkRuntime says that the server is not tested on Deno', () => {
    expect(checkRuntime({}, { node: '24.2.0', deno: '2.9.6' })).toContain('this is Deno 2.9.6');
  });
});
