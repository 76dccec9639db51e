import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

interface Located {
  readonly key: string;
  readonly line?: number | undefined;
  readonly flag?: string | undefined;
}

/**
 * Adds to each fault of the experiment's text the line of its key; of a key that is missing, that of what should hold it.
 * What a flag set stands in no line.
 */
export function withLines<F extends Located>(text: string, faults: readonly F[]): (F & Located)[] {
  const isLacking = ({ key, line, flag }: Located) => key !== '' && line === undefined && flag === undefined;
  if (!faults.some(isLacking)) return [...faults];
  const lineCounter = new LineCounter();
  const { contents } = parseDocument(text, { lineCounter, prettyErrors: false });
  return faults.map((fault) => {
    const offset = isLacking(fault) ? offsetOf(contents, fault.key.split('.')) : undefined;
    return offset === undefined ? fault : { ...fault, line: lineCounter.linePos(offset).line };
  });
}

/** Of the last key on the path that is there. */
function offsetOf(root: Node | null, path: readonly string[]): number | undefined {
  let offset: number | undefined;
  let node: unknown = root;
  for (const part of path) {
    let inner: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
      if (isScalar(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      inner = pair?.value;
    } else if (isSeq(node)) {
      inner = node.items[Number(part)];
      offset = (inner as Node | undefined)?.range?.[0] ?? offset;
    }
    node = inner;
  }
  return offset;
}
