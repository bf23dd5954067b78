/** `keyhole/viz`: pictures and reports from plain records. */

export type { Finding } from '../core/finding.js';
export type { AttentionKind, AttentionPicture, MaskPicture } from '../core/records.js';
export { rampLevels, type Scale } from './client/shared.js';
export { darkDiverging, darkRamp, lightDiverging, lightRamp } from './colour.js';
export { type ComparedRow, type ComparedRun, type ComparisonData, renderComparison } from './comparison.js';
export { differencePictures } from './difference.js';
export { escapeMarkup, jsonForScript } from './escape.js';
export { type HeadView, headViewSvg } from './headView.js';
export { type HealthBoardOptions, healthBoardSvg } from './healthBoard.js';
export type { HealthPoint, HealthStatistic } from './healthData.js';
export { renderFindings, renderHealth } from './healthPage.js';
export { type HeatMapOptions, heatMapSvg } from './heatMap.js';
export { type AttentionFigure, renderAttentionHtml, renderAttentionJson, renderAttentionSvg } from './inspect.js';
export { type ChartSize, type LineChart, lineChartSvg, type Point, type Series } from './lineChart.js';
export { type MaskMapOptions, maskMapSvg } from './maskMap.js';
export type { AxisNames } from './panel.js';
export { type Deflate, heatMapPixels, type PngPixels } from './pixels.js';
export { type PngOptions, renderAttentionPng, svgToPng } from './png.js';
export { renderReport } from './report.js';
export type { MetricPoint, ReportData, ReportFigure, ReportSample, ReportSpeed } from './reportData.js';
export { heatMapText, type TerminalOptions } from './terminal.js';
export type { Theme } from './theme.js';
export { type LongAttention, renderTilePage } from './tilePage.js';
export { type TokenScores, tokenViewSvg } from './tokenView.js';
export { visibleText } from './visibleText.js';
