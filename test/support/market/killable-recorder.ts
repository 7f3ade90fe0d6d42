import { HttpBroker } from '../../../src/broker/client.ts';
import { Transport } from '../../../src/broker/transport.ts';
import { anOffer } from '../domain.ts';
import { MINUTE, Recording, START } from './recording.ts';

// A recorder in the directory argv[2], on the broker at argv[3], which polls minute by minute from minute argv[4] until it is
// killed, as fast as it can. Its token says which minute it is; a line of stdout says which poll is done.
const [, , directory = '', url = '', from = ''] = process.argv;
let minute = Number(from);
const transport = new Transport(url, { current: async () => String(minute) });
const recording = Recording.in(directory, new HttpBroker(transport));
recording.offers = [{ offer: anOffer(), state: 'online', runs: undefined }];
for (; ; minute += 1) {
  recording.wall = START + (minute - 1) * MINUTE;
  await recording.poll();
  process.stdout.write(`${minute}\n`);
}
