import { closestMatch } from 'leven';
import { experimentSchema } from './experiment.js';

/** What is used of a JSON Schema, as zod writes one. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
}

/** Only faults ask for it. */
const root = (): Schema => experimentSchema.toJSONSchema({ io: 'input' }) as Schema;

/** Keys from the top, list positions among them: `['alpha', 'milestones', 0]`. */
export type Path = readonly PropertyKey[];

/** What would be right at a path, to follow "give": `a whole number of 1 or more`, `one of cosine, constant`. */
export function wantedAt(path: Path): string {
  return schemasAt(path).map(wanted).join(', or ');
}

/** The texts that a value may be; none where it is not one of a few. */
export function choicesAt(path: Path): string[] {
  return schemasAt(path).flatMap((schema) => schema.enum ?? []);
}

/** The key that was meant by one that does not exist, by its whole path: a neighbour of nearly that name, or one elsewhere. */
export function keyMeant(parent: Path, name: string): string | undefined {
  const neighbours = schemasAt(parent).flatMap((schema) => Object.keys(schema.properties ?? {}));
  const neighbour = nearest(name, neighbours);
  if (neighbour !== undefined) return [...parent, neighbour].join('.');
  const isSo = (key: string) => plain(key.slice(key.lastIndexOf('.') + 1)) === plain(name);
  return allKeys(root(), '').find(isSo);
}

/** What was meant by a misspelt word, if anything is near enough; capitals, `_` and `-` do not count. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const byPlain = new Map(candidates.map((candidate) => [plain(candidate), candidate]));
  const maxDistance = Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  return byPlain.get(closestMatch(plain(word), [...byPlain.keys()], { maxDistance }) ?? '');
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[_-]/g, '');
}

/** More than one where alternatives differ. */
function schemasAt(path: Path): Schema[] {
  return path.reduce<Schema[]>(
    (schemas, key) =>
      schemas.flatMap(({ properties, items }) => {
        const next = typeof key === 'number' ? items : properties?.[String(key)];
        return next ? alternatives(next) : [];
      }),
    [root()],
  );
}

function alternatives(schema: Schema): readonly Schema[] {
  return schema.anyOf ?? [schema];
}

function allKeys(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => [
    `${prefix}${name}`,
    ...alternatives(value).flatMap((alternative) => allKeys(alternative, `${prefix}${name}.`)),
  ]);
}

function wanted(schema: Schema): string {
  if (schema.enum) return `${schema.enum.length > 1 ? 'one of ' : ''}${schema.enum.join(', ')}`;
  switch (schema.type) {
    case 'string':
      return schema.minLength ? 'a text that is not empty' : 'a text';
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list, each item ${wanted(schema.items ?? {})}`;
    case 'object':
      return `keys: ${(schema.required ?? Object.keys(schema.properties ?? {})).join(', ')}`;
    case 'integer':
      return `a whole number${range(schema)}`;
    default:
      return `a number${range(schema)}`;
  }
}

function range({ type, minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Schema): string {
  // zod's integers end where numbers stop being exact; nobody needs to be told.
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const least = type === 'integer' && exclusiveMinimum !== undefined ? exclusiveMinimum + 1 : minimum;
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  const bounds = [
    least !== undefined ? `of ${least} or more` : exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : '',
    most !== undefined ? `at most ${most}` : exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : '',
  ].filter(Boolean);
  return bounds.length > 0 ? ` ${bounds.join(' and ')}` : '';
}
