import { expect, it } from 'vitest'
import { cornersOf, withCorner } from '../src/draw/corners'
import { distance_m, type Pair } from '../src/draw/geometry'
import { nearestPlace, SNAP_PX } from '../src/draw/snap'

const [A, B, C]: Pair[] = [[43, 77], [43, 77.1], [43.1, 77]]

it('a tap means the nearest corner that is there, and none that is far', () => {
  const places: [number, number][] = [[0, 0], [9, 0], [100, 100]]
  const spotOf = ([x, y]: [number, number]) => ({ x, y })
  expect(nearestPlace({ x: 6, y: 0 }, places, spotOf)).toBe(places[1])
  expect(nearestPlace({ x: 3, y: 1 }, places, spotOf)).toBe(places[0])
  expect(nearestPlace({ x: 100, y: 100 - SNAP_PX + 0.1 }, places, spotOf)).toBe(places[2])
  expect(nearestPlace({ x: 100, y: 100 - SNAP_PX }, places, spotOf)).toBeUndefined()
  expect(nearestPlace({ x: 0, y: 0 }, [], spotOf)).toBeUndefined()
})
it('one corner is moved and the others stay', () => {
  const area = { shape: 'polygon' as const, points: [A, B, C], radius_m: null }
  expect(cornersOf(area)).toEqual([A, B, C])
  expect(withCorner(area, 1, [43.05, 77.2])).toEqual({ ...area, points: [A, [43.05, 77.2], C] })
})
it('a circle goes with its centre and grows with its edge', () => {
  const circle = { shape: 'circle' as const, points: [A], radius_m: 5000 }
  const [centre, edge] = cornersOf(circle)
  expect(centre).toEqual(A)
  expect(distance_m(A, edge)).toBeCloseTo(5000, 1)
  expect(withCorner(circle, 0, C)).toEqual({ ...circle, points: [C] })
  expect(withCorner(circle, 1, B).radius_m).toBeCloseTo(distance_m(A, B), 6)
  expect(withCorner(circle, 1, A).radius_m).toBe(5000)
})
