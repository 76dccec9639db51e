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

export const VIEWS: readonly { path: string; title: string; View: ComponentType<ViewProps> }[] = [
  { path: 'overview', title: 'Overview', View: Overview },
  { path: 'convergence', title: 'Convergence', View: Convergence },
  { path: 'fitness', title: 'Fitness', View: Fitness },
  { path: 'masks', title: 'Masks', View: Masks },
  { path: 'clusters', title: 'Clusters', View: Clusters },
  { path: 'lineage', title: 'Lineage', View: Lineage },
  { path: 'blocks', title: 'Blocks', View: Blocks },
  { path: 'work', title: 'Workers and queue', View: Work },
  { path: 'settings', title: 'Settings', View: Settings },
  { path: 'log', title: 'Log', View: Log },
];
