import type { ComponentType } from 'preact';
import { Convergence } from './convergence.js';
import { Overview } from './overview.js';
import type { ViewProps } from './view-props.js';

export const VIEWS: readonly { path: string; title: string; View: ComponentType<ViewProps> }[] = [
  { path: 'overview', title: 'Overview', View: Overview },
  { path: 'convergence', title: 'Convergence', View: Convergence },
];
