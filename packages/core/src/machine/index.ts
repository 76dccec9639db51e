export { processorHasBfloat16 } from './bfloat16.js';
export { usableCores } from './cores.js';
export { spareMemoryBytes } from './memory.js';
