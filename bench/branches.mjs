/**
 * Which branch an engine takes at each kink: what passes a ReLU, and which value of a window is the largest. Read by
 * bench/peers/branches.py.
 */

/**
 * An engine that does what `engine` does, and tells of each ReLU and max pooling, in the order of the calls.
 * @param tell gets `(kind, bytes)`: of 'relu', for each value whether it passed, as bits from the highest down; of 'pool',
 *   for each window the position of the first largest value in its plane, as int32. Channels-last, as the engine has them.
 */
export function tellingBranches(engine, tell) {
  const relu = (tensor) => tell('relu', passedBits(engine.read(tensor)));
  const telling = (name, has) => ({
    [name]: (...args) => {
      const result = engine[name](...args);
      if (has(...args)) relu(result.y ?? result);
      return result;
    },
  });
  return {
    ...engine,
    ...telling('batchNormTrain', (_x, _norm, options) => options.relu),
    ...telling('add', (_a, _b, options) => options?.relu),
    ...telling('addBias', (_x, _bias, options) => options?.relu),
    ...telling('concat', (_inputs, options) => options?.relu),
    maxPool: (x, geometry) => {
      const y = engine.maxPool(x, geometry);
      tell('pool', positions(engine.read(x), x.shape, engine.read(y), y.shape, geometry));
      return y;
    },
  };
}

function passedBits(values) {
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  for (const [i, value] of values.entries()) if (value > 0) bits[i >> 3] |= 0x80 >> (i & 7);
  return bits;
}

function positions(x, [, h, w, c], y, [n, hOut, wOut], { kernel, stride, padding }) {
  const found = new Int32Array(n * hOut * wOut * c);
  let to = 0;
  for (let image = 0; image < n; image++) {
    for (let row = 0; row < hOut; row++) {
      for (let column = 0; column < wOut; column++) {
        for (let channel = 0; channel < c; channel++, to++) found[to] = first(image, row, column, channel, y[to]);
      }
    }
  }
  return new Uint8Array(found.buffer);

  function first(image, row, column, channel, largest) {
    for (let i = 0; i < kernel; i++) {
      for (let j = 0; j < kernel; j++) {
        const [r, s] = [row * stride + i - padding, column * stride + j - padding];
        const inside = r >= 0 && r < h && s >= 0 && s < w;
        if (inside && x[((image * h + r) * w + s) * c + channel] === largest) return r * w + s;
      }
    }
    throw new Error(`a window has no value ${largest}, which its pool gave`);
  }
}
