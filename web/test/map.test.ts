import { describe, expect, it } from 'vitest'
import type { Cell } from '../src/map/atlas'
import { SpriteBatch, STRIDE_BYTES } from '../src/map/batch'
import { latOfY, lonOfX, mercatorX, mercatorY, writeSplit } from '../src/map/mercator'
import { Occupancy } from '../src/map/occupancy'
import { PickGrid } from '../src/map/pick'
import { labelText, nameAnchors } from '../src/map/names'

describe('mercator', () => {
  it('puts the corners of the world at the corners of the square', () => {
    expect([mercatorX(-180), mercatorX(180), mercatorX(0)]).toEqual([0, 1, 0.5])
    expect(mercatorY(0)).toBeCloseTo(0.5, 12)
    expect(mercatorY(90)).toBeCloseTo(0, 6)
    expect(mercatorY(-90)).toBeCloseTo(1, 6)
  })

  it('goes there and back', () => {
    for (const [lat, lon] of [[42.8, 77.5], [-60.1234567, -179.9], [84, 12]]) {
      expect(latOfY(mercatorY(lat))).toBeCloseTo(lat, 9)
      expect(lonOfX(mercatorX(lon))).toBeCloseTo(lon, 9)
    }
  })

  it('keeps a centimetre in two floats, where one float loses metres', () => {
    const [x, y] = [mercatorX(77.512345678), mercatorY(42.812345678)]
    const split = new Float32Array(4)
    writeSplit(split, 0, x, y)
    const circumference_m = 40_075_017
    expect(Math.abs(split[0] + split[2] - x) * circumference_m).toBeLessThan(0.01)
    expect(Math.abs(split[1] + split[3] - y) * circumference_m).toBeLessThan(0.01)
    expect(Math.abs(split[0] - x) * circumference_m).toBeGreaterThan(0.01)
  })
})

describe('the sprite batch', () => {
  const cell = { u0: 10, v0: 20, u1: 30, v1: 40, width: 32, height: 24, left: -16, top: -12 }

  it('writes one record of fixed length per sprite and grows', () => {
    const batch = new SpriteBatch(1)
    for (let i = 0; i < 3; i++) batch.push(Float32Array.of(0.25, 0.5, 0, 0), 0, cell, 0.5, i, 0)
    const bytes = batch.bytes()
    expect(bytes.byteLength).toBe(3 * STRIDE_BYTES)
    const view = new DataView(bytes.buffer, bytes.byteOffset + 2 * STRIDE_BYTES)
    expect(view.getFloat32(0, true)).toBe(0.25)
    expect(view.getUint16(16, true)).toBe(10)
    expect(view.getInt16(24, true)).toBe((-16 + 2) * 8)
    expect(view.getUint16(28, true)).toBe(32 * 8)
    expect(view.getFloat32(32, true)).toBe(0.5)
    batch.clear()
    expect(batch.bytes().byteLength).toBe(0)
  })
})

describe('picking', () => {
  it('answers the nearest within the radius, across cells, or nobody', () => {
    const places: [number, number][] = [[10, 10], [47, 47], [49, 49], [500, 500]]
    const grid = new PickGrid(48)
    places.forEach(([x, y], h) => grid.add(h, x, y))
    const at = (h: number) => places[h]
    expect(grid.nearest(46, 46, 20, at)).toBe(1)
    expect(grid.nearest(48.6, 48.6, 20, at)).toBe(2)
    expect(grid.nearest(300, 300, 20, at)).toBeNull()
  })

  it('gives the members of a pile in turn, and nothing beside it', () => {
    const places: [number, number][] = [[50, 50], [52, 50], [51, 53], [66, 50]]
    const grid = new PickGrid(48)
    places.forEach(([x, y], h) => grid.add(h, x, y))
    const turns: (number | null)[] = [null]
    for (let i = 0; i < 5; i++) turns.push(grid.next(51, 50.9, 20, 12, turns[i], (h) => places[h]))
    expect(turns.slice(1)).toEqual([1, 2, 0, 1, 2])
    // Who is chosen and lies beside the pile does not begin its turn.
    expect(grid.next(51, 50.9, 20, 12, 3, (h) => places[h])).toBe(1)
    expect(grid.next(66, 50, 20, 12, 3, (h) => places[h])).toBe(3)
  })
})

