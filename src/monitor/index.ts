/** `keyhole/monitor`: what a run tells, key figures and attention, written to any number of sinks and read back. */

export { type Finding, type FindingPlace, type Severity, severities } from '../core/finding.js';
export { type AttentionEntry, AttentionLog, parseAttentionLog } from './attentionLog.js';
export { type HeadSummary, summariseAttention } from './attentionSummary.js';
export { consoleSink } from './consoleSink.js';
export { type DiagnoseOptions, diagnose, isAtLeast } from './doctor/diagnose.js';
export { examinedRecords } from './doctor/examined.js';
export type { BlockRecord, DoctorRecords, HeadRecord, LayerRecord } from './doctor/records.js';
export {
  type HeadRole,
  headRoles,
  type RepeatScores,
  type RoleMeasures,
  repeatScores,
  roleOf,
} from './doctor/roles.js';
export type { Rule, Sighting, Threshold } from './doctor/rule.js';
export { rules as doctorRules } from './doctor/rules.js';
export { stabilityIndex } from './doctor/stabilityIndex.js';
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
