/** Matrix products on every backend, target and thread count (N5). */
import { matmulCases } from './cases/matmul.js';
import { testConformance } from './suite.js';

testConformance(matmulCases);
