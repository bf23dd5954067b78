/** Reductions, softmax, cross-entropy, norms, indexing and the optimiser on every backend, target and thread count. */
import { lossCases } from './cases/losses.js';
import { normCases } from './cases/norms.js';
import { rowCases } from './cases/rows.js';
import { testConformance } from './suite.js';

testConformance([...rowCases, ...lossCases, ...normCases]);
