/** Every conformance case. */
import type { Case } from '../case.js';
import { attentionKernelCases } from './attention.js';
import { elementwiseCases } from './elementwise.js';
import { matmulCases } from './matmul.js';
import { rowCases } from './rows.js';

export const allCases: readonly Case[] = [...elementwiseCases, ...rowCases, ...matmulCases, ...attentionKernelCases];
