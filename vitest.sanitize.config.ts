import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The tests that drive native code, on the addon built with sanitizers. Run by scripts/test-sanitize.mjs. */
export default defineConfig({
  resolve: {
    alias: [{ find: '#host', replacement: fileURLToPath(new URL('./test/sanitize/host.ts', import.meta.url)) }],
  },
  test: {
    include: [
      'test/sanitize/*.check.ts',
      'test/conformance/{attention,matmul,rows,elementwise,fuzz,threads,refusals,isolation}.test.ts',
      'test/native/*.test.ts',
      'src/backend/native/*.test.ts',
    ],
    testTimeout: 240_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
