/** The instance buffer of the sprite layer: one record of 36 bytes per sprite. */
import type { Cell } from './atlas'

export const STRIDE_BYTES = 36
/** Offsets and sizes are kept in eighths of a CSS pixel. */
export const SUBPIXEL = 8
/** A record begins with its place: x and y, then what is left of both. */
const PLACE_FLOATS = 4

/** What of a record is the same for every sprite of a cell: 16 bytes, worked out once. */
function pack(cell: Cell): Uint32Array {
  const shorts = Uint16Array.of(cell.u0, cell.v0, cell.u1, cell.v1, 0, 0, Math.round(cell.width * SUBPIXEL), Math.round(cell.height * SUBPIXEL))
  const signed = new Int16Array(shorts.buffer)
  signed[4] = Math.round(cell.left * SUBPIXEL)
  signed[5] = Math.round(cell.top * SUBPIXEL)
  return new Uint32Array(shorts.buffer)
}

export class SpriteBatch {
  count = 0
  private capacity = 0
  private buffer = new ArrayBuffer(0)
  private floats = new Float32Array(0)
  private words = new Uint32Array(0)
  private signed = new Int16Array(0)

  constructor(capacity = 1024) {
    this.reserve(capacity)
  }

  private reserve(capacity: number): void {
    const old = new Uint8Array(this.buffer)
    this.capacity = capacity
    this.buffer = new ArrayBuffer(capacity * STRIDE_BYTES)
    new Uint8Array(this.buffer).set(old)
    this.floats = new Float32Array(this.buffer)
    this.words = new Uint32Array(this.buffer)
    this.signed = new Int16Array(this.buffer)
  }

  clear(): void {
    this.count = 0
  }

  /** The bytes of all sprites pushed since `clear`. */
  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer, 0, this.count * STRIDE_BYTES)
  }

  /**
   * Would this look the same as what `bytes` gave before? Places may differ by less than `slack`
   * (mercator); everything else is equal to the bit.
   */
  looksLike(before: Float32Array, slack: number): boolean {
    const { floats, words } = this
    const length = (this.count * STRIDE_BYTES) / 4
    if (before.length !== length) return false
    const drawn = new Uint32Array(before.buffer, before.byteOffset, length)
    for (let f = 0; f < length; f += STRIDE_BYTES / 4) {
      for (let at = f + PLACE_FLOATS; at < f + STRIDE_BYTES / 4; at++) if (words[at] !== drawn[at]) return false
      const dx = floats[f] - before[f] + (floats[f + 2] - before[f + 2])
      const dy = floats[f + 1] - before[f + 1] + (floats[f + 3] - before[f + 3])
      if (Math.abs(dx) > slack || Math.abs(dy) > slack) return false
    }
    return true
  }

  /** `mercator[at..at+3]` is the split place; dx, dy shift the cell in CSS pixels. */
  push(
    mercator: Float32Array,
    at: number,
    cell: Cell,
    opacity: number,
    dx = 0,
    dy = 0,
  ): void {
    if (this.count === this.capacity) this.reserve(this.capacity * 2)
    const f = (this.count * STRIDE_BYTES) / 4
    const s = f * 2
    this.floats[f] = mercator[at]
    this.floats[f + 1] = mercator[at + 1]
    this.floats[f + 2] = mercator[at + 2]
    this.floats[f + 3] = mercator[at + 3]
    const packed = (cell.packed ??= pack(cell))
    this.words[f + 4] = packed[0]
    this.words[f + 5] = packed[1]
    this.words[f + 6] = packed[2]
    this.words[f + 7] = packed[3]
    if (dx !== 0 || dy !== 0) {
      this.signed[s + 12] = Math.round((cell.left + dx) * SUBPIXEL)
      this.signed[s + 13] = Math.round((cell.top + dy) * SUBPIXEL)
    }
    this.floats[f + 8] = opacity
    this.count++
  }
}
