/** Elementwise kernels on every backend, target and thread count. */
import { elementwiseCases } from './cases/elementwise.js';
import { testConformance } from './suite.js';

testConformance(elementwiseCases);
