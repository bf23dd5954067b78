// Loaded before `keyhole` by fullDisk.test.ts: a disk with room for KEYHOLE_TEST_ROOM bytes, and ENOSPC after that, as the
// system reports it: the last write goes through in part. Standard output and error are not on that disk.
import fs from 'node:fs';

const { writeSync } = fs;
let room = Number(process.env.KEYHOLE_TEST_ROOM);

fs.writeSync = (file, bytes, offset = 0) => {
  if (file <= 2 || typeof bytes === 'string') return writeSync(file, bytes, offset);
  if (room <= 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const written = writeSync(file, bytes, offset, Math.min(bytes.length - offset, room));
  room -= written;
  return written;
};
