/** Attention forward, backward and weights on every backend, target and thread count (N1, N3, N4, N14, N19). */
import { attentionKernelCases } from './cases/attentionProblems.js';
import { testConformance } from './suite.js';

testConformance(attentionKernelCases);
