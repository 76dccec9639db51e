import { InputError } from '@nesgd/core/errors';
import { PROTOCOL_VERSION } from '@nesgd/core/protocol';
import { describe, expect, it } from 'vitest';
import { parseJob } from './parse-job.js';
import { RefusedJobError } from './refused-job-error.js';

describe('parseJob', () => {
  it.each([PROTOCOL_VERSION + 1, PROTOCOL_VERSION + 7, 0])(
    'leaves a job of protocol version %d to a worker that speaks it, and says both versions',
    (version) => {
      const parse = () => parseJob({ version, kind: 'something new' });
      expect(parse).toThrow(RefusedJobError);
      expect(parse).toThrow(`of protocol version ${version}, this worker speaks ${PROTOCOL_VERSION}`);
    },
  );

  it.each([
    null,
    'job',
    {},
    { version: '2' },
    { version: -1 },
    { version: PROTOCOL_VERSION },
    { version: PROTOCOL_VERSION, kind: 'alpha' },
  ])('what nobody could do fails for good: %j', (data) => {
    expect(() => parseJob(data)).toThrow(InputError);
  });
});
