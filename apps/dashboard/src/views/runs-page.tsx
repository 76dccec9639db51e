import type { ListedSoon } from '@nesgd/core/view';
import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { fetchRuns } from '../api/client.js';
import { usePolled } from '../api/use-polled.js';
import { formatAccuracy, formatTime } from '../model/format.js';
import { Loading, Nothing, Problem, StateMark } from '../ui/states.js';
import { Table } from '../ui/table.js';

const REFRESH_MS = 2_000;

/** All runs, the latest first. */
export function RunsPage() {
  const { value, problem } = usePolled(fetchRuns, REFRESH_MS);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { route } = useLocation();
  const runs = value?.toReversed();
  useEffect(() => {
    document.title = 'Runs - nesgd';
  }, []);

  const choose = (runId: string, isChosen: boolean) => {
    const next = new Set(chosen);
    if (isChosen) next.add(runId);
    else next.delete(runId);
    setChosen(next);
  };

  return (
    <>
      <h1>Runs</h1>
      {problem && <Problem>{problem}. This page asks again every two seconds.</Problem>}
      {!runs && !problem && <Loading what="the runs" />}
      {runs?.length === 0 && (
        <Nothing>
          There are no runs yet: <a href="/new">start one here</a>, or by <code>nesgd run FILE</code>, and it appears.
        </Nothing>
      )}
      {runs && runs.length > 0 && (
        <>
          <div class="controls">
            <button
              type="button"
              disabled={chosen.size < 2}
              onClick={() => route(`/compare?runs=${[...chosen].map(encodeURIComponent).join(',')}`)}
            >
              Compare {chosen.size > 1 ? `${chosen.size} runs` : 'runs'}
            </button>
            {chosen.size < 2 && <span class="faint">Choose two or more of them.</span>}
          </div>
          <Table
            caption="Runs, the latest first; accuracies on the split that is fitness, and on the test set"
            columns={[
              { title: 'Run' },
              { title: 'Compare' },
              { title: 'State' },
              { title: 'Method' },
              { title: 'Closed' },
              { title: 'Alpha', isNumber: true },
              { title: 'Best', isNumber: true },
              { title: 'Test', isNumber: true },
              { title: 'Started' },
              { title: 'Last fact' },
            ]}
            rows={runs.map((run) => ({ key: run.runId, cells: cells(run, chosen.has(run.runId), choose) }))}
          />
        </>
      )}
    </>
  );
}

function cells(run: ListedSoon, isChosen: boolean, choose: (runId: string, isChosen: boolean) => void) {
  if (run.state === 'damaged')
    return [run.runId, '', <StateMark state={run.state} />, '', '', '', '', '', run.error, ''];
  const compare = (
    <input
      type="checkbox"
      aria-label={`Compare ${run.runId}`}
      checked={isChosen}
      onChange={(event) => choose(run.runId, event.currentTarget.checked)}
    />
  );
  if (run.state === 'reading')
    return [runLink(run.runId), compare, <StateMark state={run.state} />, '', '', '', '', '', '', ''];
  return [
    runLink(run.runId),
    compare,
    <StateMark state={run.paused ? 'paused' : run.state} />,
    run.method,
    whole(`${run.round} ${run.generation ?? '–'}${run.generations === null ? '' : ` of ${run.generations}`}`),
    formatAccuracy(run.alphaAccuracy),
    formatAccuracy(run.bestAccuracy),
    formatAccuracy(run.bestTestAccuracy),
    whole(formatTime(run.startedAt)),
    whole(formatTime(run.lastFactAt)),
  ];
}

function runLink(runId: string) {
  return <a href={`/runs/${encodeURIComponent(runId)}`}>{runId}</a>;
}

/** Not broken into lines on a narrow screen, where the table is scrolled. */
function whole(text: string) {
  return <span class="whole">{text}</span>;
}
