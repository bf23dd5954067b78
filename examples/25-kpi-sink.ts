/** A sink of your own in ten lines: whatever has `write` gets every figure, with what the figure means. */

import { consoleSink, type KpiEntry, KpiLogger, type KpiSink } from 'keyhole/monitor';

/** Remembers the best value of every figure that has a better side. */
class BestSink implements KpiSink {
  readonly best = new Map<string, KpiEntry>();

  write(entry: KpiEntry, { better }: Parameters<KpiSink['write']>[1]): void {
    const known = this.best.get(entry.name);
    const improves =
      known === undefined || (better === 'higher' ? entry.value > known.value : entry.value < known.value);
    if (better !== 'neither' && improves) this.best.set(entry.name, entry);
  }
}

const best = new BestSink();
const log = new KpiLogger({ sinks: [best, consoleSink(console.log)] });
for (const [step, loss] of [2.5, 1.9, 2.1].entries()) {
  log.write(step, 'validation', { loss, accuracy: 1 - loss / 4, learningRate: 0.001 });
}
log.close();
for (const [name, { step, value, unit }] of best.best) console.log(`best ${name}: ${value} ${unit} at step ${step}`);
