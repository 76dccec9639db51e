import { afterAll, beforeAll, expect, it } from 'vitest';
import { MAIN, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

let workplace: Workplace;
let large: string;

beforeAll(async () => {
  workplace = await Workplace.create();
  large = await writeExperiment(
    `${workplace.folder}/large.yaml`,
    tinyExperiment({ model: { name: 'densenet100' }, alpha: { epochs: 1, learningRate: 0.1, batchSize: 480 } }),
  );
});
afterAll(() => workplace.destroy());

/** The training wants 40 GB. Without the flag each WebAssembly module of Node's takes 8 GiB of addresses. */
const WITH_LESS = `NODE_OPTIONS=--disable-wasm-trap-handler sh -c 'ulimit -v 3600000; exec "$@"' sh`;

it.each(['local', 'auto'])(
  'a training that does not fit into memory is not tried again, and the run ends with what would help (broker %s)',
  async (broker) => {
    const words = `run ${large} --broker ${broker} --workers 1 --engine tensorflow --json`;
    const cli = workplace.paste(`env ${WITH_LESS} ${process.execPath} ${MAIN} ${words}`);
    expect(await cli.exited).toEqual({ code: 1, signal: null });
    expect(cli.stderr).toMatch(
      /nesgd: a training does not fit into the memory of this machine \(OOM when allocating .*smaller alpha\.batchSize/,
    );
    expect(cli.stderr).not.toContain('retry');
  },
);
