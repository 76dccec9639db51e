import { StepProcess, startSteps } from '@nesgd/core/bench';
import { modelSpec, trainingFlops } from '@nesgd/core/models';
import { inTurn } from './in-turn.js';
import type { BenchPlan, ModelName } from './plan.js';
import type { BenchRow, PeerResult, PopulationRow, Split } from './report.js';
import { median, ratioOf } from './statistics.js';
import { startTorch, type TorchSettings } from './torch.js';

/** Long enough that a step more or less of noise does not matter. */
const SECONDS_A_MEASUREMENT = 2;

/** A row but for the share of the peak, and the peak that was measured beside it. */
export interface MeasuredRow {
  readonly row: Omit<BenchRow, 'peakShare'>;
  readonly matmulGflops: number;
  /** What computed, by its name in `versions`. */
  readonly descriptions: Readonly<Record<string, string>>;
}

/** Training steps of one network, beside the peer's where the plan has one. */
export function measureRow(model: ModelName, plan: BenchPlan): Promise<MeasuredRow> {
  const { threads, torch } = plan;
  const batch = plan.batchOf(model);
  return withProcesses([startOurs(model, plan, threads)], ([trainer]) => {
    const of = { model, plan, batch };
    if (!torch) return measureBeside(trainer!, undefined, undefined, of);
    const settings = { python: torch.python, model, threads, batch, device: deviceOf(trainer!) };
    return withProcesses([startTorch({ ...settings, mode: 'eager' })], async ([peer]) => {
      const compiled = torch.compiled.includes(model) ? await startCompiled(settings) : undefined;
      try {
        return await measureBeside(trainer!, peer, compiled, of);
      } finally {
        if (compiled instanceof StepProcess) await compiled.stop();
      }
    });
  });
}

/** Where a peer has to compute for a fair comparison: where ours does. */
const deviceOf = ({ description }: StepProcess): TorchSettings['device'] =>
  description.includes('(GPU') ? 'cuda' : 'cpu';

async function measureBeside(
  trainer: StepProcess,
  peer: StepProcess | undefined,
  compiled: StepProcess | string | undefined,
  { model, plan, batch }: { model: ModelName; plan: BenchPlan; batch: number },
): Promise<MeasuredRow> {
  const processes = [trainer, peer, compiled].filter((one) => one instanceof StepProcess);
  const steps = await warmUp(processes, plan);
  const rates = await inTurn(
    processes.map((process) => () => rate([process], steps, batch)),
    plan.pairs,
  );
  const imagesPerSecond = median(rates[0]!);
  const ratio = peer && ratioOf(rates[0]!, rates[1]!);
  const result = async (name: string, process: StepProcess, its: number[]): Promise<PeerResult> => ({
    name: `${process.description} (${name})`,
    imagesPerSecond: median(its),
    rssMb: await process.peakMemoryMb(),
  });
  const row: Omit<BenchRow, 'peakShare'> = {
    model,
    engine: plan.engine,
    batch,
    threads: plan.threads,
    imagesPerSecond,
    msPerStep: (1000 * batch) / imagesPerSecond,
    gflops: (imagesPerSecond * trainingFlops(modelSpec(model, [32, 32, 3], 10))) / 1e9,
    // Before the multiplication of matrices, which takes memory of its own.
    rssMb: await trainer.peakMemoryMb(),
    peer: peer ? await result('eager, channels_last', peer, rates[1]!) : null,
    ratio: ratio?.median ?? null,
    ratioRange: ratio?.range ?? null,
    ...(compiled instanceof StepProcess && {
      compiled: {
        ...(await result('torch.compile', compiled, rates[2]!)),
        ratio: ratioOf(rates[0]!, rates[2]!).median,
      },
    }),
    ...(typeof compiled === 'string' && { compiled: { name: 'torch.compile', failed: compiled } }),
  };
  const descriptions = { [plan.engine]: trainer.description, ...(peer && { torch: peer.description }) };
  return { row, matmulGflops: await trainer.matmulGflops(), descriptions };
}

