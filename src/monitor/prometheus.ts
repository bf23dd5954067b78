/**
 * Key figures for Prometheus, by way of the optional package prom-client: a sink that keeps gauges up to date in a
 * registry, for a server to show, and the text of figures that are already there.
 */

import type { Registry } from 'prom-client';
import type { KpiEntry, KpiSink } from './kpiLogger.js';
import { describeKpi, kpiOrPlain } from './kpis.js';
import { optionalPackage } from './optionalPackage.js';

/** A registry of prom-client, as far as it shows here: no type of an optional package in ours. */
export interface MetricsRegistry {
  /** The text that Prometheus scrapes. */
  metrics(): Promise<string>;
}

export interface PrometheusOptions {
  /** Default: a new one. */
  readonly registry?: MetricsRegistry;
  /** Labels of every gauge, such as `{ run: 'g2p-20261124-101500-heron' }`. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** A sink and the registry that it fills. */
export interface PrometheusSink extends KpiSink {
  readonly registry: MetricsRegistry;
}

/**
 * A sink whose gauges hold the last value of every figure, and `keyhole_step` the last step. Names: `prometheusName`.
 * Errors: StateError when prom-client is not installed.
 */
export async function prometheusSink(options: PrometheusOptions = {}): Promise<PrometheusSink> {
  const { Gauge, Registry } = await optionalPackage('prom-client', () => import('prom-client'));
  const { labels = {} } = options;
  const registry = (options.registry as Registry | undefined) ?? new Registry();
  const gauges = new Map<string, InstanceType<typeof Gauge>>();
  const set = (name: string, help: string, value: number): void => {
    const known = gauges.get(name) ?? new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] });
    gauges.set(name, known);
    known.set(labels, value);
  };
  return {
    registry,
    write: ({ step, name, value }, kpi) => {
      set(prometheusName(name), describeKpi(kpi), value);
      set('keyhole_step', 'Finished optimiser steps', step);
    },
  };
}

/** The last value of every name as the text that Prometheus reads. Errors: StateError without prom-client. */
export async function prometheusText(
  entries: readonly KpiEntry[],
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const sink = await prometheusSink({ labels });
  for (const entry of entries) sink.write(entry, kpiOrPlain(entry.name, entry.unit));
  return sink.registry.metrics();
}

/** `inference/latencyP50Ms` as `keyhole_inference_latency_p50_ms`. */
export function prometheusName(name: string): string {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  return `keyhole_${spaced.replace(/[^a-z0-9]+/g, '_')}`;
}
