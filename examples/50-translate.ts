/** Pieces of words, learned from both languages of a translation, and what baselines without a model reach. */

import { PieceText, translationScores } from 'keyhole/tasks';

const pairs = [
  { text: 'Close the editor', answers: ['Cerrar el editor'] },
  { text: 'Close all editors', answers: ['Cerrar todos los editores'] },
  { text: 'Open {0} in the editor', answers: ['Abrir {0} en el editor'] },
  { text: 'Open the file {0}', answers: ['Abrir el archivo {0}'] },
];
const text = PieceText.learn('translate', pairs, 290);

const symbols = text.tokenise('Close the file {0}');
console.log('pieces   ', symbols.map((symbol) => JSON.stringify(text.shown(symbol))).join(' '));
console.log('back     ', text.join(symbols));

const references = ['Cerrar el archivo {0}'];
for (const predicted of ['Close the file {0}', 'Abrir el archivo {0}', 'Cerrar el archivo {0}']) {
  const { bleu = 0, chrf = 0 } = translationScores([{ predicted, references }]);
  console.log(`${predicted.padEnd(24)} BLEU ${bleu.toFixed(1)}  chrF ${chrf.toFixed(1)}`);
}
