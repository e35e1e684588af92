/** What unpacks a block of a TIFF, never into more bytes than its tags say: a small file must not fill the memory of every screen. */
import { addDecoder, BaseDecoder, type ImageFileDirectory } from 'geotiff'

const LZW = 5
const DEFLATE = [8, 32_946]
const PACK_BITS = 32_773
/** Codes of LZW that are no text (TIFF 6.0, 13). */
const CLEAR = 256
const END = 257
const CODES_MAX = 4096

/** Deflate (RFC 1950), by the browser's own unpacker. What is junk behind the end is no fault. */
export async function inflate(packed: ArrayBufferLike, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const out = new Uint8Array(most)
  let at = 0
  const reader = new Blob([new Uint8Array(packed as ArrayBuffer)]).stream().pipeThrough(new DecompressionStream('deflate')).getReader()
  try {
    while (at < most) {
      const { done, value } = await reader.read()
      if (done) break
      const fits = value.subarray(0, most - at)
      out.set(fits, at)
      at += fits.length
    }
    await reader.cancel()
  } catch (error) {
    if (!at) throw error
  }
  return out.slice(0, at)
}

/** LZW with the highest bit first (TIFF 6.0, 13). Throws RangeError for a code that stands for nothing. */
export function unpackLzw(packed: Uint8Array, most: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(most)
  // A code stands for bytes that are in the output already: where they begin, and how many they are.
  const [begins, lengths] = [new Int32Array(CODES_MAX), new Int32Array(CODES_MAX)]
  let [at, bit, width, next, before, before_length] = [0, 0, 9, CLEAR + 2, 0, 0]
  while (at < most && bit + width <= packed.length * 8) {
    const byte = bit >> 3
    const three = (packed[byte] << 16) | ((packed[byte + 1] ?? 0) << 8) | (packed[byte + 2] ?? 0)
    const code = (three >> (24 - (bit & 7) - width)) & ((1 << width) - 1)
    bit += width
    if (code === END) break
    if (code === CLEAR) {
      ;[width, next, before_length] = [9, CLEAR + 2, 0]
      continue
    }
    if (code > next || (code === next && !before_length)) throw new RangeError(`code ${code} of LZW, of which there are ${next}`)
    const begin = at
    if (code < CLEAR) out[at++] = code
    else {
      // The code that is made just now is what was before and its own first byte, which the copy writes as it goes.
      const [from, length] = code === next ? [before, before_length + 1] : [begins[code], lengths[code]]
      const end = Math.min(most, at + length)
      for (let i = from; at < end; i++) out[at++] = out[i]
    }
    if (before_length && next < CODES_MAX) {
      begins[next] = before
      lengths[next] = before_length + 1
      next++
      // One code early, as all writers do.
      if (next + 1 >= 1 << width && width < 12) width++
    }
    ;[before, before_length] = [begin, at - begin]
  }
  return out.slice(0, at)
}

/** Runs and copies (TIFF 6.0, 9). */
export function unpackBits(packed: Uint8Array, most: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(most)
  let at = 0
  for (let i = 0; i < packed.length && at < most; ) {
    const head = (packed[i++] << 24) >> 24
    if (head === -128) continue
    const count = Math.min(most - at, head < 0 ? 1 - head : 1 + head)
    if (head < 0) out.fill(packed[i++], at, at + count)
    else {
      out.set(packed.subarray(i, i + count), at)
      i += 1 + head
    }
    at += count
  }
  return out.slice(0, at)
}

interface Block {
  tileWidth: number
  tileHeight: number
  planarConfiguration: number
  bitsPerSample: ArrayLike<number>
  predictor: number
}

async function blockOf(directory: ImageFileDirectory): Promise<Block> {
  const tiled = !directory.hasTag('StripOffsets')
  const height = Number(await directory.loadValue('ImageLength'))
  return {
    tileWidth: Number(await directory.loadValue(tiled ? 'TileWidth' : 'ImageWidth')),
    // "All rows in one" is written as the greatest number that there is.
    tileHeight: tiled ? Number(await directory.loadValue('TileLength')) : Math.min(height, Number((await directory.loadValue('RowsPerStrip')) ?? height)),
    planarConfiguration: Number((await directory.loadValue('PlanarConfiguration')) ?? 1),
    bitsPerSample: (await directory.loadValue('BitsPerSample')) ?? [1],
    predictor: Number((await directory.loadValue('Predictor')) ?? 1),
  }
}

/** Bytes of a whole block: its rows begin on bytes. */
function bytesOf({ tileWidth, tileHeight, planarConfiguration, bitsPerSample }: Block): number {
  const bits = Array.from(bitsPerSample)
  const of_pixel = planarConfiguration === 2 ? Math.max(...bits) : bits.reduce((sum, one) => sum + one, 0)
  return Math.ceil((tileWidth * of_pixel) / 8) * tileHeight
}

type Unpack = (packed: ArrayBufferLike, most: number) => Promise<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer>

/** Puts these in the place of the library's own, which know no bound. */
export function boundUnpacking(): void {
  const bound = (cases: number | number[], unpack: Unpack): void => {
    class Bounded extends BaseDecoder {
      override async decodeBlock(packed: ArrayBufferLike): Promise<ArrayBufferLike> {
        return (await unpack(packed, bytesOf(this.parameters as unknown as Block))).buffer
      }
    }
    addDecoder(cases as never, async () => Bounded, blockOf as never)
  }
  bound(DEFLATE, inflate)
  bound(LZW, (packed, most) => unpackLzw(new Uint8Array(packed), most))
  bound(PACK_BITS, (packed, most) => unpackBits(new Uint8Array(packed), most))
}
