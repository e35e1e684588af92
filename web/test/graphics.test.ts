import ms from 'milsymbol'
import { expect, it } from 'vitest'
import type { TrackMeta } from '../src/api/types'
import { GRAPHICS, sidcOf } from '../src/draw/catalogue'
import { graphicFeatures } from '../src/draw/graphics'

const CORNERS = [[77, 43], [77.2, 43.1], [77.4, 43]]

it.each(GRAPHICS)('$name ($code) is drawn', ({ code, shape, name }) => {
  if (shape === 'point') return expect(new ms.Symbol(sidcOf(code)).isValid()).toBe(true)
  const geometry = shape === 'line' ? { type: 'LineString', coordinates: CORNERS } : { type: 'Polygon', coordinates: [[...CORNERS, CORNERS[0]]] }
  const features = graphicFeatures({ id: 'a', name: 'BLUE', sidc: sidcOf(code), geometry } as unknown as TrackMeta, 9) ?? []
  expect(features.some((one) => one.geometry.type !== 'Point'), name).toBe(true)
})
