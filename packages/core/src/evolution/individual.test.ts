import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maskFromString, maskToString } from './individual.js';

test('maskToString and maskFromString: each undoes the other', () => {
  expect(maskToString([1, 0, 1])).toBe('101');
  const masks = fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: 1 });
  fc.assert(
    fc.property(masks, (mask) => {
      expect(maskFromString(maskToString(mask))).toEqual(mask);
    }),
  );
});

test.each(['', '102', '10 ', '10\n'])('maskFromString: refuses %j', (text) => {
  expect(() => maskFromString(text)).toThrow(`a mask is a string of 0 and 1, got ${JSON.stringify(text)}`);
});
