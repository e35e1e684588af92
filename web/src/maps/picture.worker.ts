/** Reads a picture beside the page, so that the live picture goes on; what a hostile file takes ends with the worker. */
import { MapFault, type Fault, type Words } from './fault'
import { readPicture } from './geotiff'
import type { Picture } from './warp'

export type Answer = { picture: Picture } | { fault: Fault; words: Words }

async function answer(file: Blob): Promise<Answer> {
  try {
    return { picture: await readPicture(file) }
  } catch (error) {
    if (!(error instanceof MapFault)) throw error
    return { fault: error.fault, words: error.words }
  }
}

self.onmessage = async ({ data }: MessageEvent<Blob>) => {
  const said = await answer(data)
  self.postMessage(said, { transfer: 'picture' in said ? [said.picture.pixels.buffer] : [] })
}
