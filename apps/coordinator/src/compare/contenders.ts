import { InputError } from '@nesgd/core/errors';
import { METHOD_NAMES, type MethodName } from '@nesgd/core/methods';
import type { Runtime } from '@nesgd/core/protocol';
import { type Experiment, parseExperiment } from '@nesgd/core/run';
import { sha256OfJson } from '@nesgd/core/storage';

/** NE-SGD without Algorithm 2 is a method of its own here: Table V asks what it adds. */
export const CONTENDER_NAMES = ['ne-sgd', 'ne-sgd-without-suppression', ...METHOD_NAMES.slice(1)] as const;

/** One competitor of a comparison: what it is called and what it runs, but for the seed. */
export interface Contender {
  readonly name: string;
  readonly experiment: Experiment;
}

/**
 * Every method that is named, in every file; where none is named, all of them in a single file, and of several files each
 * its own.
 * @param methods the text of `--methods`.
 * @throws InputError for fitness on test, a method that is none, and two that are called alike.
 */
export function contendersOf(
  experiments: readonly Experiment[],
  methods: string | undefined,
  budget: number,
): Contender[] {
  for (const experiment of experiments) refuseTestFitness(experiment);
  const names = methods === undefined ? undefined : namesIn(methods);
  const alone = experiments.length === 1;
  const contenders = experiments.flatMap((experiment) => {
    const own = alone ? CONTENDER_NAMES : [ownName(experiment)];
    return (names ?? own).map((name) => ({
      name: alone ? name : names ? `${experiment.name}/${name}` : experiment.name,
      experiment: checked({ ...withMethod(experiment, name), budget }, name),
    }));
  });
  const twice = contenders.find(({ name }, i) => contenders.findIndex((other) => other.name === name) !== i);
  if (twice) {
    throw new InputError(
      'COMPARE',
      `two of the experiments are called ${twice.name}: their "name" must tell them apart`,
    );
  }
  return contenders;
}

/** Methods that choose by the test set, some among many more networks than others, have no accuracy left to be compared by. */
function refuseTestFitness({ name, fitness, dataset }: Experiment): void {
  if (fitness !== 'test') return;
  const fraction = dataset.validationFraction > 0 ? '' : ' --set dataset.validationFraction=0.1';
  throw new InputError(
    'COMPARE',
    `${name}: fitness is test, so every method would choose by the test set that it is then compared by: give fitness: validation with a dataset.validationFraction above 0 (--set fitness=validation${fraction})`,
  );
}

function namesIn(text: string): string[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  const wrong = names.find((name) => !(CONTENDER_NAMES as readonly string[]).includes(name));
  if (wrong === undefined) return names;
  throw new InputError(
    'METHODS_FLAG',
    `--methods ${text}: ${JSON.stringify(wrong)} is none of ${CONTENDER_NAMES.join(', ')}`,
  );
}

function ownName({ method, evolution }: Experiment): string {
  return method.name === 'ne-sgd' && !evolution.suppression ? 'ne-sgd-without-suppression' : method.name;
}

function withMethod(experiment: Experiment, name: string): Experiment {
  const { evolution, method } = experiment;
  const suppression = name === 'ne-sgd' ? true : name === 'ne-sgd-without-suppression' ? false : evolution.suppression;
  const methodName = (name === 'ne-sgd-without-suppression' ? 'ne-sgd' : name) as MethodName;
  return { ...experiment, evolution: { ...evolution, suppression }, method: { ...method, name: methodName } };
}

/** A file for one method may lack what another goes by. @throws InputError */
function checked(experiment: Experiment, method: string): Experiment {
  return parseExperiment(experiment, `${experiment.name} with method ${method}`);
}

/** The run of one contender and seed. The same comparison asked for again finds it; any other setting is another run. */
export function comparedRunId(contender: Contender, runtime: Runtime): string {
  const { name, experiment } = contender;
  const readable = `${experiment.name.slice(0, 30)}-${name.split('/').at(-1)!.slice(0, 30)}`;
  return `compare-${readable}${endOfRunId(contender, runtime)}`;
}

/**
 * The run that an earlier comparison left. There the contender may have been called otherwise: one method of a file that
 * was compared alone, the experiment's name beside other files. What it ran is the same.
 */
export function earlierRunId(runIds: readonly string[], contender: Contender, runtime: Runtime): string | undefined {
  const end = endOfRunId(contender, runtime);
  return runIds.find((id) => id.startsWith('compare-') && id.endsWith(end));
}

function endOfRunId({ experiment }: Contender, runtime: Runtime): string {
  return `-s${experiment.seed}-${sha256OfJson({ experiment, runtime }).slice(0, 10)}`;
}
