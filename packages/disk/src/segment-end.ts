/** What a segment's file says about where it ends. */
import { isCkptError } from "@ckpt/errors";
import { type FileHandle, FRAME_HEADER_BYTES, parseFrameHeader, readFrame, readFully } from "@ckpt/io";
import type { SegmentEnd } from "./segment-scan.js";

async function headerAt(handle: FileHandle, offset: number) {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES);
  const read = await readFully(handle, bytes, 0, FRAME_HEADER_BYTES, offset);
  return read === FRAME_HEADER_BYTES ? parseFrameHeader(bytes, 0, offset) : undefined;
}

/** Whether something that looks like a frame begins at `offset`. */
export async function hasFrameAt(handle: FileHandle, offset: number): Promise<boolean> {
  return (await headerAt(handle, offset)) !== undefined;
}

/** Whether a frame begins at `offset` that is whole: a torn one was never acknowledged. */
export async function hasIntactFrameAt(handle: FileHandle, offset: number): Promise<boolean> {
  if (!(await hasFrameAt(handle, offset))) return false;
  try {
    await readFrame(handle, offset);
    return true;
  } catch (error) {
    if (isCkptError(error, "CKPT_CORRUPT")) return false;
    throw error;
  }
}

/** Whether the last frame before `end.length` has the chain that `end` says, and the file is that long. */
export async function endsWith(handle: FileHandle, end: SegmentEnd): Promise<boolean> {
  const { size } = await handle.stat();
  if (size < end.length) return false;
  const header = await headerAt(handle, end.lastFrame);
  if (header === undefined || end.lastFrame + FRAME_HEADER_BYTES + header.bodyBytes !== end.length)
    return false;
  return Buffer.compare(header.chain, end.chain) === 0;
}
