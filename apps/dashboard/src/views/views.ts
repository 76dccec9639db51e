import type { ComponentType } from 'preact';
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
  /** Shown only of methods that search masks. */
  readonly ofMasks?: boolean;
}

export const VIEWS: readonly RunView[] = [
  { path: 'overview', title: 'Overview', View: Overview },
  { path: 'convergence', title: 'Convergence', View: Convergence },
  { path: 'fitness', title: 'Fitness', View: Fitness, ofMasks: true },
  { path: 'masks', title: 'Masks', View: Masks, ofMasks: true },
  { path: 'clusters', title: 'Clusters', View: Clusters, ofMasks: true },
  { path: 'lineage', title: 'Lineage', View: Lineage, ofMasks: true },
  { path: 'blocks', title: 'Blocks', View: Blocks, ofMasks: true },
  { path: 'work', title: 'Workers and queue', View: Work },
  { path: 'settings', title: 'Settings', View: Settings },
  { path: 'log', title: 'Log', View: Log },
];