describe('room for labels', () => {
  it('is taken once, and ends at the edge of the screen', () => {
    const room = new Occupancy(200, 100)
    expect(room.free(10, 10, 50, 16)).toBe(true)
    room.take(10, 10, 50, 16)
    expect(room.free(40, 20, 50, 16)).toBe(false)
    expect(room.free(80, 10, 50, 16)).toBe(true)
    expect(room.free(180, 10, 50, 16)).toBe(false)
    expect(room.free(-4, 40, 50, 16)).toBe(false)
  })

  it('is free again for the next picture, whatever the size of its screen', () => {
    const room = new Occupancy(200, 100)
    room.take(10, 10, 50, 16)
    for (const [width, right_end] of [[200, false], [300, true]] as const) {
      const next = room.cleared(width, 100)
      expect(next.free(10, 10, 50, 16)).toBe(true)
      expect(next.free(240, 10, 50, 16)).toBe(right_end)
    }
  })
})

describe('labels', () => {
  it('stay one short line without control characters', () => {
    expect(labelText(' PATROL\n\u202e 1\u0000 ')).toBe('PATROL 1')
    expect(labelText('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(…')
    expect(Array.from(labelText('🦅'.repeat(40)))).toHaveLength(26)
  })

  it('stand half-way along a line and in the middle of an area', () => {
    const line = nameAnchors({ type: 'LineString', coordinates: [[0, 0], [2, 0], [2, 2]] })
    expect(line.slice(0, 3)).toEqual([[2, 0], [1, 0], [2, 1]])
    const ring = [[0, 0], [4, 0], [4, 2], [0, 0]]
    expect(nameAnchors({ type: 'Polygon', coordinates: [ring] })[0]).toEqual([2, 1])
    expect(nameAnchors({ type: 'LineString', coordinates: [] })).toEqual([])
  })
})

describe('what looks the same is not drawn again', () => {
  const cell = { u0: 0, v0: 0, u1: 1, v1: 1, left: -5, top: -5, width: 10, height: 10 } as Cell
  const place = (x: number) => {
    const split = new Float32Array(4)
    writeSplit(split, 0, x, 0.4)
    return split
  }
  const filled = (x: number, opacity = 1) => {
    const batch = new SpriteBatch()
    batch.push(place(0.5), 0, cell, 1)
    batch.push(place(x), 0, cell, opacity)
    return batch
  }
  const drawn = () => new Float32Array(filled(0.25).bytes().slice().buffer)
  const slack = 1e-6

  it('a move below the slack is none, a larger one is', () => {
    expect(filled(0.25 + 0.9e-6).looksLike(drawn(), slack)).toBe(true)
    expect(filled(0.25 + 1.1e-6).looksLike(drawn(), slack)).toBe(false)
    expect(filled(0.25 - 1.1e-6).looksLike(drawn(), slack)).toBe(false)
  })
  it('another opacity, another symbol or another number of them is seen', () => {
    expect(filled(0.25, 0.7).looksLike(drawn(), slack)).toBe(false)
    const more = filled(0.25)
    more.push(place(0.25), 0, cell, 1)
    expect(more.looksLike(drawn(), slack)).toBe(false)
    const other = new SpriteBatch()
    other.push(place(0.5), 0, cell, 1)
    other.push(place(0.25), 0, { ...cell, u0: 7, packed: undefined } as Cell, 1)
    expect(other.looksLike(drawn(), slack)).toBe(false)
  })
})
