export { processorHasBfloat16 } from './bfloat16.js';
export { type CardPlace, cardPlaces, placeEnvironment } from './card-places.js';
export { type Card, type CardSearch, cardIsPresent, visibleCards } from './cards.js';
export { usableCores } from './cores.js';
export { healthFiles, healthFilesOfSeveral, removeOtherHealthFiles } from './health-files.js';
export { spareMemoryBytes } from './memory.js';
export { computedOn, processorKind } from './processor.js';
