/**
 * The sinks that the key `sinks` of a configuration switches on beside `metrics.jsonl` and the event file: lines on the
 * terminal, and `metrics.prom` for Prometheus. Who calls them: runLogs.ts.
 */

import { consoleSink } from '../monitor/consoleSink.js';
import type { KpiSink } from '../monitor/kpiLogger.js';
import { type PrometheusSink, prometheusSink } from '../monitor/prometheus.js';
import type { Config } from '../tasks/task.js';
import type { Run } from '../train/run.js';

/** Text that Prometheus reads; node_exporter's textfile collector takes every `*.prom` of a folder. */
const prometheusFile = 'metrics.prom';

export interface ChosenSinks {
  readonly tensorboard: boolean;
  readonly sinks: readonly KpiSink[];
  /** Resolves when everything flushed is on the disk. Errors: those of writing it. */
  settled(): Promise<void>;
}

/** Errors: StateError when prometheus is chosen and prom-client is not installed. */
export async function chosenSinks(run: Run, print: (line: string) => void): Promise<ChosenSinks> {
  const { task, configuration } = run.record;
  const names = namesIn(configuration);
  const labels = { run: run.folder.split('/').at(-1) ?? run.folder, task };
  const file = names.includes('prometheus') ? new PrometheusFile(await prometheusSink({ labels }), run) : undefined;
  return {
    tensorboard: names.includes('tensorboard'),
    sinks: [...(names.includes('console') ? [consoleSink(print)] : []), ...(file ? [file] : [])],
    settled: async () => file?.settled(),
  };
}

function namesIn({ sinks }: Config): readonly unknown[] {
  return Array.isArray(sinks) ? sinks : [];
}

/**
 * Writes the registry at every flush, which is at every checkpoint. prom-client makes its text in a promise, so the file
 * comes a moment later; an error in writing it comes out of the next call.
 */
class PrometheusFile implements KpiSink {
  readonly #sink: PrometheusSink;
  readonly #run: Run;
  #writing: Promise<void> = Promise.resolve();
  #errors: unknown[] = [];

  constructor(sink: PrometheusSink, run: Run) {
    this.#sink = sink;
    this.#run = run;
  }

  write(...entry: Parameters<KpiSink['write']>): void {
    this.#sink.write(...entry);
  }

  flush(): void {
    this.#throwError();
    this.#writing = this.#writing.then(() => this.#save()).catch((error: unknown) => void this.#errors.push(error));
  }

  close(): void {
    this.flush();
  }

  async settled(): Promise<void> {
    await this.#writing;
    this.#throwError();
  }

  async #save(): Promise<void> {
    this.#run.write(prometheusFile, await this.#sink.registry.metrics());
  }

  #throwError(): void {
    const [error] = this.#errors;
    this.#errors = [];
    if (error !== undefined) throw error;
  }
}
