import { expect, it } from 'vitest';
import { EngineUnavailableError } from '../../errors.js';
import { availableEngines, createEngine } from './index.js';

const engines = await availableEngines();

it('createEngine: a name gives that engine, which says what it is', async () => {
  for (const { name, description } of engines.filter(({ description }) => !description.includes('plain'))) {
    const engine = await createEngine(name, 1);
    expect(engine.name).toBe(name);
    expect(engine.description).toBe(description);
    expect(description).toMatch(/1 thread\b/);
  }
});

it('createEngine: a process keeps the threads it began with', async () => {
  if (!engines.some((engine) => engine.name === 'tensorflow')) return;
  await expect(createEngine('tensorflow', 2)).rejects.toMatchObject({ code: 'ENGINE_THREADS' });
});

it('EngineUnavailableError: says why in one line, and that another machine may do', () => {
  const error = new EngineUnavailableError(
    'tensorflow',
    new Error('The addon can not be found at path: x. \nPlease run npm'),
  );
  expect(error.message).toBe(
    'the tensorflow engine does not run here: The addon can not be found at path: x. "nesgd doctor" shows what is missing',
  );
  expect(error.retryable).toBe(true);
});
