export {
  type Artifact,
  artifactOfRoute,
  artifactPath,
  artifactRoute,
  artifactsOf,
  incomingFolder,
  lastUsePath,
} from './artifact.js';
export { IncomingFile, sweepIncoming } from './incoming-file.js';
