import type { WorkerLog } from '@nesgd/core/view';
import { useEffect, useState } from 'preact/hooks';
import { fetchLogs, RequestError } from '../api/client.js';
import { Loading, Nothing, Problem } from '../ui/states.js';

const REFRESH_MS = 3_000;
/** Reached by keyboard, as only then what is scrolled out of sight can be. */
const SCROLLING = { class: 'scroll log', tabIndex: 0 };

/** The last lines of each worker of this machine, asked for while they may grow. */
export function WorkerLogs({ runId, isRunning }: { runId: string; isRunning: boolean }) {
  const [logs, setLogs] = useState<readonly WorkerLog[]>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let timer: number | undefined;
    let isOver = false;
    const refresh = async () => {
      try {
        const read = await fetchLogs(runId);
        if (isOver) return;
        setLogs(read);
        setProblem(undefined);
      } catch (error) {
        if (isOver) return;
        setProblem(error instanceof RequestError ? error.message : String(error));
      }
      if (isRunning) timer = setTimeout(refresh, REFRESH_MS);
    };
    void refresh();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [runId, isRunning]);
  return (
    <>
      <h2>What workers wrote</h2>
      {problem && <Problem>{problem}</Problem>}
      {!logs && !problem && <Loading what="their logs" />}
      {logs?.length === 0 && <Nothing>No worker of this machine wrote anything.</Nothing>}
      {logs?.map(({ name, lines }) => (
        <section key={name} aria-label={`Log ${name}`}>
          <h3>{name}</h3>
          {lines.length === 0 ? <Nothing>It is empty.</Nothing> : <pre {...SCROLLING}>{lines.join('\n')}</pre>}
        </section>
      ))}
    </>
  );
}
