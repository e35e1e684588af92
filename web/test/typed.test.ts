import { expect, it } from 'vitest'
import { withoutRepeats, type Pair } from '../src/draw/geometry'
import { lackOf, lengthOf, NEEDED, placesShown, strokeOfPlaces } from '../src/draw/typed'
import { GRAPHICS } from '../src/draw/catalogue'
import { PEN_OF } from '../src/draw/drawings'
import { LOOKS, overlayLayers } from '../src/map/overlays'

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
it.each([
  ['point', null, 0, { need: 1, have: 0, exact: true }],
  ['line', null, 1, { need: 2, have: 1, exact: false }],
  ['line', 2, 1, { need: 2, have: 1, exact: true }],
  ['line', null, 2, null],
  ['polygon', null, 2, { need: 3, have: 2, exact: false }],
  ['polygon', null, 3, null],
  ['circle', null, 1, { need: 2, have: 1, exact: true }],
] as const)('what a %s of at most %s lacks with %s places', (shape, limit, have, lack) => {
  expect(lackOf(shape, have, limit)).toEqual(lack)
})
it('every tool and every graphic is a shape whose need is known', () => {
  const shapes = [...Object.values(PEN_OF), ...GRAPHICS.map((one) => one.shape)]
  for (const shape of shapes) expect(NEEDED[shape]).toBeGreaterThan(0)
})
it('a double click is one place', () => {
  expect(withoutRepeats([A, [A[0], A[1] + 1e-8], B, A])).toEqual([A, B, A])
})
it('they are shown with their numbers, and with what they make', () => {
  const kinds = (...points: Pair[]) => placesShown('polygon', points).map((one) => one.properties?.label ?? one.geometry.type)
  expect(kinds(A)).toEqual(['1'])
  expect(kinds(A, B)).toEqual(['LineString', '1', '2'])
  expect(kinds(A, B, C)).toEqual(['Polygon', '1', '2', '3'])
})
it('their numbers are as bright as words, though lines are dim at night', () => {
  const colour = overlayLayers('night').find((one) => one.id === 'drawing-text')?.paint?.['text-color' as never]
  expect(colour).toEqual(['case', ['has', 'plain'], LOOKS.night.label, expect.anything()])
  expect(placesShown('polygon', [A])[0].properties).toHaveProperty('plain')
})
