/** Metrics that stream: add batches as they come, read the value at any time; memory does not grow with the data. */

import { Bleu, CalibrationError, Chrf, Classification, RocAuc, Rouge } from 'keyhole/metrics';

const [counts, area, calibration] = [new Classification(2), new RocAuc(), new CalibrationError()];
const batches = [
  { probabilities: [0.9, 0.2, 0.6], labels: [1, 0, 0] },
  { probabilities: [0.7, 0.4, 0.1], labels: [1, 1, 0] },
];
for (const { probabilities, labels } of batches) {
  const predicted = probabilities.map((probability) => (probability > 0.5 ? 1 : 0));
  counts.add(predicted, labels);
  area.add(probabilities, labels);
  calibration.add(probabilities, labels);
}
console.log('F1      ', counts.scores(1).f1.toFixed(3), 'of class 1,', counts.macro().f1.toFixed(3), 'mean of classes');
console.log('ROC area', area.value.toFixed(3), 'with an error of at most', area.error);
console.log('ECE     ', calibration.value.toFixed(3));

const [bleu, chrf, rouge] = [new Bleu(), new Chrf(), new Rouge()];
for (const metric of [bleu, chrf, rouge]) {
  metric.add('the cat sat on the mat', ['the cat sat on the mat .', 'a cat sat on a mat .']);
  metric.add('there is a dog', ['there was a dog']);
}
console.log(
  'BLEU    ',
  bleu.value.toFixed(2),
  ' chrF',
  chrf.value.toFixed(2),
  ' ROUGE-L',
  rouge.scores.rougeL.f1.toFixed(3),
);
