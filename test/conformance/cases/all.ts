/** Every conformance case. */
import type { Case } from '../case.js';
import { attentionKernelCases } from './attentionProblems.js';
import { elementwiseCases } from './elementwise.js';
import { lossCases } from './losses.js';
import { matmulCases } from './matmul.js';
import { normCases } from './norms.js';
import { rowCases } from './rows.js';

export const allCases: readonly Case[] = [
  ...elementwiseCases,
  ...rowCases,
  ...lossCases,
  ...normCases,
  ...matmulCases,
  ...attentionKernelCases,
];
