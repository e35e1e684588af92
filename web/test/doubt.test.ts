import { describe, expect, it } from 'vitest'
import { DOUBT_LIMIT_M, doubtCircles, doubtRadius, moverOf } from '../src/map/doubt'
import { TrackStore } from '../src/store/tracks'

describe('doubt', () => {
  it('grows with time and the kind of mover', () => {
    expect(doubtRadius('walker', 1000, 601_000)).toBeCloseTo(840)
    expect(doubtRadius('vehicle', 1000, 601_000)).toBeCloseTo(8400)
    expect(doubtRadius('walker', 1000, 601_000, null, 25)).toBeCloseTo(865)
  })
  it('believes who reports more than the table', () => {
    expect(doubtRadius('ship', 1000, 61_000, 20)).toBeCloseTo(1200)
  })
  it('is not drawn when it says nothing', () => {
    expect(doubtRadius('still', 1000, 601_000)).toBeNull()
    expect(doubtRadius('walker', NaN, 601_000)).toBeNull()
    expect(doubtRadius('aircraft', 1000, 1000 + (DOUBT_LIMIT_M / 220) * 1100)).toBeNull()
  })
  it('is never negative when a clock is ahead', () => {
    expect(doubtRadius('walker', 5000, 1000)).toBe(0)
  })
  it('reads the mover from the dimension of the code', () => {
    expect(moverOf({ sidc: '10030100000000000000', category: 'platform' })).toBe('aircraft')
    expect(moverOf({ sidc: '10031500000000000000', category: 'unit' })).toBe('vehicle')
    expect(moverOf({ sidc: '13033000000000000000', category: 'track' })).toBe('ship')
    expect(moverOf({ sidc: '10031500000000000000', category: 'marker' })).toBe('still')
    expect(moverOf({ sidc: '', category: 'unit' })).toBe('walker')
  })
})

describe('doubt circles', () => {
  const store = new TrackStore()
  const meta = { name: 'A', sidc: '10031000000000000000', type: 'a-f-G', source: 's', affiliation: 'friend', category: 'unit' }
  const now_ms = 10_000_000
  const reported_ms = [now_ms - 3_600_000, now_ms - 60_000, now_ms - 3_600_000]
  store.applyMetas(reported_ms.map((at_ms, h) => ({ ...meta, h, id: `${h}`, observed_at_ms: at_ms, stale_at_ms: at_ms + 300_000 })))
  for (const [h, lon] of [[0, 77], [1, 77.1], [2, 10]]) {
    store.placed[h] = 1
    store.lat_deg[h] = 42
    store.lon_deg[h] = lon
  }
  const view = { bounds: [76, 41, 78, 43] as [number, number, number, number], width_px: 1000 }

  it('are drawn for what is old and in view', () => {
    expect(doubtCircles(store, null, view, now_ms).features).toHaveLength(1)
  })
  it('are drawn on every copy of the world', () => {
    const copy = { ...view, bounds: [436, 41, 438, 43] as [number, number, number, number] }
    expect(doubtCircles(store, null, copy, now_ms).features).toHaveLength(1)
  })
  it('are left out where the symbol would hide them', () => {
    const world = { ...view, bounds: [-180, -80, 180, 80] as [number, number, number, number] }
    expect(doubtCircles(store, null, world, now_ms).features).toHaveLength(0)
  })
  it('show the selected one whatever its age', () => {
    const near = { ...view, bounds: [77.09, 41.99, 77.11, 42.01] as [number, number, number, number] }
    const { features } = doubtCircles(store, 1, near, now_ms)
    expect(features.map((one) => one.properties?.selected)).toEqual([true])
  })
})
