import { useState } from 'preact/hooks';
import { Problem } from '../ui/states.js';

/** What the server takes; an experiment has some kilobytes. */
const LARGEST_FILE_BYTES = 64 * 1024;

/** Takes an experiment from a file of whoever looks at the page. */
export function ExperimentFile({ take }: { take: (text: string) => void }) {
  const [problem, setProblem] = useState<string>();
  const read = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > LARGEST_FILE_BYTES) {
      setProblem(`${file.name} has ${file.size} bytes: no experiment file, which has ${LARGEST_FILE_BYTES} at most`);
      return;
    }
    try {
      take(await file.text());
      setProblem(undefined);
    } catch (error) {
      setProblem(`${file.name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return (
    <>
      <label>
        From a file{' '}
        <input
          type="file"
          accept=".yaml,.yml,.json,text/plain"
          onChange={({ currentTarget }) => {
            void read(currentTarget.files?.[0]);
            currentTarget.value = ''; // So that the same file can be chosen again when it has changed.
          }}
        />
      </label>
      {problem && <Problem>{problem}</Problem>}
    </>
  );
}
