import type { ComponentType } from 'preact';
import { runWords } from '../model/method-words.js';
import type { RunModel } from '../model/run-model.js';
import { Blocks } from './blocks.js';
import { Clusters } from './clusters.js';
import { Convergence } from './convergence.js';
import { Fitness } from './fitness.js';
import { Lineage } from './lineage.js';
import { Log } from './log.js';
import { Masks } from './masks.js';
import { Overview } from './overview.js';
import { Settings } from './settings.js';
import type { ViewProps } from './view-props.js';
import { Work } from './work.js';

export interface RunView {
  readonly path: string;
  readonly title: string;
  readonly View: ComponentType<ViewProps>;
  /** Shown only of methods that search masks, or that have these evolve. */
  readonly of?: 'masks' | 'evolution';
}

const VIEWS: readonly RunView[] = [
  { path: 'overview', title: 'Overview', View: Overview },
  { path: 'convergence', title: 'Convergence', View: Convergence },
  { path: 'fitness', title: 'Fitness', View: Fitness },
  { path: 'masks', title: 'Masks', View: Masks, of: 'masks' },
  { path: 'clusters', title: 'Clusters', View: Clusters, of: 'evolution' },
  { path: 'lineage', title: 'Lineage', View: Lineage, of: 'evolution' },
  { path: 'blocks', title: 'Blocks', View: Blocks, of: 'masks' },
  { path: 'work', title: 'Workers and queue', View: Work },
  { path: 'settings', title: 'Settings', View: Settings },
  { path: 'log', title: 'Log', View: Log },
];

/** Those that have something to show of the run's method. */
export function viewsOf({ opened, searchesMasks }: RunModel): readonly RunView[] {
  const evolves = opened !== undefined && runWords(opened.experiment).evolvesMasks;
  return VIEWS.filter((view) => view.of === undefined || (view.of === 'masks' ? searchesMasks : evolves));
}
