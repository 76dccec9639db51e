export {
  type Artifact,
  artifactOfRoute,
  artifactPath,
  artifactRoute,
  artifactsOf,
  incomingFolder,
  lastUsePath,
  snapshotOfRoute,
  snapshotRoute,
  stateOfRoute,
  stateRoute,
} from './artifact.js';
export { IncomingFile, sweepIncoming } from './incoming-file.js';
