/** The binary frames of the live stream: flat little-endian columns behind a 24-byte header. */
import type { TrackMeta } from '../api/types'

export const HEADER_BYTES = 24
export const FRAME_VERSION = 1

export const FrameKind = {
  positions: 1,
  meta: 2,
  remove: 3,
  snapshot: 4,
  heartbeat: 5,
} as const

export const NO_ALTITUDE = -32768
export const NO_VALUE = 65535

/** Column order and width in bytes; bit n of the mask says that column n is there. */
const COLUMN_BYTES = [4, 4, 4, 2, 2, 2, 2] as const

export interface FrameHeader {
  kind: number
  mask: number
  sequence: number
  count: number
  base_time_ms: number
}

/** Columns that the mask left out are `null`; the handle column is always there. */
export interface PositionFrame extends FrameHeader {
  kind: 1
  handle: Uint32Array
  lat_e7: Int32Array | null
  lon_e7: Int32Array | null
  alt_m: Int16Array | null
  speed_dmps: Uint16Array | null
  course_cdeg: Uint16Array | null
  age_ds: Uint16Array | null
}
export interface MetaFrame extends FrameHeader {
  kind: 2
  metas: TrackMeta[]
}
export interface RemoveFrame extends FrameHeader {
  kind: 3
  handle: Uint32Array
}
export interface SignalFrame extends FrameHeader {
  kind: 4 | 5
}
export type Frame = PositionFrame | MetaFrame | RemoveFrame | SignalFrame

/** A frame that breaks the contract; the text says what was wrong and what is allowed. */
export class FrameError extends Error {}

function header(view: DataView): FrameHeader {
  if (view.byteLength < HEADER_BYTES) {
    throw new FrameError(`frame of ${view.byteLength} bytes; a header has ${HEADER_BYTES}`)
  }
  // Read as bytes: the number 0x41514331 written little-endian would say "1CQA".
  const magic = String.fromCharCode(...[0, 1, 2, 3].map((at) => view.getUint8(at)))
  if (magic !== 'AQC1') throw new FrameError(`frame begins with ${JSON.stringify(magic)}, not "AQC1"`)
  const version = view.getUint8(4)
  if (version !== FRAME_VERSION) {
    throw new FrameError(`frame version ${version}; this page reads ${FRAME_VERSION}: reload it`)
  }
  return {
    kind: view.getUint8(5),
    mask: view.getUint16(6, true),
    sequence: view.getUint32(8, true),
    count: view.getUint32(12, true),
    base_time_ms: Number(view.getBigUint64(16, true)),
  }
}

function need(buffer: ArrayBuffer, bytes: number, what: string): void {
  if (buffer.byteLength < HEADER_BYTES + bytes) {
    throw new FrameError(
      `${what} frame of ${buffer.byteLength} bytes; its count asks for ${HEADER_BYTES + bytes}`,
    )
  }
}

function decodePositions(buffer: ArrayBuffer, head: FrameHeader): PositionFrame {
  const { count, mask } = head
  if ((mask & 1) === 0) throw new FrameError('position frame without the handle column (bit 0)')
  if (mask >> COLUMN_BYTES.length !== 0) {
    throw new FrameError(`column mask ${mask}; this page knows ${COLUMN_BYTES.length} columns`)
  }
  let bytes = 0
  COLUMN_BYTES.forEach((width, bit) => (bytes += mask & (1 << bit) ? width * count : 0))
  need(buffer, bytes, 'position')
  // Wide columns come first, so every view is aligned for any count.
  let at = HEADER_BYTES
  const column = <T>(bit: number, make: (offset: number) => T): T | null => {
    if ((mask & (1 << bit)) === 0) return null
    const view = make(at)
    at += COLUMN_BYTES[bit] * count
    return view
  }
  return {
    ...head,
    kind: 1,
    handle: column(0, (o) => new Uint32Array(buffer, o, count))!,
    lat_e7: column(1, (o) => new Int32Array(buffer, o, count)),
    lon_e7: column(2, (o) => new Int32Array(buffer, o, count)),
    alt_m: column(3, (o) => new Int16Array(buffer, o, count)),
    speed_dmps: column(4, (o) => new Uint16Array(buffer, o, count)),
    course_cdeg: column(5, (o) => new Uint16Array(buffer, o, count)),
    age_ds: column(6, (o) => new Uint16Array(buffer, o, count)),
  }
}

/**
 * The frame in a buffer, with views into it (no copy).
 *
 * Throws FrameError when magic, version, mask or length break the contract. An unknown kind is
 * answered as `null`, so that a newer node may send more kinds.
 */
export function decodeFrame(buffer: ArrayBuffer): Frame | null {
  const head = header(new DataView(buffer))
  switch (head.kind) {
    case FrameKind.positions:
      return decodePositions(buffer, head)
    case FrameKind.meta: {
      const metas: unknown = JSON.parse(
        new TextDecoder().decode(new Uint8Array(buffer, HEADER_BYTES)),
      )
      if (!Array.isArray(metas)) throw new FrameError('meta frame does not hold a JSON list')
      return { ...head, kind: 2, metas: metas as TrackMeta[] }
    }
    case FrameKind.remove:
      need(buffer, head.count * 4, 'remove')
      return { ...head, kind: 3, handle: new Uint32Array(buffer, HEADER_BYTES, head.count) }
    case FrameKind.snapshot:
    case FrameKind.heartbeat:
      return { ...head, kind: head.kind as 4 | 5 }
    default:
      return null
  }
}
