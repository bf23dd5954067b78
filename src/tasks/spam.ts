/**
 * Task `spam`: whole mails of the SpamAssassin corpus, headers and subject left out, so that what is judged is what is
 * written. Mails that are nearly the same are on one side of the split.
 */

import { z } from 'zod';
import { loadMails } from '../data/mail.js';
import { splitWords } from '../data/words.js';
import { classificationTask } from './classification.js';
import { classifierKeys } from './classificationKeys.js';
import { splitApart } from './labelledSplits.js';

/** A tenth of the mails to steer by and a tenth to report on: a twentieth would be too few to tell 97 % from 98 %. */
const ratios = { train: 80, validation: 10, test: 10 };

const schema = z.object(classifierKeys);

type SpamConfig = z.infer<typeof schema>;

export const spam = classificationTask<SpamConfig>({
  name: 'spam',
  summary: 'spam or ham: whole mails without their headers (SpamAssassin corpus)',
  schema,
  presets: {
    quick: {
      ...{ width: 64, heads: 4, hidden: 128, layers: 1, context: 128, dropout: 0.2, vocabularySize: 8000 },
      ...{ batchTokens: 2048, steps: 600, learningRate: 2e-3, warmupSteps: 60, evaluateEvery: 100 },
    },
    full: {
      ...{ width: 96, heads: 4, hidden: 192, layers: 2, context: 320, dropout: 0.3, vocabularySize: 20_000 },
      ...{ batchTokens: 4096, steps: 3000, learningRate: 1e-3, warmupSteps: 200, evaluateEvery: 250 },
      averageDecay: 0.99,
    },
  },
  decides: 'f1',
  async load() {
    const mails = await loadMails();
    const texts = mails.map(({ body, spam: unwanted }) => ({ text: body, label: unwanted ? 'spam' : 'ham' }));
    const { splits, grouped } = splitApart(texts, splitWords, ratios);
    return { splits, notices: [`${grouped} of ${mails.length} mails have a near-duplicate; those stay on one side`] };
  },
});
