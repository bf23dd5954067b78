/** Public surface of the reference backend. */
export { createReferenceBackend, type ReferenceOptions } from './createReferenceBackend.js';
