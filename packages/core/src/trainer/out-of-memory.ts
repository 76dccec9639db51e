import { NesgdError } from '../errors.js';

/** What TensorFlow, CUDA, cuDNN and cuBLAS say; 8 is RESOURCE_EXHAUSTED. */
const OUT_OF_MEMORY =
  /Invalid TF_Status: 8\b|OOM when allocating|RESOURCE_EXHAUSTED|CUDA_ERROR_OUT_OF_MEMORY|CU(DNN|BLAS)_STATUS_ALLOC_FAILED/;
const OF_A_CARD = /device:GPU|GPU_\d|CUDA|CUDNN|CUBLAS/;

export const saysOutOfMemory = (text: string): boolean => OUT_OF_MEMORY.test(text);

/**
 * A training for which a device has too little memory. All trainings of a run need the same, so no other attempt on a
 * device of this size would fare better, and no individual is to blame (decision 0237).
 */
export function outOfMemory(said: string): NesgdError {
  const words = said.replace(/Invalid TF_Status: 8\s*(Message: )?/, '').split('\n', 1)[0];
  const where = OF_A_CARD.test(said) ? 'the card' : 'this machine';
  const fewer = OF_A_CARD.test(said) ? 'trainers on a card (--workers-per-device)' : 'workers (--workers)';
  const advice = `start a run with a smaller alpha.batchSize and retrain.batchSize, or give fewer ${fewer}`;
  return new NesgdError('OUT_OF_MEMORY', `a training does not fit into the memory of ${where} (${words}): ${advice}`);
}
