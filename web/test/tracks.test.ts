import { beforeEach, describe, expect, it } from 'vitest'
import type { TrackMeta } from '../src/api/types'
import { drawingsOf } from '../src/store/drawings'
import { fold, TrackIndex } from '../src/store/search'
import { HANDLE_LIMIT, TrackStore } from '../src/store/tracks'
import type { PositionFrame } from '../src/stream/frame'

const BASE = 1_795_000_000_000
const meta = (h: number, more: Partial<TrackMeta> = {}): TrackMeta => ({
  h, id: `id-${h}`, name: `PATROL ${h}`, sidc: '13031000001211000000', type: 'a-f-G', source: 'tcp',
  observed_at_ms: BASE, stale_at_ms: BASE + 300_000, affiliation: 'friend', category: 'unit', ...more,
})
function frame(rows: { h: number; lat?: number; lon?: number; age_ds?: number }[], base = BASE): PositionFrame {
  return {
    kind: 1, mask: 0x7f, sequence: 0, count: rows.length, base_time_ms: base,
    handle: Uint32Array.from(rows, (r) => r.h),
    lat_e7: Int32Array.from(rows, (r) => Math.round((r.lat ?? 42.8) * 1e7)),
    lon_e7: Int32Array.from(rows, (r) => Math.round((r.lon ?? 77.5) * 1e7)),
    alt_m: Int16Array.from(rows, () => -32768),
    speed_dmps: Uint16Array.from(rows, () => 12),
    course_cdeg: Uint16Array.from(rows, () => 65535),
    age_ds: Uint16Array.from(rows, (r) => r.age_ds ?? 0),
  }
}

