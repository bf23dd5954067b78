// One contestant on one case, in a process of its own: prepares, then answers every message with the time of one run,
// and with a sample of the result. Started by run.mjs.
import { inputsOf, sampleOf } from './cases.mjs';

const [name, text] = process.argv.slice(2);
const testCase = JSON.parse(text);
const { prepare } = await import(`./contestants/${name}.mjs`);
const { version, detail, run, read } = await prepare(testCase, inputsOf(testCase));

process.on('message', async (wanted) => {
  const start = performance.now();
  const result = await run();
  const milliseconds = performance.now() - start;
  const sample = wanted === 'sample' ? sampleOf(await read(result)) : undefined;
  process.send({ milliseconds, sample });
});
process.on('disconnect', () => process.exit(0));
process.send({ version, detail });
