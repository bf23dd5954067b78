/** What a text classifier computes for one text, by the sizes of its configuration. */

import type { Config } from '../tasks/task.js';

/**
 * Multiply-adds of one forward pass over L words: projections and feed-forward `L·(4E² + 2EF)` a block, and `2L²E` for
 * self-attention; pooling models have `2E(F + 2E)` a word instead. Undefined for configurations of other models.
 */
export function multiplyAdds(config: Config, length: number): number | undefined {
  const { mixer, width, hidden, layers, window = 0 } = config as Record<string, number> & { mixer?: string };
  if (mixer === undefined || width === undefined || hidden === undefined || layers === undefined) return undefined;
  const words = layers * length * (4 * width * width + 2 * width * hidden);
  if (mixer === 'mean' || mixer === 'max') return words;
  if (mixer === 'word') return words + length * (width * width + 2 * width);
  const reach = window > 0 ? Math.min(length, 2 * window + 1) : length;
  return words + layers * 2 * length * reach * width;
}
