import type { Overrides } from '@nesgd/core/run';

/** What flags of the command line set in an experiment. */
export function overridesFrom({
  set,
  data,
  device,
}: {
  readonly set: readonly string[];
  readonly data?: string;
  readonly device?: string;
}): Overrides {
  return { set, ...(data !== undefined && { dataPath: data }), ...(device !== undefined && { device }) };
}
