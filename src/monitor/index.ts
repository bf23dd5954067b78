/** `keyhole/monitor`: what a run tells, key figures and attention, written to any number of sinks and read back. */

export { type AttentionEntry, AttentionLog, parseAttentionLog } from './attentionLog.js';
export { type HeadSummary, summariseAttention } from './attentionSummary.js';
export { consoleSink } from './consoleSink.js';
export { entropyHistograms } from './entropyHistograms.js';
export { type LineWriter, type ParsedLines, truncateAfterStep } from './jsonLines.js';
export { type Comparison, type Judgement, judgeCondition, type KpiCondition, parseCondition } from './kpiCondition.js';
export { jsonLinesSink, parseKpiLog } from './kpiLines.js';
export {
  type HistogramEntry,
  type ImageEntry,
  type KpiEntry,
  KpiLogger,
  type KpiLoggerOptions,
  type KpiSink,
  type LogEntry,
  type PngImage,
  type TextEntry,
} from './kpiLogger.js';
export { type Kpi, type KpiTable, kpiOf, kpiOrPlain, type Phase, phases, standardKpis } from './kpis.js';
export { kpiCsv, kpiParquet } from './kpiTable.js';
export {
  type MetricsRegistry,
  type PrometheusOptions,
  type PrometheusSink,
  prometheusName,
  prometheusSink,
  prometheusText,
} from './prometheus.js';
export {
  type ByteWriter,
  type TensorboardOptions,
  tensorboardSink,
  truncateEventsAfterStep,
} from './tensorboard/tensorboardSink.js';
export { type ReadRecords, readRecords } from './tensorboard/tfRecord.js';