describe('the track store', () => {
  let store: TrackStore
  beforeEach(() => (store = new TrackStore()))

  it('keeps a position under its handle, unknown values as null', () => {
    store.applyPositions(frame([{ h: 3, lat: -12.5, lon: 170 }]))
    expect(store.motion(3)).toEqual({ lat_deg: -12.5, lon_deg: 170, alt_m: null, speed_mps: 1.2, course_deg: null })
    expect(store.motion(2)).toBeNull()
  })

  it('grows for a handle beyond its columns and keeps what it had', () => {
    store.applyPositions(frame([{ h: 1 }]))
    store.applyPositions(frame([{ h: 100_000, lat: 1 }]))
    expect(store.motion(1)?.lat_deg).toBeCloseTo(42.8)
    expect(store.motion(100_000)?.lat_deg).toBeCloseTo(1)
    expect(store.size).toBe(100_001)
  })

  it('drops places and handles that cannot be', () => {
    expect(store.applyPositions(frame([{ h: 1, lat: 91 }, { h: HANDLE_LIMIT }, { h: 2 }]))).toBe(2)
    expect(store.motion(1)).toBeNull()
    expect(store.motion(2)).not.toBeNull()
  })

  it('ages from fresh over ageing to stale by the time the reporter gave', () => {
    store.applyMetas([meta(1)])
    store.applyPositions(frame([{ h: 1, age_ds: 10 }]))
    expect(store.observed_ms[1]).toBe(BASE - 1000)
    expect(store.age(1, BASE)).toBe('fresh')
    expect(store.age(1, BASE + 130_000)).toBe('ageing')
    expect(store.age(1, BASE + 300_000)).toBe('stale')
  })

  it('knows who is fresh as the ages say, at the very edge too, and of nobody who was not heard', () => {
    store.applyMetas([meta(1), meta(2, { category: 'marker' }), meta(3, { stale_at_ms: BASE + 60_000 }), meta(4, { category: 'place', stale_at_ms: 0 })])
    store.applyPositions(frame([{ h: 1 }, { h: 2 }, { h: 3 }, { h: 4 }, { h: 5 }]))
    store.remove(Uint32Array.of(4))
    for (const after_ms of [0, 60_000, 60_001, 120_000, 120_001, 300_000, 300_001]) {
      for (const h of [1, 2, 3, 4, 5, 6]) expect([h, after_ms, store.isFresh(h, BASE + after_ms)]).toEqual([h, after_ms, store.age(h, BASE + after_ms) === 'fresh'])
    }
    expect(store.isFresh(2, BASE + 300_000)).toBe(true)
  })

  it('takes an age beyond the field from what meta said', () => {
    store.applyMetas([meta(1, { observed_at_ms: BASE - 9_000_000, stale_at_ms: BASE - 8_000_000 })])
    store.applyPositions(frame([{ h: 1, age_ds: 65535 }]))
    expect(store.observed_ms[1]).toBe(BASE - 9_000_000)
    expect(store.age(1, BASE)).toBe('stale')
  })

  it('never lets an old meta make a younger position older', () => {
    store.applyPositions(frame([{ h: 1 }], BASE + 60_000))
    store.applyMetas([meta(1)])
    expect(store.observed_ms[1]).toBe(BASE + 60_000)
  })

  it('forgets a removed track, and all of them at a snapshot', () => {
    store.applyMetas([meta(1), meta(2)])
    store.applyPositions(frame([{ h: 1 }, { h: 2 }]))
    store.remove(Uint32Array.of(1))
    expect([store.handleOf('id-1'), store.motion(1)]).toEqual([null, null])
    expect(store.handleOf('id-2')).toBe(2)
    store.clear()
    expect([store.handleOf('id-2'), store.motion(2), store.size]).toEqual([null, null, 0])
  })

  it('starts empty when a handle is used for another entity', () => {
    store.applyMetas([meta(1)])
    store.applyPositions(frame([{ h: 1 }]))
    store.applyMetas([meta(1, { id: 'other' })])
    expect([store.handleOf('id-1'), store.handleOf('other'), store.motion(1)]).toEqual([null, 1, null])
  })

  it('bounds only what has a place and a name', () => {
    store.applyPositions(frame([{ h: 1, lat: 10, lon: 10 }, { h: 2, lat: 42, lon: 76 }, { h: 3, lat: 43, lon: 78 }]))
    expect(store.bounds()).toBeNull()
    store.applyMetas([meta(2), meta(3)])
    expect(store.bounds()).toEqual([76, 42, 78, 43])
  })

  it('is found by every word, emergencies first and numbers in order', () => {
    store.applyMetas([meta(10), meta(2), meta(5, { name: 'Unità Róma', emergency: '911' })])
    const index = new TrackIndex(store)
    expect(index.find({}, 0)).toEqual([5, 2, 10])
    expect(index.find({ text: 'patrol 10' }, 0)).toEqual([10])
    expect(index.find({ text: 'unita roma' }, 0)).toEqual([5])
    expect(index.find({ text: 'nothing' }, 0)).toEqual([])
    expect(fold('ÀÉÎ')).toBe('aei')
  })

  it('answers lines and areas as drawings, points never', () => {
    store.applyMetas([
      meta(1, { category: 'drawing', geometry: { type: 'LineString', coordinates: [[77, 42], [78, 43]] } }),
      meta(2, { category: 'marker', geometry: { type: 'Point', coordinates: [77, 42] } }),
    ])
    const drawn = drawingsOf(store, 1, BASE).features
    expect(drawn.map((one) => [one.properties?.h, one.properties?.selected])).toEqual([[1, true]])
  })

  it('tells lines that are lost on light ground, and gives those that are lost on dark ground a lighter colour', () => {
    const line = (h: number, stroke: string) => meta(h, { category: 'drawing', geometry: { type: 'LineString', coordinates: [[77, 42], [78, 43]], stroke } as TrackMeta['geometry'] })
    store.applyMetas([line(1, '#ffffff'), line(2, '#ffff00'), line(3, '#0000ff'), line(4, 'no colour')])
    expect(drawingsOf(store, null, BASE).features.map((one) => one.properties?.pale)).toEqual([true, true, false, undefined])
    expect(drawingsOf(store, null, BASE).features.map((one) => one.properties?.on_dark)).toEqual(['#ffffff', '#ffff00', '#6767ff', undefined])
  })
})
