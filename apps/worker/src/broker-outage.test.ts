import { describe, expect, it } from 'vitest';
import { BrokerOutage, isConnectionFault } from './broker-outage.js';

const refused = Object.assign(new Error(''), { code: 'ECONNREFUSED' });

describe('BrokerOutage', () => {
  it('tells of an outage once, reminds of it ever more rarely, and tells of its end', () => {
    const said: [number, string, object][] = [];
    let second = 0;
    const say = (fields: object, text: string) => said.push([second, text, fields]);
    const outage = new BrokerOutage({ warn: say, info: say } as never, () => second * 1000);
    for (; second < 600; second += 2) outage.failed(refused);
    outage.over();
    outage.over();
    expect(said).toEqual([
      [0, 'the broker cannot be reached; trying until it can', { error: 'ECONNREFUSED' }],
      ...[30, 60, 120, 240, 480].map((at) => [
        at,
        'the broker still cannot be reached',
        { error: 'ECONNREFUSED', seconds: at },
      ]),
      [600, 'the broker can be reached again', { seconds: 600 }],
    ]);
    outage.failed(refused);
    expect(said).toHaveLength(8);
  });
});

it.each([
  [refused, true],
  [new Error('Connection is closed.'), true],
  [new Error('Missing lock for job 3. moveToFinished'), false],
])('isConnectionFault: %o is %s', (error, wanted) => {
  expect(isConnectionFault(error)).toBe(wanted);
});
