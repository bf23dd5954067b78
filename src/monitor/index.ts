/** `keyhole/monitor`: the logs of a run, key figures and attention, written and read back. */

export { type AttentionEntry, AttentionLog, parseAttentionLog } from './attentionLog.js';
export { type HeadSummary, summariseAttention } from './attentionSummary.js';
export { type LineWriter, type ParsedLines, truncateAfterStep } from './jsonLines.js';
export { jsonLinesSink, type KpiEntry, KpiLog, type KpiLogOptions, type KpiSink, parseKpiLog } from './kpiLog.js';
export { type Kpi, type KpiTable, kpiOf, type Phase, phases, standardKpis } from './kpis.js';
