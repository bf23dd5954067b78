import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: '#host', replacement: path('./src/host/node.ts') },
      { find: /^keyhole$/, replacement: path('./src/index.ts') },
      { find: /^keyhole\/(.*)$/, replacement: path('./src/$1/index.ts') },
    ],
  },
  test: { include: ['src/**/*.test.ts', 'test/**/*.test.ts'], testTimeout: 60_000, pool: 'forks', maxWorkers: 2 },
});
