/** Environment of a process that trains, beside its parent's: the libraries read it once, when they load. */
export function trainerEnvironment(threads: number): Record<string, string> {
  return {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    OMP_NUM_THREADS: String(threads),
    TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? '2',
  };
}
