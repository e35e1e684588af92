/** Pictures read in a worker of their own, which ends with them. */
import { MapFault } from './fault'
import type { Answer } from './picture.worker'
import type { Picture } from './warp'

const READ_MAX_MS = 300_000

/** The picture in a GeoTIFF. Throws MapFault. */
export function readAside(file: Blob): Promise<Picture> {
  const worker = new Worker(new URL('./picture.worker.ts', import.meta.url), { type: 'module' })
  const done = new Promise<Picture>((resolve, reject) => {
    const late = setTimeout(() => reject(new MapFault('tooSlow', { seconds: String(READ_MAX_MS / 1000) })), READ_MAX_MS)
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      clearTimeout(late)
      if ('picture' in data) resolve(data.picture)
      else reject(new MapFault(data.fault, data.words))
    }
    // Memory that a file asked for and there is not ends here.
    worker.onerror = (event) => {
      event.preventDefault()
      clearTimeout(late)
      reject(new MapFault('damaged'))
    }
    worker.postMessage(file)
  })
  return done.finally(() => worker.terminate())
}
