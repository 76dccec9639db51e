#!/usr/bin/env node
/**
 * Every network at its full size, with random weights, exported both ways: the logits of our engine, and of the
 * TensorFlow.js bundle in Chromium, beside PyTorch's of the same safetensors file.
 *
 *   node test/oracle/exported_networks.mjs OUT [NETWORK...]     writes OUT, compares engine and browser
 *   VENV/bin/python test/oracle/exported_networks.py OUT        compares with PyTorch
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { writeCheckpoint } from '@nesgd/core/checkpoint';
import { graphModelFiles } from '@nesgd/core/export';
import { modelSpec } from '@nesgd/core/models';
import { availableEngines, initialWeights, Network } from '@nesgd/core/training';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const ALL = [
  'resnet20',
  'resnet32',
  'resnet18',
  'resnet34',
  'densenet100',
  'densenet121',
  'dpn92',
  'nin',
  'fractalnet',
];
const [out, ...names] = process.argv.slice(2);
const SHAPE = [2, 32, 32, 3];
const MEAN = [0.49, 0.48, 0.45];
const STD = [0.25, 0.24, 0.26];
const bytes = Uint8Array.from({ length: SHAPE.reduce((a, b) => a * b) }, (_, i) => (i * 7919 + (i >> 3)) % 256);
const normalised = Float32Array.from(bytes, (byte, i) => (byte / 255 - MEAN[i % 3]) / STD[i % 3]);

/** Statistics that a training would have moved: they must not pass for the defaults. */
function weightsOf(spec) {
  return new Map(
    [...initialWeights(spec, [1, 'exported networks'])].map(([name, values]) => [
      name,
      name.endsWith('running_mean')
        ? values.map((_, i) => 0.05 * Math.sin(i))
        : name.endsWith('running_var')
          ? values.map((_, i) => 1 + 0.2 * Math.cos(i))
          : values,
    ]),
  );
}

const difference = (got, wanted) => {
  const largest = Math.max(...wanted.map(Math.abs));
  return Math.max(...got.map((value, i) => Math.abs(value - wanted[i]))) / largest;
};

await mkdir(out, { recursive: true });
await writeFile(join(out, 'images.json'), JSON.stringify({ shape: SHAPE, values: [...normalised] }));
const [engine] = await availableEngines();
const bundle = await readFile(require.resolve('@tensorflow/tfjs/dist/tf.min.js'));
const files = new Map([
  ['/index.html', Buffer.from('<!doctype html><script src="/tf.min.js"></script>')],
  ['/tf.min.js', bundle],
]);
const server = createServer((request, response) => {
  const type = request.url.endsWith('.html') ? 'text/html' : 'application/octet-stream';
  const file = files.get(request.url);
  response.writeHead(file ? 200 : 404, { 'content-type': type }).end(file);
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const browser = await chromium.launch({
  executablePath: process.env.NESGD_CHROMIUM ?? '/usr/bin/chromium',
  chromiumSandbox: process.getuid() !== 0,
});
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/index.html`);

const logits = {};
for (const name of names.length > 0 ? names : ALL) {
  const spec = modelSpec(name, SHAPE.slice(1), 10);
  const weights = weightsOf(spec);
  await writeFile(join(out, `${name}.safetensors`), writeCheckpoint(spec, weights));
  const network = new Network(engine, spec);
  network.load(weights);
  const output = network.logits(engine.tensor(normalised, SHAPE));
  logits[name] = [...engine.read(output)];
  network.dispose();

  for (const [path, content] of graphModelFiles({ spec, weights, normalisation: { mean: MEAN, std: STD } }, {})) {
    files.set(`/${name}/${path}`, content);
  }
  const started = performance.now();
  const inBrowser = await page.evaluate(
    async ({ url, values, shape }) => {
      const { tf } = globalThis;
      await tf.setBackend('cpu');
      const model = await tf.loadGraphModel(url);
      const got = [...(await model.execute(tf.tensor(values, shape), 'logits').data())];
      model.dispose();
      return got;
    },
    { url: `/${name}/model.json`, values: [...bytes], shape: SHAPE },
  );
  for (const path of [...files.keys()]) if (path.startsWith(`/${name}/`)) files.delete(path);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const apart = difference(inBrowser, logits[name]);
  console.log(`${name}: browser against ${engine.name} ${apart.toExponential(1)} (${seconds} s)`);
  if (!(apart < 2e-5)) process.exitCode = 1;
  await writeFile(join(out, 'logits.json'), JSON.stringify(logits));
}
await browser.close();
server.close();
