/**
 * Task `csv`: somebody's own texts and classes, from a CSV or JSON Lines file. A template: spam.ts is the same with data
 * of its own.
 */

import { z } from 'zod';
import { readLabelledFile } from '../data/labelledFile.js';
import { splitWords } from '../data/words.js';
import { classificationTask } from './classification.js';
import { classifierKeys } from './classificationKeys.js';
import { splitApart } from './labelledSplits.js';

const schema = z.object({
  data: z.string().min(1).describe('CSV file with a heading line, or .jsonl'),
  text: z.string().min(1).default('text').describe('column of the text'),
  label: z.string().min(1).default('label').describe('column of the class'),
  ...classifierKeys,
});

type CsvConfig = z.infer<typeof schema>;

export const csv = classificationTask<CsvConfig>({
  name: 'csv',
  summary: 'your own text classification (data=FILE text=COLUMN label=COLUMN)',
  schema,
  presets: {
    quick: {
      ...{ width: 64, heads: 4, hidden: 128, layers: 1, context: 128, dropout: 0.2 },
      ...{ batchTokens: 2048, steps: 400, learningRate: 2e-3, warmupSteps: 40, evaluateEvery: 100 },
    },
    full: {
      ...{ width: 96, heads: 4, hidden: 192, layers: 2, context: 320, dropout: 0.3, vocabularySize: 20_000 },
      ...{ batchTokens: 4096, steps: 3000, learningRate: 1e-3, warmupSteps: 200, evaluateEvery: 250 },
      averageDecay: 0.99,
    },
  },
  decides: 'accuracy',
  async load({ data, text, label }) {
    const { rows, notices } = await readLabelledFile({ path: data, text, label });
    const { splits, grouped } = splitApart(rows, splitWords, { train: 80, validation: 10, test: 10 });
    const near =
      grouped > 0 ? [`${grouped} of ${rows.length} texts have a near-duplicate; those stay on one side`] : [];
    return { splits, notices: [...notices, ...near] };
  },
});
