import { type Command, Option } from 'commander';
import { onStopSignal, print } from '../commands/attended.js';
import type { ExportOptions } from '../commands/export.js';
import { EXPORT_FORMATS } from '../commands/export-formats.js';
import type { PredictOptions } from '../commands/predict.js';
import type { ReportOptions } from '../commands/report.js';
import type { ServeOptions } from '../commands/serve.js';
import { status } from '../commands/status.js';
import { watchStatus } from '../commands/status-watch.js';
import type { CoordinatorConfig } from '../config.js';
import { DEFAULT_SERVE_PORT } from '../serve/serve-address.js';
import { engine, json, port, runs, wholeNumber } from './flags.js';

const which = () =>
  new Option('--which <network>', 'best: the winner, before the end the leader so far; alpha: where the search began')
    .choices(['best', 'alpha'])
    .default('best');

/**
 * The commands that show, or use, what runs have left. Each loads what it takes when called: a report's plots alone
 * take longer than all else.
 */
export function readingCommands(program: Command, config: CoordinatorConfig): void {
  program
    .command('status')
    .description('list the runs, or show one')
    .argument('[run-id]', 'the run to show')
    .addOption(runs())
    .addOption(json())
    .option('--watch', 'show it again whenever it changes, until the run ends or Ctrl-C', false)
    .action(async (runId: string | undefined, options: { runs: string; json: boolean; watch: boolean }) => {
      const shown = { runsFolder: options.runs, json: options.json, stdout: process.stdout, ...(runId && { runId }) };
      if (!options.watch) {
        process.exitCode = await status(shown);
        return;
      }
      const stop = new AbortController();
      onStopSignal(() => stop.abort());
      await watchStatus({ ...shown, signal: stop.signal });
    });

  program
    .command('export')
    .description("write a run's network for use elsewhere (docs/using-results.md), also while the run goes on")
    .argument('<run-id>', 'the run')
    .addOption(which())
    .addOption(
      new Option(
        '--format <name>',
        'safetensors: for PyTorch and Python; tfjs: for the browser (tf.loadGraphModel) (default: these two); tensorboard: event files of all curves',
      ).choices(EXPORT_FORMATS),
    )
    .option('--out <dir>', "where to (default: export in the run's folder)")
    .addOption(runs())
    .addOption(json())
    .action(async (runId: string, options: ExportOptions & { json: boolean }) => {
      const { exportLines, exportRun } = await import('../commands/export.js');
      const summary = await exportRun(runId, options, config);
      print(options.json ? [JSON.stringify(summary)] : exportLines(summary));
    });

  program
    .command('predict')
    .description("say what a run's network takes images for")
    .argument('<run-id>', 'the run')
    .argument('<image...>', 'image files of any size (JPEG, PNG, WebP, ...)')
    .addOption(which())
    .addOption(
      new Option('--top <k>', 'classes to name for each image, the likeliest first')
        .argParser((text) => wholeNumber(text, 1, 65536))
        .default(5),
    )
    .addOption(engine())
    .addOption(runs())
    .addOption(json())
    .action(async (runId: string, images: string[], options: PredictOptions & { json: boolean }) => {
      const { predict, predictionLines } = await import('../commands/predict.js');
      const summary = await predict(runId, images, options, config);
      print(options.json ? [JSON.stringify(summary)] : predictionLines(summary));
    });

  program
    .command('serve')
    .description('show the runs of a folder in a browser, those that go on as they go on')
    .addOption(runs())
    .addOption(port('--port <n>', `where to listen (default: ${DEFAULT_SERVE_PORT})`))
    .addOption(
      new Option('--host <address>', 'beyond 127.0.0.1 it wants NESGD_SECRET, which people log in with').default(
        '127.0.0.1',
      ),
    )
    .addOption(json())
    .action(async (options: ServeOptions) => {
      const stop = new AbortController();
      onStopSignal(() => stop.abort());
      const { serve } = await import('../commands/serve.js');
      await serve(options, config, stop.signal);
    });

  program
    .command('report')
    .description(
      "write what runs measured as one HTML page: figures, masks, costs, the paper's tables; finished runs or not",
    )
    .argument('<run-id...>', 'the runs')
    .option('--out <file>', "the page (default: report.html in the run's folder, for several runs here)")
    .option('--markdown <file>', 'the same as Markdown, with the figures of --svg or --png')
    .option('--svg <dir>', 'each figure as an SVG file')
    .option('--png <dir>', 'each figure as a PNG file')
    .addOption(runs())
    .addOption(json())
    .action(async (runIds: string[], options: ReportOptions & { json: boolean }) => {
      const { report } = await import('../commands/report.js');
      const summary = await report(runIds, options);
      print(options.json ? [JSON.stringify(summary)] : summary.files);
    });
}
