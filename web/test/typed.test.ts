import { expect, it } from 'vitest'
import type { Pair } from '../src/draw/geometry'
import { lengthOf, placesShown, strokeOfPlaces } from '../src/draw/typed'

const [A, B, C]: Pair[] = [[43, 77], [43, 77.1], [43.1, 77]]

it('a length has a unit', () => {
  expect([lengthOf('500 m'), lengthOf('2,5 km'), lengthOf(' 3KM ')]).toEqual([500, 2500, 3000])
  for (const text of ['500', '0 m', '-5 m', '43T GH 04435 41636', 'm']) expect(lengthOf(text)).toBeNull()
})
it('places are a shape once there are enough of them', () => {
  expect(strokeOfPlaces('point', [A], false, null)).toEqual({ shape: 'point', points: [A], radius_m: null })
  expect(strokeOfPlaces('line', [A], true, null)).toBeNull()
  expect(strokeOfPlaces('line', [A, B], false, null)).toBeNull()
  expect(strokeOfPlaces('line', [A, B], false, 2)?.points).toEqual([A, B])
  expect(strokeOfPlaces('polygon', [A, B], true, null)).toBeNull()
  expect(strokeOfPlaces('polygon', [A, B, C], true, null)?.points).toHaveLength(3)
  expect(strokeOfPlaces('circle', [A, A], false, null)).toBeNull()
  expect(strokeOfPlaces('circle', [A, B], false, null)?.radius_m).toBeCloseTo(8132, -1)
})
it('they are shown with their numbers, and with what they make', () => {
  const kinds = (...points: Pair[]) => placesShown('polygon', points).map((one) => one.properties?.label ?? one.geometry.type)
  expect(kinds(A)).toEqual(['1'])
  expect(kinds(A, B)).toEqual(['LineString', '1', '2'])
  expect(kinds(A, B, C)).toEqual(['Polygon', '1', '2', '3'])
})
