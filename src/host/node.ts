/** What differs between Node and a page, for node; the other half exports the same names. */

export * from './node/files.js';
export * from './node/lock.js';
export * from './node/system.js';