/** @returns why it does not work here, where it does not: that is a finding, and no error. */
async function startCompiled(settings: Omit<TorchSettings, 'mode'>): Promise<StepProcess | string> {
  try {
    return await startTorch({ ...settings, mode: 'compile' });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** All threads divided among workers in the best way, beside one process of the peer's with all of them. */
export async function measurePopulation(model: ModelName, plan: BenchPlan): Promise<PopulationRow> {
  const { threads: total, torch } = plan;
  const batch = plan.batchOf(model);
  const splits: Split[] = [];
  let device: TorchSettings['device'] = 'cpu';
  for (const split of waysToDivide(total)) {
    const imagesPerSecond = await withProcesses(startWorkers(model, plan, split), async (workers) => {
      device = deviceOf(workers[0]!);
      return rate(workers, await warmUp(workers, plan), batch);
    });
    splits.push({ ...split, imagesPerSecond });
  }
  const best = splits.toSorted((a, b) => b.imagesPerSecond - a.imagesPerSecond)[0]!;
  const { workers: count, threads } = best;
  if (!torch) return { model, ...best, peerImagesPerSecond: null, ratio: null, ratioRange: null, splits };

  const peer = startTorch({ python: torch.python, model, threads: total, batch, device, mode: 'eager' });
  return withProcesses([...startWorkers(model, plan, best), peer], async (processes) => {
    const [workers, peers] = [processes.slice(0, count), processes.slice(count)];
    // As long for one as for the other: the workers' steps are those of one of them.
    const [ours, theirs] = [await warmUp(workers, plan), await warmUp(peers, plan)];
    const [many, one] = await inTurn([() => rate(workers, ours, batch), () => rate(peers, theirs, batch)], plan.pairs);
    const { median: ratio, range: ratioRange } = ratioOf(many!, one!);
    const [imagesPerSecond, peerImagesPerSecond] = [median(many!), median(one!)];
    return { model, workers: count, threads, imagesPerSecond, peerImagesPerSecond, ratio, ratioRange, splits };
  });
}

/** Workers of one thread first, one worker of all last. */
function waysToDivide(threads: number): Pick<Split, 'workers' | 'threads'>[] {
  const ways = Array.from({ length: threads }, (_, i) => ({ workers: threads / (i + 1), threads: i + 1 }));
  return ways.filter(({ workers }) => Number.isInteger(workers));
}

const startWorkers = (model: ModelName, plan: BenchPlan, { workers, threads }: Pick<Split, 'workers' | 'threads'>) =>
  Array.from({ length: workers }, () => startOurs(model, plan, threads));

const startOurs = (model: ModelName, { engine, card, batchOf }: BenchPlan, threads: number) =>
  startSteps({ model, engine, ...(card && { device: 'gpu' }), threads, batch: batchOf(model) });

/**
 * Two steps of each process, one process after the other; what they took is thrown away.
 * @returns the steps of a measurement: the plan's, else as many as fill it.
 */
async function warmUp(processes: readonly StepProcess[], plan: BenchPlan): Promise<number> {
  const seconds: number[] = [];
  for (const process of processes) {
    await process.train(1);
    seconds.push(await process.train(1));
  }
  return plan.steps ?? Math.max(1, Math.round(SECONDS_A_MEASUREMENT / Math.max(...seconds)));
}

/** Images per second of all together, each training `steps`. */
async function rate(processes: readonly StepProcess[], steps: number, batch: number): Promise<number> {
  const start = performance.now();
  await Promise.all(processes.map((process) => process.train(steps)));
  return (1000 * processes.length * steps * batch) / (performance.now() - start);
}

/** Stops all that started, whatever happens. @throws what the first that did not start says. */
async function withProcesses<T>(
  starting: readonly Promise<StepProcess>[],
  use: (processes: StepProcess[]) => Promise<T>,
): Promise<T> {
  const outcomes = await Promise.allSettled(starting);
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  try {
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    return await use(started);
  } finally {
    await Promise.all(started.map((process) => process.stop()));
  }
}
