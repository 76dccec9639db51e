/** How a network is optimised: NE-SGD, or one of its rivals. docs/methods.md has their formulas and sources. */
export const METHOD_NAMES = ['ne-sgd', 'random-masks', 'sgd', 'sgd-restarts', 'esgd', 'pbt'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];

/** Methods that begin with the alpha checkpoint, and are charged for it. */
export function usesAlpha(name: MethodName): boolean {
  return searchesMasks(name) || name === 'sgd-restarts';
}

/** Methods whose individuals are masks: their facts are generations. The others' are steps. */
export function searchesMasks(name: MethodName): boolean {
  return name === 'ne-sgd' || name === 'random-masks';
}

/** Methods whose masks have parents, and of which similar ones are suppressed. */
export function evolvesMasks(name: MethodName): boolean {
  return name === 'ne-sgd';
}
