import { describe, expect, it } from 'vitest'
import { decodeFrame, FrameError, NO_ALTITUDE, NO_VALUE, type PositionFrame } from '../src/stream/frame'
import told from './frames.json'

const bytes = (hex: string): ArrayBuffer => {
  const view = new Uint8Array(hex.length / 2)
  for (let i = 0; i < view.length; i++) view[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return view.buffer
}
const vector = (name: string) => told.vectors.find((one) => one.name === name)!

describe('frames', () => {
  it.each(told.vectors)('reads the header of: $name', (one) => {
    const frame = decodeFrame(bytes(one.hex))!
    expect(frame.kind).toBe(one.kind)
    expect(frame.sequence).toBe(one.sequence)
    expect(frame.count).toBe(one.count)
    expect(frame.base_time_ms).toBe(one.base_time_ms)
  })

  it.each(told.vectors.filter((one) => one.positions))('reads the columns of: $name', (one) => {
    const frame = decodeFrame(bytes(one.hex)) as PositionFrame
    one.positions!.forEach((at, i) => {
      expect(frame.handle[i]).toBe(at.handle)
      expect(frame.lat_e7![i]).toBe(Math.round(at.lat_deg * 1e7))
      expect(frame.lon_e7![i]).toBe(Math.round(at.lon_deg * 1e7))
      expect(frame.alt_m![i]).toBe(at.alt_m ?? NO_ALTITUDE)
      expect(frame.speed_dmps![i]).toBe(at.speed_mps === null ? NO_VALUE : Math.round(at.speed_mps * 10))
      expect(frame.course_cdeg![i]).toBe(at.course_deg === null ? NO_VALUE : Math.round(at.course_deg * 100))
      expect(frame.age_ds![i]).toBe(Math.min(NO_VALUE, Math.round(at.age_ms / 100)))
    })
  })

  it('reads metas as JSON, with names that are not Latin', () => {
    const one = vector('two metas, one with a geometry')
    const frame = decodeFrame(bytes(one.hex))!
    expect(frame.kind === 2 && frame.metas).toEqual(one.metas)
  })

  it('reads removed handles', () => {
    const frame = decodeFrame(bytes(vector('removal of two handles').hex))!
    expect(frame.kind === 3 && [...frame.handle]).toEqual([7, 65536])
  })

  it('reads a frame from which columns were left out', () => {
    // Handle and course only: mask 0b0100001, count 2.
    const buffer = new ArrayBuffer(24 + 8 + 4)
    const view = new DataView(buffer)
    ;[0x41, 0x51, 0x43, 0x31, 1, 1].forEach((byte, at) => view.setUint8(at, byte))
    view.setUint16(6, 0b0100001, true)
    view.setUint32(12, 2, true)
    view.setUint32(24, 5, true)
    view.setUint32(28, 6, true)
    view.setUint16(32, 9000, true)
    view.setUint16(34, 18000, true)
    const frame = decodeFrame(buffer) as PositionFrame
    expect([...frame.handle]).toEqual([5, 6])
    expect(frame.lat_e7).toBeNull()
    expect([...frame.course_cdeg!]).toEqual([9000, 18000])
  })

  it('ignores a kind that is not known yet', () => {
    const buffer = bytes(vector('heartbeat').hex)
    new DataView(buffer).setUint8(5, 99)
    expect(decodeFrame(buffer)).toBeNull()
  })

  it.each([
    ['an empty frame', () => new ArrayBuffer(0)],
    ['a wrong magic', () => bytes(`31435141${vector('heartbeat').hex.slice(8)}`)],
    ['a newer version', () => bytes(`4151433109${vector('heartbeat').hex.slice(10)}`)],
    ['a count larger than the frame', () => bytes(vector('one position').hex.slice(0, -4))],
    ['a position frame without handles', () => {
      const buffer = bytes(vector('one position').hex)
      new DataView(buffer).setUint16(6, 0x7e, true)
      return buffer
    }],
  ])('refuses %s', (_name, make) => {
    expect(() => decodeFrame(make())).toThrow(FrameError)
  })
})
