/** Stories whose needed sentences are known: one of each kind, with its distance. */

import { RandomStream } from 'keyhole';
import { drawStory, storyKinds } from 'keyhole/data';

const random = new RandomStream(7);
for (const kind of storyKinds) {
  const { sentences, question, answer, support, distance } = drawStory(kind, { maxDistance: 5, lead: 1 }, random);
  console.log(`\nkind ${kind}, distance ${distance}`);
  for (const [index, sentence] of sentences.entries()) console.log(support.includes(index) ? '*' : ' ', sentence);
  console.log(' ', question, answer);
}
