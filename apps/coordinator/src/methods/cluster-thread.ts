import { parentPort, workerData } from 'node:worker_threads';
import { type ClusterPool, cluster } from '@nesgd/core/evolution';

/** A thread that clusters one pool, see `clusterBeside`. */
const clusters = cluster(...(workerData as Parameters<ClusterPool>));
parentPort?.postMessage(clusters, [clusters.buffer as ArrayBuffer]);
