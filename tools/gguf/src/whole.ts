import type { FileHandle } from 'node:fs/promises';

/** Node reads and writes less than 2 GiB at once; a tensor may have more. */
const AT_ONCE = 2 ** 30;

/** Fills `bytes` from a file, from `position` on; returns how many there were. */
export async function readWhole(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(AT_ONCE, bytes.length - done);
    const { bytesRead } = await file.read(bytes, done, length, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Writes all of `bytes` to where the file stands. */
export async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(AT_ONCE, bytes.length - done);
    done += (await file.write(bytes, done, length)).bytesWritten;
  }
}
