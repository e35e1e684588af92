import { describe, expect, it, vi } from 'vitest'

vi.hoisted(() => vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined }))

import { boxFor, fills } from '../src/coverage/cover'
import { CELL_PX, looksPixels, looksStrength, shadowPixels, sharesOf, shadowStrength, UNKNOWN } from '../src/coverage/paint'
import { REACH, readKept } from '../src/coverage/state'

describe('looks', () => {
  it('shade what nobody has looked at for the hours that were chosen, and no less', () => {
    const four = looksStrength(4)
    expect([1, 16].map((age) => four(age, 0, 0))).toEqual([0, 0])
    expect(four(17, 0, 0)).toBeGreaterThan(0)
    expect(four(0, 4, 0)).toBeGreaterThan(four(17, 4, 0))
  })
  it('hatch what nobody ever looked at, so that it is known without colours', () => {
    const never = [0, 1, 2, 3, 4, 5, 6, 7].map((x) => looksStrength(4)(0, x, 0))
    expect(new Set(never).size).toBe(2)
  })
  it('are painted cell by cell from the north west', () => {
    const data = looksPixels(Uint8Array.of(1, 200, 1, 1), 2, 4, 'dark')
    const alpha = (x: number, y: number) => data[(y * 2 * CELL_PX + x) * 4 + 3]
    expect(data.length).toBe(4 * CELL_PX * CELL_PX * 4)
    expect([alpha(0, 0), alpha(0, CELL_PX), alpha(CELL_PX, CELL_PX)]).toEqual([0, 0, 0])
    expect(alpha(CELL_PX, 0)).toBeGreaterThan(0)
  })
})

describe('a shadow', () => {
  it('is darker the higher one may be and is still hidden; what is seen and what lies beyond stays bare', () => {
    const strength = [0, 1, 2, 3, 4].map((band) => shadowStrength(3)(band, 0, 0))
    expect(strength).toEqual([0, 0, 1 / 3, 2 / 3, 1])
  })
  it('says from where it is cast, in Mercator', () => {
    const [[x, y]] = sharesOf({ west: 76, east: 78, south: 0, north: 60, places: [[30, 76.5]] })
    expect(x).toBeCloseTo(0.25)
    expect(y).toBeGreaterThan(0.55)
  })
  it('dots what is unknown', () => {
    const data = shadowPixels(Uint8Array.of(UNKNOWN), 1, 3, 'night')
    expect(data.filter((value, at) => at % 4 === 3 && value > 0).length).toBe(1)
  })
})

describe('what is asked for', () => {
  it('is more than the view, so that a small move asks nothing', () => {
    const box = boxFor([76, 42, 78, 43])!
    expect(box).toEqual([75.5, 41.75, 78.5, 43.25])
    expect(fills(box, [76.2, 42.1, 78.2, 43.1])).toBe(true)
    expect(fills(box, [77, 42, 79, 43])).toBe(false)
    expect(fills(box, [76.9, 42.4, 77.1, 42.5])).toBe(false)
  })
  it('is of this copy of the world, and nothing where the view is too wide', () => {
    expect(boxFor([436, 42, 438, 43])![0]).toBeCloseTo(75.5)
    expect(fills(boxFor([436, 42, 438, 43])!, [76.1, 42, 78.1, 43])).toBe(true)
    expect(boxFor([60, 20, 90, 50])).toBeNull()
  })
})

describe('what was kept', () => {
  it('is read again, and whatever is not understood is as at first', () => {
    expect(readKept(null)).toEqual(readKept('no json'))
    const kept = readKept('{"looks":true,"hours":8,"reach":{"ground":800,"air":-1},"beam":{"height_m":30,"range_m":5,"heights":"10","over":"sea"}}')
    expect(kept).toEqual({ looks: true, hours: 8, reach: { ...REACH, ground: 800 }, beam: { height_m: 30, range_m: 1000, heights: '10', over: 'sea' } })
    expect(readKept('{"hours":5}').hours).toBe(4)
  })
})
