/** A figure of your own: a line in the table of figures gives it a label, a unit and a direction; then it can be logged. */

import { consoleSink, KpiLogger, standardKpis } from 'keyhole/monitor';

const kpis = {
  ...standardKpis,
  refusals: { label: 'Questions refused', unit: 'ratio', better: 'lower' },
} as const;

const log = new KpiLogger({ kpis, sinks: [consoleSink(console.log)] });
log.write(100, 'test', { refusals: 0.04, f1: 0.91 });
log.close();

try {
  log.write(100, 'test', { refusal: 0.04 });
} catch (error) {
  console.log((error as Error).message);
}
