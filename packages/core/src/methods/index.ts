export { evolvesMasks, METHOD_NAMES, type MethodName, searchesMasks, usesAlpha } from './method-names.js';
export { METHOD_WORDS, type MethodWords } from './method-words.js';
